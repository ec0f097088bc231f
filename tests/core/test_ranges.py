import pytest
from hypothesis import given
from hypothesis import strategies as st

from recording_service.core.errors import InvalidRequest, OffsetPastEnd
from recording_service.core.ranges import ByteRange, check_range, resolve_range

SIZES = st.integers(min_value=0, max_value=2**40)
ANY = st.integers(min_value=0, max_value=2**63 - 1)


@pytest.mark.parametrize(
    ("offset", "length", "size", "expected"),
    [
        (0, 0, 10, (0, 10)),
        (3, 0, 10, (3, 10)),
        (3, 4, 10, (3, 7)),
        (3, 7, 10, (3, 10)),
        (3, 8, 10, (3, 10)),
        (10, 0, 10, (10, 10)),
        (10, 5, 10, (10, 10)),
        (0, 0, 0, (0, 0)),
        (0, 2**63 - 1, 10, (0, 10)),
    ],
)
def test_offset_and_length_stand_for_these_bytes(
    offset: int, length: int, size: int, expected: tuple[int, int]
) -> None:
    assert resolve_range(offset, length, size) == ByteRange(*expected, complete_length=size)


@given(size=st.integers(0, 60), offset=st.integers(0, 60), length=st.integers(0, 60))
def test_a_range_is_what_slicing_gives(size: int, offset: int, length: int) -> None:
    content = bytes(range(size))
    if offset > size:
        with pytest.raises(OffsetPastEnd):
            resolve_range(offset, length, size)
        return
    resolved = resolve_range(offset, length, size)
    expected = content[offset:] if length == 0 else content[offset : offset + length]
    assert content[resolved.start : resolved.end] == expected
    assert resolved.end - resolved.start == len(expected)


@given(size=SIZES, beyond=st.integers(min_value=1, max_value=2**62), length=ANY)
def test_an_offset_past_the_end_is_refused_with_the_size(size: int, beyond: int, length: int) -> None:
    with pytest.raises(OffsetPastEnd) as refused:
        resolve_range(size + beyond, length, size)
    assert (refused.value.offset, refused.value.size_bytes) == (size + beyond, size)


@pytest.mark.parametrize(
    ("offset", "length", "fields"), [(-1, 0, ["offset"]), (0, -1, ["length"]), (-5, -7, ["offset", "length"])]
)
def test_every_negative_number_is_named(offset: int, length: int, fields: list[str]) -> None:
    for refuse in (lambda: check_range(offset, length), lambda: resolve_range(offset, length, 10)):
        with pytest.raises(InvalidRequest) as refused:
            refuse()
        assert [violation.field for violation in refused.value.violations] == fields


def test_a_negative_offset_is_invalid_and_not_past_the_end_whatever_the_size() -> None:
    with pytest.raises(InvalidRequest):
        resolve_range(-1, 0, 0)
