"""What the matter is with a recording, in words for whoever wants to listen: the one table, for pages of any kind.

They name no account's settings and nobody's fault: what an operator needs is in the log and the metrics.
"""

from collections.abc import Mapping
from typing import Final, Protocol

from recordings.v1.recording_pb2 import (
    FailureReason,
    ProbeWarning,
    ProcessingReason,
    ProcessingStepStatus,
    Recording,
    RecordingState,
    WaitingReason,
)

STATE_WORDS: Final[Mapping[int, str]] = {
    RecordingState.RECORDING_STATE_QUEUED: "The recording is about to be fetched.",
    RecordingState.RECORDING_STATE_DOWNLOADING: "The recording is being fetched.",
    RecordingState.RECORDING_STATE_READY: "The recording is ready to be played.",
    RecordingState.RECORDING_STATE_FAILED: "The recording can't be had.",
    RecordingState.RECORDING_STATE_DELETED: "The recording was deleted.",
}
FAILURE_WORDS: Final[Mapping[int, str]] = {
    FailureReason.FAILURE_REASON_SOURCE_ABSENT: "There is no recording: the call was too short or silent.",
    FailureReason.FAILURE_REASON_SOURCE_FAILED: "Twilio could not make the recording.",
    FailureReason.FAILURE_REASON_SOURCE_NOT_FOUND: "Twilio has no such recording, or not any more.",
    FailureReason.FAILURE_REASON_SOURCE_UNAVAILABLE: "Twilio did not give the recording, however often it was asked.",
    FailureReason.FAILURE_REASON_SOURCE_TRUNCATED: "The recording broke off each time it was fetched.",
    FailureReason.FAILURE_REASON_SOURCE_NOT_AUDIO: "What Twilio sent is not a sound recording.",
    FailureReason.FAILURE_REASON_SOURCE_TOO_LARGE: "The recording is larger than this service keeps.",
    FailureReason.FAILURE_REASON_SOURCE_REDIRECT_REFUSED: (
        "Twilio pointed to a place that this service does not fetch from."
    ),
    FailureReason.FAILURE_REASON_WORKER_CRASHED: "Fetching the recording failed here, each time it was tried.",
    FailureReason.FAILURE_REASON_SOURCE_REFUSED: "Twilio refused to give the recording.",
    FailureReason.FAILURE_REASON_ENCRYPTION_KEY_UNKNOWN: (
        "The recording is encrypted, and this service does not have the key for it."
    ),
    FailureReason.FAILURE_REASON_ENCRYPTION_KEY_WRONG: (
        "The recording is encrypted, and the key that this service has is not the one for it."
    ),
    FailureReason.FAILURE_REASON_ENCRYPTION_TAG_MISMATCH: (
        "The recording is encrypted, and came damaged each time it was fetched."
    ),
    FailureReason.FAILURE_REASON_ENCRYPTION_DETAILS_INVALID: (
        "The recording is encrypted in a way that this service does not understand."
    ),
}
WAITING_WORDS: Final[Mapping[int, str]] = {
    WaitingReason.WAITING_REASON_RETRY: "Fetching the recording did not work yet; it is tried again.",
    WaitingReason.WAITING_REASON_RATE_LIMITED: "Twilio asked for patience; the recording is fetched a little later.",
    WaitingReason.WAITING_REASON_ACCOUNT_UNAUTHORIZED: (
        "Twilio does not let this service in; the recording is fetched as soon as it does."
    ),
    WaitingReason.WAITING_REASON_STORAGE_UNAVAILABLE: (
        "There is no room for the recording at the moment; it is fetched as soon as there is."
    ),
}
#: Why a step after the download has no result.
PROCESSING_WORDS: Final[Mapping[int, str]] = {
    ProcessingReason.PROCESSING_REASON_MEDIA_EMPTY: "There is no sound in the recording.",
    ProcessingReason.PROCESSING_REASON_MEDIA_NOT_AUDIO: "The recording is not of a kind that can be read here.",
    ProcessingReason.PROCESSING_REASON_MEDIA_TRUNCATED: "The recording ends before its sound does.",
    ProcessingReason.PROCESSING_REASON_MEDIA_BROKEN: "The recording is damaged and can't be read to its end.",
    ProcessingReason.PROCESSING_REASON_WORKER_CRASHED: "It failed here, each time it was tried.",
    ProcessingReason.PROCESSING_REASON_TRANSCRIPTION_UNAVAILABLE: (
        "The transcription service did not answer, or not in time, however often it was asked."
    ),
    ProcessingReason.PROCESSING_REASON_TRANSCRIPTION_KEY_REJECTED: (
        "The transcription service does not let this service in."
    ),
    ProcessingReason.PROCESSING_REASON_TRANSCRIPTION_REFUSED: "The transcription service refused the recording.",
    ProcessingReason.PROCESSING_REASON_TRANSCRIPTION_ANSWER_INVALID: (
        "What the transcription service sent is no transcript."
    ),
    ProcessingReason.PROCESSING_REASON_TRANSCRIPTION_WRONG_LANGUAGE: (
        "The transcription service heard another language than the one that is expected."
    ),
    ProcessingReason.PROCESSING_REASON_NOT_CONFIGURED: "This service is not set up to do it.",
    ProcessingReason.PROCESSING_REASON_PROBE_FAILED: "The recording could not be read.",
}
PROBE_WARNING_WORDS: Final[Mapping[int, str]] = {
    ProbeWarning.PROBE_WARNING_DURATION_MISMATCH: "It is longer or shorter than Twilio said.",
    ProbeWarning.PROBE_WARNING_CHANNELS_MISMATCH: "It has more channels than Twilio said.",
    ProbeWarning.PROBE_WARNING_CHANNEL_SILENT: "On one of its channels nothing is to be heard.",
}

#: Of what the service says and this version does not know yet.
_UNKNOWN: Final = "The recording is not ready to be played."


def in_words(recording: Recording) -> str:
    """What the matter is with the recording, in a sentence."""
    if recording.state == RecordingState.RECORDING_STATE_FAILED and recording.failure_reason in FAILURE_WORDS:
        return FAILURE_WORDS[recording.failure_reason]
    if recording.state == RecordingState.RECORDING_STATE_QUEUED and recording.waiting_reason in WAITING_WORDS:
        return WAITING_WORDS[recording.waiting_reason]
    return STATE_WORDS.get(recording.state, _UNKNOWN)


def step_in_words(status: ProcessingStepStatus) -> str:
    """Why a step has no result, in a sentence; empty where it has one, or nobody can say."""
    return PROCESSING_WORDS.get(status.reason, "")


class Enum(Protocol):
    """One of protobuf's enums."""

    def Name(self, number: int) -> str:  # noqa: N802 - protobuf's name
        """The value's name; ValueError if there is none."""


def enum_name(enum: Enum, prefix: str, number: int) -> str:
    """A value's name without its prefix, as ErrorInfo has it; its number where the service is newer than this."""
    try:
        return enum.Name(number).removeprefix(prefix)
    except ValueError:
        return str(number)
