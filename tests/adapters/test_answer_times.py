"""When an answer was sent and how long it asks to wait, for any header."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recording_service.adapters.answer_times import retry_after_seconds, time_of_answer

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("", None),
        ("0", 0.0),
        ("120", 120.0),
        (" 120 ", 120.0),
        ("999999999", 999999999.0),
        ("9999999999", None),
        ("9" * 5000, None),
        ("-1", None),
        ("+1", None),
        ("1.5", None),
        ("1e3", None),
        ("1_000", None),
        ("\u0661\u0662", None),
        ("soon", None),
        ("120, 240", None),
        ("Sun, 01 Mar 2026 12:01:30 GMT", 90.0),
        ("Sunday, 01-Mar-26 12:01:30 GMT", 90.0),
        ("Sun Mar  1 12:01:30 2026", 90.0),
        ("Sun, 01 Mar 2026 12:01:30 -0000", 90.0),
        ("Sun, 01 Mar 2026 14:01:30 +0200", 90.0),
        ("Sun, 01 Mar 2026 11:59:00 GMT", 0.0),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0.0),
        ("Sun, 99 Mar 2026 12:01:30 GMT", None),
        ("Sun, 01 Mar 99999 12:01:30 GMT", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(header: str | None, seconds: float | None) -> None:
    assert retry_after_seconds(header, NOW) == seconds


@given(st.text() | st.from_regex(r"[A-Z][a-z]{2}, \d+ [A-Z][a-z]{2} \d+ \d+:\d+:\d+ ([A-Z]{3}|[+-]\d+)"))
def test_retry_after_is_never_negative_and_never_an_exception(header: str) -> None:
    seconds = retry_after_seconds(header, NOW)

    assert seconds is None or seconds >= 0


@given(st.datetimes(min_value=datetime(1970, 1, 1), max_value=datetime(9000, 1, 1)))
def test_a_date_is_as_far_away_as_it_is(date: datetime) -> None:
    whole = date.replace(microsecond=0, tzinfo=UTC)

    assert retry_after_seconds(format_datetime(whole, usegmt=True), NOW) == max(
        0.0, (whole - NOW) / timedelta(seconds=1)
    )


@pytest.mark.parametrize(
    ("header", "time"),
    [
        (None, NOW),
        ("", NOW),
        ("today", NOW),
        ("Sun, 99 Mar 2026 12:01:30 GMT", NOW),
        ("Sun, 01 Mar 2026 14:01:30 GMT", datetime(2026, 3, 1, 14, 1, 30, tzinfo=UTC)),
        ("Sun, 01 Mar 2026 14:01:30 -0000", datetime(2026, 3, 1, 14, 1, 30, tzinfo=UTC)),
    ],
)
def test_an_answer_was_sent_when_it_says_or_now(header: str | None, time: datetime) -> None:
    assert time_of_answer(header, NOW) == time


@given(st.text())
def test_when_an_answer_was_sent_is_never_an_exception(header: str) -> None:
    assert time_of_answer(header, NOW).tzinfo is not None
