"""Dates as HTTP writes them: the three forms of RFC 9110 §5.6.7, and nothing else.

Not `email.utils`: it reads whatever resembles a date, also the first of two that were joined to a list.
"""

import re
import time
from datetime import UTC, datetime
from typing import Final

_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MONTH: Final = f"(?P<month>{'|'.join(_MONTHS)})"
_DAY: Final = "(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)"
_LONG_DAY: Final = "(?:Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday)"
_TIME: Final = "(?P<hour>[0-9]{2}):(?P<minute>[0-9]{2}):(?P<second>[0-9]{2})"
_FORMS: Final = tuple(
    re.compile(form)
    for form in (
        # IMF-fixdate, the one that is written; RFC 850's; and that of asctime().
        f"{_DAY}, (?P<day>[0-9]{{2}}) {_MONTH} (?P<year>[0-9]{{4}}) {_TIME} GMT",
        f"{_LONG_DAY}, (?P<day>[0-9]{{2}})-{_MONTH}-(?P<year>[0-9]{{2}}) {_TIME} GMT",
        f"{_DAY} {_MONTH} (?P<day>[0-9]{{2}}| [0-9]) {_TIME} (?P<year>[0-9]{{4}})",
    )
)
#: A year of two digits that seems to be further in the future than this is one of the past.
_LONGEST_FUTURE_YEARS: Final = 50
_LEAP_SECOND: Final = 60


def parse_http_date(text: str) -> int | None:
    """Seconds since the epoch; `None` for anything that is no date of HTTP's. Day names are not checked."""
    match = next((match for form in _FORMS if (match := form.fullmatch(text.strip(" \t")))), None)
    if match is None:
        return None
    second = int(match["second"])
    try:
        moment = datetime(
            year=_full_year(match["year"]),
            month=_MONTHS.index(match["month"]) + 1,
            day=int(match["day"]),
            hour=int(match["hour"]),
            minute=int(match["minute"]),
            second=second - 1 if second == _LEAP_SECOND else second,
            tzinfo=UTC,
        )
    except ValueError:
        return None
    return int(moment.timestamp())


def _full_year(digits: str) -> int:
    if len(digits) == len("2026"):
        return int(digits)
    this_year = time.gmtime().tm_year
    year = this_year - this_year % 100 + int(digits)
    return year if year <= this_year + _LONGEST_FUTURE_YEARS else year - 100
