from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class GetWaveformRequest(_message.Message):
    __slots__ = ("account_sid", "recording_sid", "samples_per_pixel")
    ACCOUNT_SID_FIELD_NUMBER: _ClassVar[int]
    RECORDING_SID_FIELD_NUMBER: _ClassVar[int]
    SAMPLES_PER_PIXEL_FIELD_NUMBER: _ClassVar[int]
    account_sid: str
    recording_sid: str
    samples_per_pixel: int
    def __init__(self, account_sid: _Optional[str] = ..., recording_sid: _Optional[str] = ..., samples_per_pixel: _Optional[int] = ...) -> None: ...

class GetWaveformResponse(_message.Message):
    __slots__ = ("samples_per_pixel", "sample_rate", "channels", "length", "peaks", "etag")
    SAMPLES_PER_PIXEL_FIELD_NUMBER: _ClassVar[int]
    SAMPLE_RATE_FIELD_NUMBER: _ClassVar[int]
    CHANNELS_FIELD_NUMBER: _ClassVar[int]
    LENGTH_FIELD_NUMBER: _ClassVar[int]
    PEAKS_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    samples_per_pixel: int
    sample_rate: int
    channels: int
    length: int
    peaks: bytes
    etag: str
    def __init__(self, samples_per_pixel: _Optional[int] = ..., sample_rate: _Optional[int] = ..., channels: _Optional[int] = ..., length: _Optional[int] = ..., peaks: _Optional[bytes] = ..., etag: _Optional[str] = ...) -> None: ...

class GetTranscriptRequest(_message.Message):
    __slots__ = ("account_sid", "recording_sid")
    ACCOUNT_SID_FIELD_NUMBER: _ClassVar[int]
    RECORDING_SID_FIELD_NUMBER: _ClassVar[int]
    account_sid: str
    recording_sid: str
    def __init__(self, account_sid: _Optional[str] = ..., recording_sid: _Optional[str] = ...) -> None: ...

class TranscriptWord(_message.Message):
    __slots__ = ("start", "end", "text", "confidence")
    START_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    start: _duration_pb2.Duration
    end: _duration_pb2.Duration
    text: str
    confidence: float
    def __init__(self, start: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ..., end: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ..., text: _Optional[str] = ..., confidence: _Optional[float] = ...) -> None: ...

class TranscriptSegment(_message.Message):
    __slots__ = ("start", "end", "channel", "text", "confidence", "words")
    START_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    WORDS_FIELD_NUMBER: _ClassVar[int]
    start: _duration_pb2.Duration
    end: _duration_pb2.Duration
    channel: int
    text: str
    confidence: float
    words: _containers.RepeatedCompositeFieldContainer[TranscriptWord]
    def __init__(self, start: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ..., end: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ..., channel: _Optional[int] = ..., text: _Optional[str] = ..., confidence: _Optional[float] = ..., words: _Optional[_Iterable[_Union[TranscriptWord, _Mapping]]] = ...) -> None: ...

class GetTranscriptResponse(_message.Message):
    __slots__ = ("language", "segments", "etag")
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    SEGMENTS_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    language: str
    segments: _containers.RepeatedCompositeFieldContainer[TranscriptSegment]
    etag: str
    def __init__(self, language: _Optional[str] = ..., segments: _Optional[_Iterable[_Union[TranscriptSegment, _Mapping]]] = ..., etag: _Optional[str] = ...) -> None: ...
