"""What an answer means that is no transcript: pure functions of its status and headers."""

from datetime import datetime

from recording_service.adapters.answer_times import retry_after_seconds
from recording_service.core.errors import (
    TranscriptionAnswerInvalid,
    TranscriptionError,
    TranscriptionKeyRejected,
    TranscriptionRateLimited,
    TranscriptionRefused,
    TranscriptionUnavailable,
)

#: 4xx that say "again", not "never": a timeout, a misdirected and an early request (RFC 9110 §15.5, RFC 8470 §5.2).
PASSING_REFUSALS = frozenset({408, 421, 425})

#: What had better be looked at, for refusals that have one usual cause.
_CAUSES = {
    404: "no such model, or no such address: check the model and the URL",
    405: "check the URL",
    413: "the clip is too large for it",
    415: "it takes no WAV",
}


def error_of(status: int, retry_after: str | None, now: datetime) -> TranscriptionError:
    """The error that an answer other than 200 stands for. `now` is the time by the clock of whoever sent it."""
    seconds = retry_after_seconds(retry_after, now)
    if status == 429 or (status == 503 and seconds is not None):
        return TranscriptionRateLimited(seconds)
    if status in (401, 403):
        return TranscriptionKeyRejected(status)
    if 300 <= status < 400:
        return TranscriptionRefused(
            f"the transcription server redirected elsewhere ({status}), which is not followed: check the URL", status
        )
    if 400 <= status < 500 and status not in PASSING_REFUSALS:
        cause = _CAUSES.get(status, "check the model, the language and the URL")
        return TranscriptionRefused(f"the transcription server refused the clip ({status}): {cause}", status)
    if 200 <= status < 300:
        return TranscriptionAnswerInvalid(f"the transcription server sent no transcript ({status})")
    return TranscriptionUnavailable(f"the transcription server failed ({status})")
