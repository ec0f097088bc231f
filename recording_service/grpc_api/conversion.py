"""The model as messages of the contract. On the hot path: fields are set one by one, and only those that are known."""

from recording_service.core.events import Event
from recording_service.core.model import IN_FLIGHT, CallDetails, EnqueueReason, Recording, RecordingJob
from recording_service.grpc_api.enums import (
    ENQUEUE_REASON_NUMBERS,
    EVENT_TYPE_NUMBERS,
    FAILURE_REASON_NUMBERS,
    JOB_NUMBERS,
    PRIORITY_NUMBERS,
    STATE_NUMBERS,
    WAITING_REASON_NUMBERS,
)
from recording_service.grpc_api.processing import fill_processing
from recording_service.grpc_api.times import set_duration, set_timestamp
from recordings.v1 import enqueue_pb2, event_pb2, recording_pb2

#: Most bytes of a response: clients refuse messages of more than 4 MiB unless they are told otherwise.
MAX_RESPONSE_BYTES = 4 * 1024 * 1024 - 64 * 1024
#: Most bytes of a failed enqueue's response: it travels in the details of a status (`status.MAX_STATUS_BYTES`).
MAX_FAILED_ENQUEUE_BYTES = 2048

#: Fields whose length callers and Twilio choose.
_LONG_FIELDS = (
    "labels",
    "source_url",
    "source",
    "track",
    "direction",
    "from_number",
    "to_number",
    "failure_message",
    "processing_steps",
    "probe",
    "encryption_public_key_sid",
)


def enqueue_response(reason: EnqueueReason, recording: Recording | None) -> enqueue_pb2.EnqueueRecordingResponse:
    """The answer to an enqueue."""
    response = enqueue_pb2.EnqueueRecordingResponse()
    response.reason = ENQUEUE_REASON_NUMBERS[reason]
    if recording is not None:
        fill_recording(response.recording, recording)
    return response


def failed_enqueue_response(recording: Recording | None) -> enqueue_pb2.EnqueueRecordingResponse:
    """The answer to an enqueue that failed, short enough for the details of a status."""
    response = enqueue_response(EnqueueReason.ERROR, recording)
    if response.ByteSize() > MAX_FAILED_ENQUEUE_BYTES:
        keep_essentials(response.recording)
    return response


def keep_essentials(message: recording_pb2.Recording) -> None:
    """Leaves out what may be long: identity, state and counters stay, in about 600 bytes."""
    for field in _LONG_FIELDS:
        message.ClearField(field)


def recording_message(recording: Recording) -> recording_pb2.Recording:
    """One recording."""
    message = recording_pb2.Recording()
    fill_recording(message, recording)
    return message


def fill_recording(message: recording_pb2.Recording, recording: Recording) -> None:
    """Writes a recording into an empty message: filling one in place saves a copy."""
    message.account_sid = recording.account_sid
    message.recording_sid = recording.recording_sid
    message.job = JOB_NUMBERS[recording.job]
    message.priority = PRIORITY_NUMBERS[recording.priority]
    message.state = STATE_NUMBERS[recording.state]
    message.attempt = recording.attempt
    message.revision = recording.revision
    set_timestamp(message.create_time, recording.create_time)
    set_timestamp(message.update_time, recording.update_time)
    set_timestamp(message.next_attempt_time, recording.next_attempt_time)
    _fill_call(message, recording.call)
    if recording.failure_reason is not None:
        message.failure_reason = FAILURE_REASON_NUMBERS[recording.failure_reason]
    if recording.failure_message:
        message.failure_message = recording.failure_message
    if recording.waiting_reason is not None:
        message.waiting_reason = WAITING_REASON_NUMBERS[recording.waiting_reason]
    if recording.failures:
        message.failures = recording.failures
    if recording.received_bytes:
        message.received_bytes = recording.received_bytes
    if recording.size_bytes is not None:
        message.size_bytes = recording.size_bytes
    if recording.sha256:
        message.sha256 = recording.sha256
        message.etag = recording.etag
    if recording.content_type:
        message.content_type = recording.content_type
    if recording.stored_channels:
        message.stored_channels = recording.stored_channels
    if recording.encryption_details is not None:
        message.encryption_public_key_sid = recording.encryption_details.public_key_sid
    if recording.ready_time is not None:
        set_timestamp(message.ready_time, recording.ready_time)
    if recording.delete_time is not None:
        set_timestamp(message.delete_time, recording.delete_time)
    if recording.processing.state is not None:
        fill_processing(message, recording)
    elif recording.job is RecordingJob.FULL and recording.state in IN_FLIGHT:
        message.processing_state = recording_pb2.PROCESSING_STATE_PENDING


def fill_event(message: event_pb2.Event, event: Event) -> None:
    """Fills a message with an event of the feed."""
    message.revision = event.revision
    message.type = EVENT_TYPE_NUMBERS[event.type]
    message.event_id = event.event_id
    message.recording_revision = event.recording_revision
    set_timestamp(message.event_time, event.event_time)


def _fill_call(message: recording_pb2.Recording, call: CallDetails) -> None:
    if call.call_sid:
        message.call_sid = call.call_sid
    if call.conference_sid:
        message.conference_sid = call.conference_sid
    if call.source_url:
        message.source_url = call.source_url
    if call.source:
        message.source = call.source
    if call.track:
        message.track = call.track
    if call.direction:
        message.direction = call.direction
    if call.channels:
        message.channels = call.channels
    if call.start_time is not None:
        set_timestamp(message.start_time, call.start_time)
    if call.duration is not None:
        set_duration(message.duration, call.duration)
    if call.from_number:
        message.from_number = call.from_number
    if call.to_number:
        message.to_number = call.to_number
    if call.labels:
        labels = message.labels
        for key, value in call.labels.items():
            labels[key] = value
