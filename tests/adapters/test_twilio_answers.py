"""What headers mean, for any headers."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recording_service.adapters.twilio_media.answers import (
    announced_length,
    error_of,
)
from recording_service.core.errors import SourceError, SourceUnavailable

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("content_length", "transfer_encoding", "length"),
    [
        (None, None, None),
        ("0", None, 0),
        ("100000000000", None, 100_000_000_000),
        (None, "chunked", None),
        ("5", "Chunked", None),
    ],
)
def test_a_length_is_known_if_it_is_announced(
    content_length: str | None, transfer_encoding: str | None, length: int | None
) -> None:
    assert announced_length(content_length, transfer_encoding) == length


@given(st.text())
def test_what_is_no_number_is_no_length(content_length: str) -> None:
    try:
        length = announced_length(content_length, None)
    except SourceUnavailable:
        return
    assert length is not None
    assert content_length.lstrip("0") == str(length).lstrip("0")


@given(st.integers(min_value=100, max_value=999).filter(lambda status: status != 200), st.booleans())
def test_every_status_is_an_error_that_names_it(status: int, by_account: bool) -> None:
    error = error_of(status, None, NOW, by_account=by_account)

    assert isinstance(error, SourceError)
    assert (str(status) in error.message) or status == 206
