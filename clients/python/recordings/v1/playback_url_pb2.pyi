from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class PlaybackDisposition(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PLAYBACK_DISPOSITION_UNSPECIFIED: _ClassVar[PlaybackDisposition]
    PLAYBACK_DISPOSITION_INLINE: _ClassVar[PlaybackDisposition]
    PLAYBACK_DISPOSITION_ATTACHMENT: _ClassVar[PlaybackDisposition]
PLAYBACK_DISPOSITION_UNSPECIFIED: PlaybackDisposition
PLAYBACK_DISPOSITION_INLINE: PlaybackDisposition
PLAYBACK_DISPOSITION_ATTACHMENT: PlaybackDisposition

class CreatePlaybackUrlRequest(_message.Message):
    __slots__ = ("account_sid", "recording_sid", "ttl", "disposition")
    ACCOUNT_SID_FIELD_NUMBER: _ClassVar[int]
    RECORDING_SID_FIELD_NUMBER: _ClassVar[int]
    TTL_FIELD_NUMBER: _ClassVar[int]
    DISPOSITION_FIELD_NUMBER: _ClassVar[int]
    account_sid: str
    recording_sid: str
    ttl: _duration_pb2.Duration
    disposition: PlaybackDisposition
    def __init__(self, account_sid: _Optional[str] = ..., recording_sid: _Optional[str] = ..., ttl: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ..., disposition: _Optional[_Union[PlaybackDisposition, str]] = ...) -> None: ...

class CreatePlaybackUrlResponse(_message.Message):
    __slots__ = ("url", "status_url", "expire_time", "key_id")
    URL_FIELD_NUMBER: _ClassVar[int]
    STATUS_URL_FIELD_NUMBER: _ClassVar[int]
    EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    KEY_ID_FIELD_NUMBER: _ClassVar[int]
    url: str
    status_url: str
    expire_time: _timestamp_pb2.Timestamp
    key_id: str
    def __init__(self, url: _Optional[str] = ..., status_url: _Optional[str] = ..., expire_time: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., key_id: _Optional[str] = ...) -> None: ...
