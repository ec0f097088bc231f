import base64
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recording_service.core.errors import InvalidRequest
from recording_service.core.model import FailureReason, PagePosition, RecordingFilter, RecordingState
from recording_service.core.paging import (
    DEFAULT_PAGE_SIZE,
    MAX_PAGE_SIZE,
    effective_page_size,
    position_of,
    token_after,
)
from recording_service.core.typed_search import word_search
from tests.support.core_world import ACCOUNT, OTHER_ACCOUNT, a_key
from tests.support.recordings import a_recording

TIME = datetime(2026, 3, 4, 5, 6, 7, 891011, UTC)
EVERYTHING = RecordingFilter()
FULL = RecordingFilter(
    states=frozenset({RecordingState.READY, RecordingState.FAILED}),
    failure_reasons=frozenset({FailureReason.SOURCE_ABSENT}),
    account_sids=frozenset({ACCOUNT}),
    call_sids=frozenset({"CA" + "0" * 32}),
    labels={"tenant": "7", "team": "sales"},
    create_time_from=TIME,
    create_time_before=TIME + timedelta(days=1),
    words=word_search('hello "good day" refund*'),
)


def a_token(matching: RecordingFilter = EVERYTHING) -> str:
    key = a_key()
    last = a_recording(account_sid=key.account_sid, recording_sid=key.recording_sid, create_time=TIME)
    return token_after(last, matching)


def encoded(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode()


@pytest.mark.parametrize(
    ("asked", "effective"),
    [(0, DEFAULT_PAGE_SIZE), (1, 1), (MAX_PAGE_SIZE, MAX_PAGE_SIZE), (MAX_PAGE_SIZE + 1, MAX_PAGE_SIZE)],
)
def test_a_page_has_the_size_that_is_asked_for_as_far_as_there_are_so_large_pages(asked: int, effective: int) -> None:
    assert effective_page_size(asked) == effective


def test_a_negative_page_size_is_refused() -> None:
    with pytest.raises(InvalidRequest, match=r"^page_size: "):
        effective_page_size(-1)


def test_no_token_is_the_first_page() -> None:
    assert position_of("", EVERYTHING) is None


@given(st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC)))
def test_a_token_leads_back_to_the_very_recording_it_was_made_of(create_time: datetime) -> None:
    key = a_key(77, OTHER_ACCOUNT)
    last = a_recording(account_sid=key.account_sid, recording_sid=key.recording_sid, create_time=create_time)
    assert position_of(token_after(last, FULL), FULL) == PagePosition(create_time, *key)


@pytest.mark.parametrize(
    "other",
    [
        EVERYTHING,
        replace(FULL, states=frozenset({RecordingState.READY})),
        replace(FULL, failure_reasons=frozenset()),
        replace(FULL, account_sids=frozenset({OTHER_ACCOUNT})),
        replace(FULL, call_sids=frozenset()),
        replace(FULL, labels={"tenant": "8", "team": "sales"}),
        replace(FULL, create_time_from=None),
        replace(FULL, create_time_before=TIME),
        replace(FULL, words=None),
    ],
)
def test_a_token_is_no_good_with_other_filters(other: RecordingFilter) -> None:
    with pytest.raises(InvalidRequest, match=r"^page_token: belongs to other filters"):
        position_of(a_token(FULL), other)


def test_the_order_in_which_filters_are_given_is_of_no_account() -> None:
    same = replace(
        FULL,
        states=frozenset({RecordingState.FAILED, RecordingState.READY}),
        labels={"team": "sales", "tenant": "7"},
    )
    assert position_of(a_token(FULL), same) is not None


@pytest.mark.parametrize(
    "token",
    [
        "x",
        "====",
        "ÄÖ",
        "\ud800",
        a_token()[:-8],
        encoded(None),
        encoded(5),
        encoded([]),
        encoded({}),
        encoded(["", 0, ""]),
        encoded(["", 0, "", "", ""]),
        encoded(["", None, "", ""]),
        encoded(["", "x", "", ""]),
        encoded(["", float("inf"), "", ""]),
        encoded(["", float("nan"), "", ""]),
        encoded(["", 10**30, "", ""]),
        encoded(["", -(10**18), "", ""]),
        base64.urlsafe_b64encode(b"\xff\xfe").decode(),
        base64.urlsafe_b64encode(b"[" * 100_000).decode(),
        base64.urlsafe_b64encode(b'["",' + b"9" * 5000 + b',"",""]').decode(),
    ],
    ids=range(20),
)
def test_what_is_no_token_of_ours_is_an_invalid_request(token: str) -> None:
    with pytest.raises(InvalidRequest, match=r"^page_token: "):
        position_of(token, EVERYTHING)


@given(st.text(max_size=200))
def test_nothing_else_comes_of_nonsense(token: str) -> None:
    if token:
        with pytest.raises(InvalidRequest):
            position_of(token, EVERYTHING)


@pytest.mark.parametrize("sids", [["\ud800", "RE1"], ["AC" + "1" * 32, "RE\x00"], ["", ""], [None, None]])
def test_a_forged_token_names_no_recording_that_there_could_not_be(sids: list[str | None]) -> None:
    fingerprint = json.loads(base64.urlsafe_b64decode(a_token()))[0]
    with pytest.raises(InvalidRequest, match=r"^page_token: "):
        position_of(encoded([fingerprint, 0, *sids]), EVERYTHING)
