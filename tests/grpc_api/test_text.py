"""Text is cut to fit, and is always valid."""

from hypothesis import given
from hypothesis import strategies as st

from recording_service.grpc_api.text import clipped


@given(st.text(st.characters(codec=None)), st.integers(3, 40))
def test_text_is_cut_to_valid_utf8_of_at_most_so_many_bytes(text: str, max_bytes: int) -> None:
    result = clipped(text, max_bytes)

    assert len(result.encode("utf-8")) <= max_bytes


@given(st.text())
def test_text_that_fits_is_left_alone(text: str) -> None:
    assert clipped(text, len(text.encode("utf-8")) + 3) == text


def test_what_was_cut_is_marked() -> None:
    assert clipped("abcdefgh", 6) == "abc…"
