"""ranges.py against Python's slicing, and against the rules of reliability.md D1."""

from typing import NamedTuple

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from recording_service.http_api.playback.ranges import (
    MAX_RANGES,
    Part,
    Unsatisfiable,
    Whole,
    known_start,
    parse,
    select,
)

WHITESPACE = st.text(" \t", max_size=2)


class Spec(NamedTuple):
    text: str
    slice: slice


def _closed(first: int, length: int) -> Spec:
    return Spec(f"{first}-{first + length}", slice(first, first + length + 1))


SPECS = st.one_of(
    st.builds(_closed, st.integers(0, 40), st.integers(0, 40)),
    st.integers(0, 40).map(lambda first: Spec(f"{first}-", slice(first, None))),
    st.integers(1, 40).map(lambda suffix: Spec(f"-{suffix}", slice(-suffix, None))),
    st.just(Spec("-0", slice(0, 0))),
    # Larger than any integer of a machine, and with leading zeros.
    st.just(Spec("00007-" + "9" * 200, slice(7, None))),
    st.just(Spec("-" + "9" * 5000, slice(0, None))),
    st.just(Spec("9" * 5000 + "-", slice(10**9, None))),
)


@st.composite
def headers(draw: st.DrawFn) -> tuple[str, list[slice]]:
    specs = draw(st.lists(SPECS, min_size=1, max_size=5))
    elements = [draw(WHITESPACE) + spec.text + draw(WHITESPACE) for spec in specs]
    for position in draw(st.lists(st.integers(0, len(elements)), max_size=3)):
        elements.insert(position, draw(WHITESPACE))
    unit = draw(st.sampled_from(["bytes", "Bytes", "BYTES"]))
    return f"{unit}={','.join(elements)}", [spec.slice for spec in specs]


@given(headers(), st.integers(1, 64))
def test_a_range_selects_what_slicing_selects(header: tuple[str, list[slice]], size: int) -> None:
    text, slices = header
    everything = range(size)
    wanted = sorted({index for part in slices for index in everything[part]})
    expected: Part | Whole | Unsatisfiable
    if not wanted:
        expected = Unsatisfiable()
    elif wanted == list(range(wanted[0], wanted[-1] + 1)):
        expected = Part(wanted[0], wanted[-1] + 1)
    else:
        expected = Whole()
    assert select(text, size) == expected


@given(headers(), st.integers(1, 64))
def test_a_stream_opened_unseen_brings_exactly_the_selection(header: tuple[str, list[slice]], size: int) -> None:
    text, _ = header
    guess = known_start(text)
    if guess is None:
        return
    offset, length = guess
    if offset >= size:
        # OUT_OF_RANGE, or OK and empty at the very end.
        assert select(text, size) == Unsatisfiable()
        return
    end = size if length is None else min(offset + length, size)
    assert select(text, size) == Part(offset, end)


@given(st.text(max_size=60) | st.text("bytes=0123456789-, \t", max_size=60), st.integers(0, 100))
@example("bytes=" + "-" * 50, 3)
def test_no_text_makes_it_raise_or_step_outside(text: str, size: int) -> None:
    selection = select(text, size)
    if isinstance(selection, Part):
        assert 0 <= selection.start < selection.end <= size
    guess = known_start(text)
    assert guess is None or (0 <= guess[0] < 2**63 and (guess[1] is None or 0 < guess[1] < 2**63))


@pytest.mark.parametrize(
    "header",
    [
        "items=0-1",
        "bytes",
        "bytes=",
        "bytes=,",
        "bytes= , ,",
        "bytes=-",
        "bytes=a-b",
        "bytes=0",
        "bytes=0-1-2",
        "bytes=1-0",
        "bytes=0-1,x",
        "bytes=0-1,5-4",
        "bytes=+0-1",
        "bytes=0x0-1",
        "bytes=0 - 1",
        "bytes=\u0660-\u0661",
        "bytes 0-1",
        "bytes:0-1",
        "",
    ],
)
def test_unknown_units_and_malformed_ranges_are_ignored(header: str) -> None:
    assert parse(header) is None
    assert select(header, 10) == Whole()
    assert known_start(header) == (0, None)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("bytes=0-1", Part(0, 2)),
        ("bytes=0-", Part(0, 10)),
        ("bytes=0-9", Part(0, 10)),
        ("bytes=0-10", Part(0, 10)),
        ("bytes=9-", Part(9, 10)),
        ("bytes=10-", Unsatisfiable()),
        ("bytes=-0", Unsatisfiable()),
        ("bytes=-3", Part(7, 10)),
        ("bytes=-11", Part(0, 10)),
        ("bytes=10-,-0", Unsatisfiable()),
        ("bytes=10-,0-0", Part(0, 1)),
        ("bytes=0-1,2-3", Part(0, 4)),
        ("bytes=4-5,0-4", Part(0, 6)),
        ("bytes=0-1,3-4", Whole()),
        ("bytes=0-0,-1", Whole()),
    ],
)
def test_the_table_of_single_and_several_ranges(header: str, expected: Part | Whole | Unsatisfiable) -> None:
    assert select(header, 10) == expected


def test_no_more_than_sixteen_ranges_are_looked_at() -> None:
    assert select("bytes=" + ",".join(["0-1"] * MAX_RANGES), 10) == Part(0, 2)
    assert select("bytes=" + ",".join(["0-1"] * (MAX_RANGES + 1)), 10) == Whole()


def test_nothing_can_be_had_in_parts_of_no_bytes() -> None:
    assert select("bytes=0-", 0) == Whole()
    assert select("bytes=-1", 0) == Whole()


@pytest.mark.parametrize("header", ["bytes=-1", "bytes=0-1,3-4", "bytes=0-,1-"])
def test_a_suffix_and_several_ranges_need_the_size_first(header: str) -> None:
    assert known_start(header) is None


def test_an_offset_beyond_the_contract_is_never_sent() -> None:
    assert known_start(f"bytes={2**63}-") is None
    assert known_start(f"bytes={2**63 - 1}-") == (2**63 - 1, None)
    assert known_start(f"bytes=0-{2**70}") == (0, 2**63 - 1)
