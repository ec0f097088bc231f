from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class EventType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    EVENT_TYPE_UNSPECIFIED: _ClassVar[EventType]
    EVENT_TYPE_RECORDING_READY: _ClassVar[EventType]
    EVENT_TYPE_RECORDING_FAILED: _ClassVar[EventType]
    EVENT_TYPE_RECORDING_DELETED: _ClassVar[EventType]
    EVENT_TYPE_RECORDING_PROCESSED: _ClassVar[EventType]
EVENT_TYPE_UNSPECIFIED: EventType
EVENT_TYPE_RECORDING_READY: EventType
EVENT_TYPE_RECORDING_FAILED: EventType
EVENT_TYPE_RECORDING_DELETED: EventType
EVENT_TYPE_RECORDING_PROCESSED: EventType

class Event(_message.Message):
    __slots__ = ("revision", "type", "event_time", "event_id", "recording_revision")
    REVISION_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    EVENT_TIME_FIELD_NUMBER: _ClassVar[int]
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    RECORDING_REVISION_FIELD_NUMBER: _ClassVar[int]
    revision: int
    type: EventType
    event_time: _timestamp_pb2.Timestamp
    event_id: str
    recording_revision: int
    def __init__(self, revision: _Optional[int] = ..., type: _Optional[_Union[EventType, str]] = ..., event_time: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., event_id: _Optional[str] = ..., recording_revision: _Optional[int] = ...) -> None: ...
