"""What an answer of Twilio's means that is not a recording: pure functions of its status and headers (twilio.md A4)."""

import re
from datetime import datetime

from recording_service.adapters.answer_times import retry_after_seconds
from recording_service.core.errors import (
    SourceError,
    SourceGone,
    SourceNotFound,
    SourceRateLimited,
    SourceRefused,
    SourceTruncated,
    SourceUnauthorized,
    SourceUnavailable,
)

#: A body's length in `Content-Length`: one number, in digits.
_LENGTH = re.compile(r"[0-9]{1,18}")

#: 4xx that say "again", not "never": a timeout, a misdirected and an early request (RFC 9110 §15.5, RFC 8470 §5.2).
PASSING_REFUSALS = frozenset({408, 421, 425})


def error_of(status: int, retry_after: str | None, now: datetime, *, by_account: bool) -> SourceError:
    """The error that an answer other than 200 stands for.

    `by_account` says that it was asked for with the account's credentials. Where it was not, at the end of a redirect,
    401 and 403 say that the link is stale, and nothing of the account.
    """
    if status == 206:
        return SourceTruncated("Twilio sent a part of the recording, though all of it was asked for")
    if status in (401, 403) and by_account:
        return SourceUnauthorized(f"Twilio refused the account's credentials ({status})")
    if status == 404:
        return SourceNotFound("Twilio has no such recording (404)")
    if status == 410:
        return SourceGone("Twilio does not have the recording any more (410)")
    if status == 429:
        return SourceRateLimited("Twilio asked for fewer requests (429)", retry_after_seconds(retry_after, now))
    if 400 <= status < 500 and status not in PASSING_REFUSALS | {401, 403}:
        return SourceRefused(f"Twilio refused the request ({status})")
    return SourceUnavailable(f"Twilio did not send the recording ({status})", retry_after_seconds(retry_after, now))


def announced_length(content_length: str | None, transfer_encoding: str | None) -> int | None:
    """The body's length, if it is announced. SourceUnavailable if it makes no sense.

    With chunks it is not: they have lengths of their own, and win (RFC 9112 §6.3).
    """
    if transfer_encoding is not None:
        # http.client and urllib3 disagree on any other list of codings that ends in "chunked".
        if transfer_encoding.strip().lower() != "chunked":
            raise SourceUnavailable("Twilio sent the recording in an encoding that was not asked for")
        return None
    if content_length is None:
        return None
    if not _LENGTH.fullmatch(content_length):
        raise SourceUnavailable("Twilio announced a length that is no number")
    return int(content_length)
