"""http_dates.py against RFC 9110 §5.6.7."""

import time
from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recording_service.http_api.playback.http_dates import parse_http_date

MOMENT = 1772532000


@pytest.mark.parametrize(
    "text",
    [
        "Tue, 03 Mar 2026 10:00:00 GMT",
        "Tuesday, 03-Mar-26 10:00:00 GMT",
        "Tue Mar  3 10:00:00 2026",
        " \tTue, 03 Mar 2026 10:00:00 GMT ",
        "Mon, 03 Mar 2026 10:00:00 GMT",
    ],
)
def test_each_of_the_three_forms_is_read(text: str) -> None:
    assert parse_http_date(text) == MOMENT


@given(st.integers(0, 253_402_300_799))
def test_every_date_that_is_written_is_read_again(moment: int) -> None:
    assert parse_http_date(formatdate(moment, usegmt=True)) == moment


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0",
        "-1",
        str(MOMENT),
        "yesterday",
        "2026-03-03T10:00:00Z",
        "Tue, 03 Mar 2026 10:00:00",
        "Tue, 03 Mar 2026 10:00:00 UTC",
        "Tue, 03 Mar 2026 10:00:00 +0000",
        "Tue, 03 Mar 2026 11:00:00 CET",
        "tue, 03 mar 2026 10:00:00 gmt",
        "Tue, 3 Mar 2026 10:00:00 GMT",
        "Tue,  03 Mar 2026 10:00:00 GMT",
        "03 Mar 2026 10:00:00 GMT",
        "Tue, 03 Mar 26 10:00:00 GMT",
        "Tuesday, 03-Mar-2026 10:00:00 GMT",
        "Tue Mar 3 10:00:00 2026",
        "Tue, 31 Feb 2026 10:00:00 GMT",
        "Tue, 03 Mar 2026 24:00:00 GMT",
        "Tue, 03 Mar 2026 10:60:00 GMT",
        "Tue, 03 Mar 2026 10:00:61 GMT",
        "Tue, 03 Mar 0000 10:00:00 GMT",
        "Tue, \u0660\u0663 Mar 2026 10:00:00 GMT",
        "Tue, 03 Mar 2026 10:00:00 GMT, Tue, 03 Mar 2026 10:00:00 GMT",
        '"Tue, 03 Mar 2026 10:00:00 GMT"',
    ],
)
def test_nothing_else_is_a_date(text: str) -> None:
    assert parse_http_date(text) is None


def test_a_leap_second_is_a_date() -> None:
    assert parse_http_date("Sat, 31 Dec 2016 23:59:60 GMT") == 1483228799


@pytest.mark.parametrize(("years_ahead", "is_past"), [(0, False), (1, False), (49, False), (51, True), (99, True)])
def test_a_year_of_two_digits_is_at_most_fifty_years_ahead(years_ahead: int, is_past: bool) -> None:
    year = time.gmtime().tm_year + years_ahead
    read = parse_http_date(f"Friday, 01-May-{year % 100:02} 00:00:00 GMT")
    assert read is not None
    assert time.gmtime(read).tm_year == (year - 100 if is_past else year)


@given(st.text(max_size=40) | st.text("MonTueJan, 0123456789-:GMT", max_size=40))
def test_no_text_makes_it_raise(text: str) -> None:
    moment = parse_http_date(text)
    assert moment is None or isinstance(moment, int)
