from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class RecordingState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    RECORDING_STATE_UNSPECIFIED: _ClassVar[RecordingState]
    RECORDING_STATE_QUEUED: _ClassVar[RecordingState]
    RECORDING_STATE_DOWNLOADING: _ClassVar[RecordingState]
    RECORDING_STATE_READY: _ClassVar[RecordingState]
    RECORDING_STATE_FAILED: _ClassVar[RecordingState]
    RECORDING_STATE_DELETED: _ClassVar[RecordingState]

class ProcessingState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PROCESSING_STATE_UNSPECIFIED: _ClassVar[ProcessingState]
    PROCESSING_STATE_PENDING: _ClassVar[ProcessingState]
    PROCESSING_STATE_RUNNING: _ClassVar[ProcessingState]
    PROCESSING_STATE_DONE: _ClassVar[ProcessingState]
    PROCESSING_STATE_FAILED: _ClassVar[ProcessingState]
    PROCESSING_STATE_SKIPPED: _ClassVar[ProcessingState]

class ProcessingStep(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PROCESSING_STEP_UNSPECIFIED: _ClassVar[ProcessingStep]
    PROCESSING_STEP_PROBE: _ClassVar[ProcessingStep]
    PROCESSING_STEP_WAVEFORM: _ClassVar[ProcessingStep]
    PROCESSING_STEP_TRANSCRIPT: _ClassVar[ProcessingStep]

class ProcessingReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PROCESSING_REASON_UNSPECIFIED: _ClassVar[ProcessingReason]
    PROCESSING_REASON_MEDIA_EMPTY: _ClassVar[ProcessingReason]
    PROCESSING_REASON_MEDIA_NOT_AUDIO: _ClassVar[ProcessingReason]
    PROCESSING_REASON_MEDIA_TRUNCATED: _ClassVar[ProcessingReason]
    PROCESSING_REASON_MEDIA_BROKEN: _ClassVar[ProcessingReason]
    PROCESSING_REASON_WORKER_CRASHED: _ClassVar[ProcessingReason]
    PROCESSING_REASON_TRANSCRIPTION_UNAVAILABLE: _ClassVar[ProcessingReason]
    PROCESSING_REASON_TRANSCRIPTION_KEY_REJECTED: _ClassVar[ProcessingReason]
    PROCESSING_REASON_TRANSCRIPTION_REFUSED: _ClassVar[ProcessingReason]
    PROCESSING_REASON_TRANSCRIPTION_ANSWER_INVALID: _ClassVar[ProcessingReason]
    PROCESSING_REASON_TRANSCRIPTION_WRONG_LANGUAGE: _ClassVar[ProcessingReason]
    PROCESSING_REASON_NOT_CONFIGURED: _ClassVar[ProcessingReason]
    PROCESSING_REASON_PROBE_FAILED: _ClassVar[ProcessingReason]

class ProbeWarning(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PROBE_WARNING_UNSPECIFIED: _ClassVar[ProbeWarning]
    PROBE_WARNING_DURATION_MISMATCH: _ClassVar[ProbeWarning]
    PROBE_WARNING_CHANNELS_MISMATCH: _ClassVar[ProbeWarning]
    PROBE_WARNING_CHANNEL_SILENT: _ClassVar[ProbeWarning]

class FailureReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    FAILURE_REASON_UNSPECIFIED: _ClassVar[FailureReason]
    FAILURE_REASON_SOURCE_ABSENT: _ClassVar[FailureReason]
    FAILURE_REASON_SOURCE_FAILED: _ClassVar[FailureReason]
    FAILURE_REASON_SOURCE_NOT_FOUND: _ClassVar[FailureReason]
    FAILURE_REASON_SOURCE_UNAVAILABLE: _ClassVar[FailureReason]
    FAILURE_REASON_SOURCE_TRUNCATED: _ClassVar[FailureReason]
    FAILURE_REASON_SOURCE_NOT_AUDIO: _ClassVar[FailureReason]
    FAILURE_REASON_SOURCE_TOO_LARGE: _ClassVar[FailureReason]
    FAILURE_REASON_SOURCE_REDIRECT_REFUSED: _ClassVar[FailureReason]
    FAILURE_REASON_WORKER_CRASHED: _ClassVar[FailureReason]
    FAILURE_REASON_SOURCE_REFUSED: _ClassVar[FailureReason]
    FAILURE_REASON_ENCRYPTION_KEY_UNKNOWN: _ClassVar[FailureReason]
    FAILURE_REASON_ENCRYPTION_KEY_WRONG: _ClassVar[FailureReason]
    FAILURE_REASON_ENCRYPTION_TAG_MISMATCH: _ClassVar[FailureReason]
    FAILURE_REASON_ENCRYPTION_DETAILS_INVALID: _ClassVar[FailureReason]

class WaitingReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    WAITING_REASON_UNSPECIFIED: _ClassVar[WaitingReason]
    WAITING_REASON_RETRY: _ClassVar[WaitingReason]
    WAITING_REASON_RATE_LIMITED: _ClassVar[WaitingReason]
    WAITING_REASON_ACCOUNT_UNAUTHORIZED: _ClassVar[WaitingReason]
    WAITING_REASON_STORAGE_UNAVAILABLE: _ClassVar[WaitingReason]

class RecordingJob(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    RECORDING_JOB_UNSPECIFIED: _ClassVar[RecordingJob]
    RECORDING_JOB_FULL: _ClassVar[RecordingJob]
    RECORDING_JOB_DOWNLOAD_ONLY: _ClassVar[RecordingJob]

class Priority(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PRIORITY_UNSPECIFIED: _ClassVar[Priority]
    PRIORITY_PLAYBACK: _ClassVar[Priority]
    PRIORITY_NORMAL: _ClassVar[Priority]
    PRIORITY_BULK: _ClassVar[Priority]
RECORDING_STATE_UNSPECIFIED: RecordingState
RECORDING_STATE_QUEUED: RecordingState
RECORDING_STATE_DOWNLOADING: RecordingState
RECORDING_STATE_READY: RecordingState
RECORDING_STATE_FAILED: RecordingState
RECORDING_STATE_DELETED: RecordingState
PROCESSING_STATE_UNSPECIFIED: ProcessingState
PROCESSING_STATE_PENDING: ProcessingState
PROCESSING_STATE_RUNNING: ProcessingState
PROCESSING_STATE_DONE: ProcessingState
PROCESSING_STATE_FAILED: ProcessingState
PROCESSING_STATE_SKIPPED: ProcessingState
PROCESSING_STEP_UNSPECIFIED: ProcessingStep
PROCESSING_STEP_PROBE: ProcessingStep
PROCESSING_STEP_WAVEFORM: ProcessingStep
PROCESSING_STEP_TRANSCRIPT: ProcessingStep
PROCESSING_REASON_UNSPECIFIED: ProcessingReason
PROCESSING_REASON_MEDIA_EMPTY: ProcessingReason
PROCESSING_REASON_MEDIA_NOT_AUDIO: ProcessingReason
PROCESSING_REASON_MEDIA_TRUNCATED: ProcessingReason
PROCESSING_REASON_MEDIA_BROKEN: ProcessingReason
PROCESSING_REASON_WORKER_CRASHED: ProcessingReason
PROCESSING_REASON_TRANSCRIPTION_UNAVAILABLE: ProcessingReason
PROCESSING_REASON_TRANSCRIPTION_KEY_REJECTED: ProcessingReason
PROCESSING_REASON_TRANSCRIPTION_REFUSED: ProcessingReason
PROCESSING_REASON_TRANSCRIPTION_ANSWER_INVALID: ProcessingReason
PROCESSING_REASON_TRANSCRIPTION_WRONG_LANGUAGE: ProcessingReason
PROCESSING_REASON_NOT_CONFIGURED: ProcessingReason
PROCESSING_REASON_PROBE_FAILED: ProcessingReason
PROBE_WARNING_UNSPECIFIED: ProbeWarning
PROBE_WARNING_DURATION_MISMATCH: ProbeWarning
PROBE_WARNING_CHANNELS_MISMATCH: ProbeWarning
PROBE_WARNING_CHANNEL_SILENT: ProbeWarning
FAILURE_REASON_UNSPECIFIED: FailureReason
FAILURE_REASON_SOURCE_ABSENT: FailureReason
FAILURE_REASON_SOURCE_FAILED: FailureReason
FAILURE_REASON_SOURCE_NOT_FOUND: FailureReason
FAILURE_REASON_SOURCE_UNAVAILABLE: FailureReason
FAILURE_REASON_SOURCE_TRUNCATED: FailureReason
FAILURE_REASON_SOURCE_NOT_AUDIO: FailureReason
FAILURE_REASON_SOURCE_TOO_LARGE: FailureReason
FAILURE_REASON_SOURCE_REDIRECT_REFUSED: FailureReason
FAILURE_REASON_WORKER_CRASHED: FailureReason
FAILURE_REASON_SOURCE_REFUSED: FailureReason
FAILURE_REASON_ENCRYPTION_KEY_UNKNOWN: FailureReason
FAILURE_REASON_ENCRYPTION_KEY_WRONG: FailureReason
FAILURE_REASON_ENCRYPTION_TAG_MISMATCH: FailureReason
FAILURE_REASON_ENCRYPTION_DETAILS_INVALID: FailureReason
WAITING_REASON_UNSPECIFIED: WaitingReason
WAITING_REASON_RETRY: WaitingReason
WAITING_REASON_RATE_LIMITED: WaitingReason
WAITING_REASON_ACCOUNT_UNAUTHORIZED: WaitingReason
WAITING_REASON_STORAGE_UNAVAILABLE: WaitingReason
RECORDING_JOB_UNSPECIFIED: RecordingJob
RECORDING_JOB_FULL: RecordingJob
RECORDING_JOB_DOWNLOAD_ONLY: RecordingJob
PRIORITY_UNSPECIFIED: Priority
PRIORITY_PLAYBACK: Priority
PRIORITY_NORMAL: Priority
PRIORITY_BULK: Priority

class ProcessingStepStatus(_message.Message):
    __slots__ = ("step", "state", "reason", "message")
    STEP_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    step: ProcessingStep
    state: ProcessingState
    reason: ProcessingReason
    message: str
    def __init__(self, step: _Optional[_Union[ProcessingStep, str]] = ..., state: _Optional[_Union[ProcessingState, str]] = ..., reason: _Optional[_Union[ProcessingReason, str]] = ..., message: _Optional[str] = ...) -> None: ...

class ChannelSound(_message.Message):
    __slots__ = ("loudness_lufs", "peak_dbfs", "silence_share")
    LOUDNESS_LUFS_FIELD_NUMBER: _ClassVar[int]
    PEAK_DBFS_FIELD_NUMBER: _ClassVar[int]
    SILENCE_SHARE_FIELD_NUMBER: _ClassVar[int]
    loudness_lufs: float
    peak_dbfs: float
    silence_share: float
    def __init__(self, loudness_lufs: _Optional[float] = ..., peak_dbfs: _Optional[float] = ..., silence_share: _Optional[float] = ...) -> None: ...

class Probe(_message.Message):
    __slots__ = ("container", "codec", "sample_rate", "channels", "bit_rate", "duration", "channel_sounds", "warnings")
    CONTAINER_FIELD_NUMBER: _ClassVar[int]
    CODEC_FIELD_NUMBER: _ClassVar[int]
    SAMPLE_RATE_FIELD_NUMBER: _ClassVar[int]
    CHANNELS_FIELD_NUMBER: _ClassVar[int]
    BIT_RATE_FIELD_NUMBER: _ClassVar[int]
    DURATION_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_SOUNDS_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    container: str
    codec: str
    sample_rate: int
    channels: int
    bit_rate: int
    duration: _duration_pb2.Duration
    channel_sounds: _containers.RepeatedCompositeFieldContainer[ChannelSound]
    warnings: _containers.RepeatedScalarFieldContainer[ProbeWarning]
    def __init__(self, container: _Optional[str] = ..., codec: _Optional[str] = ..., sample_rate: _Optional[int] = ..., channels: _Optional[int] = ..., bit_rate: _Optional[int] = ..., duration: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ..., channel_sounds: _Optional[_Iterable[_Union[ChannelSound, _Mapping]]] = ..., warnings: _Optional[_Iterable[_Union[ProbeWarning, str]]] = ...) -> None: ...

class Recording(_message.Message):
    __slots__ = ("account_sid", "recording_sid", "call_sid", "conference_sid", "job", "priority", "source", "track", "direction", "channels", "start_time", "duration", "from_number", "to_number", "labels", "source_url", "state", "failure_reason", "failure_message", "waiting_reason", "attempt", "failures", "next_attempt_time", "received_bytes", "size_bytes", "sha256", "etag", "content_type", "stored_channels", "encryption_public_key_sid", "revision", "create_time", "update_time", "ready_time", "delete_time", "processing_state", "processing_steps", "probe", "processing_waiting_reason", "processing_next_attempt_time")
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
    SOURCE_URL_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    FAILURE_REASON_FIELD_NUMBER: _ClassVar[int]
    FAILURE_MESSAGE_FIELD_NUMBER: _ClassVar[int]
    WAITING_REASON_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    FAILURES_FIELD_NUMBER: _ClassVar[int]
    NEXT_ATTEMPT_TIME_FIELD_NUMBER: _ClassVar[int]
    RECEIVED_BYTES_FIELD_NUMBER: _ClassVar[int]
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    CONTENT_TYPE_FIELD_NUMBER: _ClassVar[int]
    STORED_CHANNELS_FIELD_NUMBER: _ClassVar[int]
    ENCRYPTION_PUBLIC_KEY_SID_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    UPDATE_TIME_FIELD_NUMBER: _ClassVar[int]
    READY_TIME_FIELD_NUMBER: _ClassVar[int]
    DELETE_TIME_FIELD_NUMBER: _ClassVar[int]
    PROCESSING_STATE_FIELD_NUMBER: _ClassVar[int]
    PROCESSING_STEPS_FIELD_NUMBER: _ClassVar[int]
    PROBE_FIELD_NUMBER: _ClassVar[int]
    PROCESSING_WAITING_REASON_FIELD_NUMBER: _ClassVar[int]
    PROCESSING_NEXT_ATTEMPT_TIME_FIELD_NUMBER: _ClassVar[int]
    account_sid: str
    recording_sid: str
    call_sid: str
    conference_sid: str
    job: RecordingJob
    priority: Priority
    source: str
    track: str
    direction: str
    channels: int
    start_time: _timestamp_pb2.Timestamp
    duration: _duration_pb2.Duration
    from_number: str
    to_number: str
    labels: _containers.ScalarMap[str, str]
    source_url: str
    state: RecordingState
    failure_reason: FailureReason
    failure_message: str
    waiting_reason: WaitingReason
    attempt: int
    failures: int
    next_attempt_time: _timestamp_pb2.Timestamp
    received_bytes: int
    size_bytes: int
    sha256: str
    etag: str
    content_type: str
    stored_channels: int
    encryption_public_key_sid: str
    revision: int
    create_time: _timestamp_pb2.Timestamp
    update_time: _timestamp_pb2.Timestamp
    ready_time: _timestamp_pb2.Timestamp
    delete_time: _timestamp_pb2.Timestamp
    processing_state: ProcessingState
    processing_steps: _containers.RepeatedCompositeFieldContainer[ProcessingStepStatus]
    probe: Probe
    processing_waiting_reason: WaitingReason
    processing_next_attempt_time: _timestamp_pb2.Timestamp
    def __init__(self, account_sid: _Optional[str] = ..., recording_sid: _Optional[str] = ..., call_sid: _Optional[str] = ..., conference_sid: _Optional[str] = ..., job: _Optional[_Union[RecordingJob, str]] = ..., priority: _Optional[_Union[Priority, str]] = ..., source: _Optional[str] = ..., track: _Optional[str] = ..., direction: _Optional[str] = ..., channels: _Optional[int] = ..., start_time: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., duration: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ..., from_number: _Optional[str] = ..., to_number: _Optional[str] = ..., labels: _Optional[_Mapping[str, str]] = ..., source_url: _Optional[str] = ..., state: _Optional[_Union[RecordingState, str]] = ..., failure_reason: _Optional[_Union[FailureReason, str]] = ..., failure_message: _Optional[str] = ..., waiting_reason: _Optional[_Union[WaitingReason, str]] = ..., attempt: _Optional[int] = ..., failures: _Optional[int] = ..., next_attempt_time: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., received_bytes: _Optional[int] = ..., size_bytes: _Optional[int] = ..., sha256: _Optional[str] = ..., etag: _Optional[str] = ..., content_type: _Optional[str] = ..., stored_channels: _Optional[int] = ..., encryption_public_key_sid: _Optional[str] = ..., revision: _Optional[int] = ..., create_time: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., update_time: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., ready_time: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., delete_time: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., processing_state: _Optional[_Union[ProcessingState, str]] = ..., processing_steps: _Optional[_Iterable[_Union[ProcessingStepStatus, _Mapping]]] = ..., probe: _Optional[_Union[Probe, _Mapping]] = ..., processing_waiting_reason: _Optional[_Union[WaitingReason, str]] = ..., processing_next_attempt_time: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...
