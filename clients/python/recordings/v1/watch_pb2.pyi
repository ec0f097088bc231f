from recordings.v1 import event_pb2 as _event_pb2
from recordings.v1 import recording_pb2 as _recording_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class WatchUntil(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    WATCH_UNTIL_UNSPECIFIED: _ClassVar[WatchUntil]
    WATCH_UNTIL_READY: _ClassVar[WatchUntil]
    WATCH_UNTIL_PROCESSED: _ClassVar[WatchUntil]
WATCH_UNTIL_UNSPECIFIED: WatchUntil
WATCH_UNTIL_READY: WatchUntil
WATCH_UNTIL_PROCESSED: WatchUntil

class WatchRecordingRequest(_message.Message):
    __slots__ = ("account_sid", "recording_sid", "until")
    ACCOUNT_SID_FIELD_NUMBER: _ClassVar[int]
    RECORDING_SID_FIELD_NUMBER: _ClassVar[int]
    UNTIL_FIELD_NUMBER: _ClassVar[int]
    account_sid: str
    recording_sid: str
    until: WatchUntil
    def __init__(self, account_sid: _Optional[str] = ..., recording_sid: _Optional[str] = ..., until: _Optional[_Union[WatchUntil, str]] = ...) -> None: ...

class WatchRecordingResponse(_message.Message):
    __slots__ = ("recording",)
    RECORDING_FIELD_NUMBER: _ClassVar[int]
    recording: _recording_pb2.Recording
    def __init__(self, recording: _Optional[_Union[_recording_pb2.Recording, _Mapping]] = ...) -> None: ...

class WatchRecordingsRequest(_message.Message):
    __slots__ = ("states", "account_sids", "call_sids", "snapshot_size", "after_revision")
    STATES_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_SIDS_FIELD_NUMBER: _ClassVar[int]
    CALL_SIDS_FIELD_NUMBER: _ClassVar[int]
    SNAPSHOT_SIZE_FIELD_NUMBER: _ClassVar[int]
    AFTER_REVISION_FIELD_NUMBER: _ClassVar[int]
    states: _containers.RepeatedScalarFieldContainer[_recording_pb2.RecordingState]
    account_sids: _containers.RepeatedScalarFieldContainer[str]
    call_sids: _containers.RepeatedScalarFieldContainer[str]
    snapshot_size: int
    after_revision: int
    def __init__(self, states: _Optional[_Iterable[_Union[_recording_pb2.RecordingState, str]]] = ..., account_sids: _Optional[_Iterable[str]] = ..., call_sids: _Optional[_Iterable[str]] = ..., snapshot_size: _Optional[int] = ..., after_revision: _Optional[int] = ...) -> None: ...

class WatchRecordingsResponse(_message.Message):
    __slots__ = ("recording", "matches", "snapshot_complete", "event", "after_revision")
    RECORDING_FIELD_NUMBER: _ClassVar[int]
    MATCHES_FIELD_NUMBER: _ClassVar[int]
    SNAPSHOT_COMPLETE_FIELD_NUMBER: _ClassVar[int]
    EVENT_FIELD_NUMBER: _ClassVar[int]
    AFTER_REVISION_FIELD_NUMBER: _ClassVar[int]
    recording: _recording_pb2.Recording
    matches: bool
    snapshot_complete: bool
    event: _event_pb2.Event
    after_revision: int
    def __init__(self, recording: _Optional[_Union[_recording_pb2.Recording, _Mapping]] = ..., matches: bool = ..., snapshot_complete: bool = ..., event: _Optional[_Union[_event_pb2.Event, _Mapping]] = ..., after_revision: _Optional[int] = ...) -> None: ...
