from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from recordings.v1 import recording_pb2 as _recording_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class EnqueueReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ENQUEUE_REASON_UNSPECIFIED: _ClassVar[EnqueueReason]
    ENQUEUE_REASON_ENQUEUED: _ClassVar[EnqueueReason]
    ENQUEUE_REASON_CACHED: _ClassVar[EnqueueReason]
    ENQUEUE_REASON_DUPLICATE: _ClassVar[EnqueueReason]
    ENQUEUE_REASON_ERROR: _ClassVar[EnqueueReason]

class UnavailableReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    UNAVAILABLE_REASON_UNSPECIFIED: _ClassVar[UnavailableReason]
    UNAVAILABLE_REASON_ABSENT: _ClassVar[UnavailableReason]
    UNAVAILABLE_REASON_FAILED: _ClassVar[UnavailableReason]
ENQUEUE_REASON_UNSPECIFIED: EnqueueReason
ENQUEUE_REASON_ENQUEUED: EnqueueReason
ENQUEUE_REASON_CACHED: EnqueueReason
ENQUEUE_REASON_DUPLICATE: EnqueueReason
ENQUEUE_REASON_ERROR: EnqueueReason
UNAVAILABLE_REASON_UNSPECIFIED: UnavailableReason
UNAVAILABLE_REASON_ABSENT: UnavailableReason
UNAVAILABLE_REASON_FAILED: UnavailableReason

class EncryptionDetails(_message.Message):
    __slots__ = ("public_key_sid", "encrypted_cek", "iv")
    PUBLIC_KEY_SID_FIELD_NUMBER: _ClassVar[int]
    ENCRYPTED_CEK_FIELD_NUMBER: _ClassVar[int]
    IV_FIELD_NUMBER: _ClassVar[int]
    public_key_sid: str
    encrypted_cek: str
    iv: str
    def __init__(self, public_key_sid: _Optional[str] = ..., encrypted_cek: _Optional[str] = ..., iv: _Optional[str] = ...) -> None: ...

class EnqueueRecordingRequest(_message.Message):
    __slots__ = ("account_sid", "recording_sid", "call_sid", "conference_sid", "source_url", "job", "priority", "source", "track", "direction", "channels", "start_time", "duration", "from_number", "to_number", "labels", "encryption_details")
    class LabelsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    ACCOUNT_SID_FIELD_NUMBER: _ClassVar[int]
    RECORDING_SID_FIELD_NUMBER: _ClassVar[int]
    CALL_SID_FIELD_NUMBER: _ClassVar[int]
    CONFERENCE_SID_FIELD_NUMBER: _ClassVar[int]
    SOURCE_URL_FIELD_NUMBER: _ClassVar[int]
    JOB_FIELD_NUMBER: _ClassVar[int]
    PRIORITY_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    TRACK_FIELD_NUMBER: _ClassVar[int]
    DIRECTION_FIELD_NUMBER: _ClassVar[int]
    CHANNELS_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    DURATION_FIELD_NUMBER: _ClassVar[int]
    FROM_NUMBER_FIELD_NUMBER: _ClassVar[int]
    TO_NUMBER_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    ENCRYPTION_DETAILS_FIELD_NUMBER: _ClassVar[int]
    account_sid: str
    recording_sid: str
    call_sid: str
    conference_sid: str
    source_url: str
    job: _recording_pb2.RecordingJob
    priority: _recording_pb2.Priority
    source: str
    track: str
    direction: str
    channels: int
    start_time: _timestamp_pb2.Timestamp
    duration: _duration_pb2.Duration
    from_number: str
    to_number: str
    labels: _containers.ScalarMap[str, str]
    encryption_details: EncryptionDetails
    def __init__(self, account_sid: _Optional[str] = ..., recording_sid: _Optional[str] = ..., call_sid: _Optional[str] = ..., conference_sid: _Optional[str] = ..., source_url: _Optional[str] = ..., job: _Optional[_Union[_recording_pb2.RecordingJob, str]] = ..., priority: _Optional[_Union[_recording_pb2.Priority, str]] = ..., source: _Optional[str] = ..., track: _Optional[str] = ..., direction: _Optional[str] = ..., channels: _Optional[int] = ..., start_time: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., duration: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ..., from_number: _Optional[str] = ..., to_number: _Optional[str] = ..., labels: _Optional[_Mapping[str, str]] = ..., encryption_details: _Optional[_Union[EncryptionDetails, _Mapping]] = ...) -> None: ...

class EnqueueRecordingResponse(_message.Message):
    __slots__ = ("reason", "recording")
    REASON_FIELD_NUMBER: _ClassVar[int]
    RECORDING_FIELD_NUMBER: _ClassVar[int]
    reason: EnqueueReason
    recording: _recording_pb2.Recording
    def __init__(self, reason: _Optional[_Union[EnqueueReason, str]] = ..., recording: _Optional[_Union[_recording_pb2.Recording, _Mapping]] = ...) -> None: ...

class BatchEnqueueRecordingsRequest(_message.Message):
    __slots__ = ("requests",)
    REQUESTS_FIELD_NUMBER: _ClassVar[int]
    requests: _containers.RepeatedCompositeFieldContainer[EnqueueRecordingRequest]
    def __init__(self, requests: _Optional[_Iterable[_Union[EnqueueRecordingRequest, _Mapping]]] = ...) -> None: ...

class EnqueueError(_message.Message):
    __slots__ = ("reason", "field", "message")
    REASON_FIELD_NUMBER: _ClassVar[int]
    FIELD_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    reason: str
    field: str
    message: str
    def __init__(self, reason: _Optional[str] = ..., field: _Optional[str] = ..., message: _Optional[str] = ...) -> None: ...

class BatchEnqueueRecordingsResult(_message.Message):
    __slots__ = ("reason", "recording", "error")
    REASON_FIELD_NUMBER: _ClassVar[int]
    RECORDING_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    reason: EnqueueReason
    recording: _recording_pb2.Recording
    error: EnqueueError
    def __init__(self, reason: _Optional[_Union[EnqueueReason, str]] = ..., recording: _Optional[_Union[_recording_pb2.Recording, _Mapping]] = ..., error: _Optional[_Union[EnqueueError, _Mapping]] = ...) -> None: ...

class BatchEnqueueRecordingsResponse(_message.Message):
    __slots__ = ("results",)
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedCompositeFieldContainer[BatchEnqueueRecordingsResult]
    def __init__(self, results: _Optional[_Iterable[_Union[BatchEnqueueRecordingsResult, _Mapping]]] = ...) -> None: ...

class ReportRecordingUnavailableRequest(_message.Message):
    __slots__ = ("account_sid", "recording_sid", "call_sid", "reason", "error_code")
    ACCOUNT_SID_FIELD_NUMBER: _ClassVar[int]
    RECORDING_SID_FIELD_NUMBER: _ClassVar[int]
    CALL_SID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    ERROR_CODE_FIELD_NUMBER: _ClassVar[int]
    account_sid: str
    recording_sid: str
    call_sid: str
    reason: UnavailableReason
    error_code: int
    def __init__(self, account_sid: _Optional[str] = ..., recording_sid: _Optional[str] = ..., call_sid: _Optional[str] = ..., reason: _Optional[_Union[UnavailableReason, str]] = ..., error_code: _Optional[int] = ...) -> None: ...

class ReportRecordingUnavailableResponse(_message.Message):
    __slots__ = ("recording",)
    RECORDING_FIELD_NUMBER: _ClassVar[int]
    recording: _recording_pb2.Recording
    def __init__(self, recording: _Optional[_Union[_recording_pb2.Recording, _Mapping]] = ...) -> None: ...
