from recordings.v1 import recording_pb2 as _recording_pb2
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class DeleteRecordingRequest(_message.Message):
    __slots__ = ("account_sid", "recording_sid", "allow_missing")
    ACCOUNT_SID_FIELD_NUMBER: _ClassVar[int]
    RECORDING_SID_FIELD_NUMBER: _ClassVar[int]
    ALLOW_MISSING_FIELD_NUMBER: _ClassVar[int]
    account_sid: str
    recording_sid: str
    allow_missing: bool
    def __init__(self, account_sid: _Optional[str] = ..., recording_sid: _Optional[str] = ..., allow_missing: bool = ...) -> None: ...

class DeleteRecordingResponse(_message.Message):
    __slots__ = ("recording",)
    RECORDING_FIELD_NUMBER: _ClassVar[int]
    recording: _recording_pb2.Recording
    def __init__(self, recording: _Optional[_Union[_recording_pb2.Recording, _Mapping]] = ...) -> None: ...
