"""Why a recording is not to be had, or not yet, in words for people. The one table of them."""

from collections.abc import Mapping
from typing import Final

from recordings.v1.recording_pb2 import FailureReason, WaitingReason

_FAILURES: Final[Mapping[int, str]] = {
    FailureReason.FAILURE_REASON_SOURCE_ABSENT: "Twilio has no recording of this call: it was too short, or silent.",
    FailureReason.FAILURE_REASON_SOURCE_FAILED: "Twilio could not make the recording.",
    FailureReason.FAILURE_REASON_SOURCE_NOT_FOUND: "Twilio doesn't have the recording, though it was looked for often.",
    FailureReason.FAILURE_REASON_SOURCE_UNAVAILABLE: "Twilio could not be reached, or had errors, for too long.",
    FailureReason.FAILURE_REASON_SOURCE_TRUNCATED: "Twilio sent only a part of the recording each time.",
    FailureReason.FAILURE_REASON_SOURCE_NOT_AUDIO: "What Twilio sent is no audio.",
    FailureReason.FAILURE_REASON_SOURCE_TOO_LARGE: "The recording is larger than this service is configured to keep.",
    FailureReason.FAILURE_REASON_SOURCE_REDIRECT_REFUSED: "Twilio pointed to an address that is not allowed.",
    FailureReason.FAILURE_REASON_WORKER_CRASHED: "Fetching it broke off here each time.",
    FailureReason.FAILURE_REASON_SOURCE_REFUSED: "Twilio refused the request.",
}
_WAITS: Final[Mapping[int, str]] = {
    WaitingReason.WAITING_REASON_RETRY: "The last try failed. It is tried again by itself.",
    WaitingReason.WAITING_REASON_RATE_LIMITED: "Twilio asked us to slow down. It goes on by itself.",
    WaitingReason.WAITING_REASON_ACCOUNT_UNAUTHORIZED: (
        "Twilio refuses this account's credentials. It goes on once they are right."
    ),
    WaitingReason.WAITING_REASON_STORAGE_UNAVAILABLE: (
        "The storage here is full, or failing. It goes on once there is room."
    ),
}


def failure_words(reason: int) -> str:
    """Why it is FAILED. A reason that is not known here (the service is newer) has words as well."""
    return _FAILURES.get(reason, "The recording could not be fetched.")


def waiting_words(reason: int) -> str:
    """Why it is QUEUED and not being fetched yet."""
    return _WAITS.get(reason, "It waits for its turn.")
