from recordings.v1 import recording_pb2 as _recording_pb2
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class StreamRecordingRequest(_message.Message):
    __slots__ = ("account_sid", "recording_sid", "offset", "length", "etag")
    ACCOUNT_SID_FIELD_NUMBER: _ClassVar[int]
    RECORDING_SID_FIELD_NUMBER: _ClassVar[int]
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    LENGTH_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    account_sid: str
    recording_sid: str
    offset: int
    length: int
    etag: str
    def __init__(self, account_sid: _Optional[str] = ..., recording_sid: _Optional[str] = ..., offset: _Optional[int] = ..., length: _Optional[int] = ..., etag: _Optional[str] = ...) -> None: ...

class ContentRange(_message.Message):
    __slots__ = ("start", "end", "complete_length")
    START_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    COMPLETE_LENGTH_FIELD_NUMBER: _ClassVar[int]
    start: int
    end: int
    complete_length: int
    def __init__(self, start: _Optional[int] = ..., end: _Optional[int] = ..., complete_length: _Optional[int] = ...) -> None: ...

class StreamRecordingResponse(_message.Message):
    __slots__ = ("data", "offset", "recording", "content_range")
    DATA_FIELD_NUMBER: _ClassVar[int]
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    RECORDING_FIELD_NUMBER: _ClassVar[int]
    CONTENT_RANGE_FIELD_NUMBER: _ClassVar[int]
    data: bytes
    offset: int
    recording: _recording_pb2.Recording
    content_range: ContentRange
    def __init__(self, data: _Optional[bytes] = ..., offset: _Optional[int] = ..., recording: _Optional[_Union[_recording_pb2.Recording, _Mapping]] = ..., content_range: _Optional[_Union[ContentRange, _Mapping]] = ...) -> None: ...
