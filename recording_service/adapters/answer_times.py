"""Times in the headers of an answer by HTTP, whoever sent it."""

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

#: A number of seconds in `Retry-After`; longer ones are absurd, not long.
_SECONDS = re.compile(r"[0-9]{1,9}")


def retry_after_seconds(header: str | None, now: datetime) -> float | None:
    """How long `Retry-After` asks to wait from `now`: seconds or an HTTP date (RFC 9110 §10.2.3).

    A date that has passed is 0. What is no such value, negative or absurd (10^9 seconds) is None.
    """
    text = (header or "").strip()
    if _SECONDS.fullmatch(text):
        return float(text)
    date = _date_of(text)
    return None if date is None else max(0.0, (date - now).total_seconds())


def time_of_answer(date: str | None, now: datetime) -> datetime:
    """When an answer was sent, by its sender's clock (`Date`, RFC 9110 §6.6.1); `now` where it does not say.

    What is a date in its other headers is meant by that clock: ours may be wrong.
    """
    return _date_of((date or "").strip()) or now


def _date_of(text: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return date.replace(tzinfo=UTC) if date.tzinfo is None else date
