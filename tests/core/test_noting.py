"""Telling the catalogue of an end until it answers."""

import time
from collections.abc import Callable

import pytest

from recording_service.core.errors import CatalogueUnavailable, StorageUnavailable
from recording_service.core.noting import USUAL_NOTING, Noting


def failing(times: int, error: Exception) -> tuple[Callable[[], str], list[int]]:
    """What fails so many times, and then answers; and how often it was called."""
    calls: list[int] = []

    def tell() -> str:
        calls.append(1)
        if len(calls) <= times:
            raise error
        return "noted"

    return tell, calls


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses that were made: none takes any time."""
    made: list[float] = []
    monkeypatch.setattr(time, "sleep", made.append)
    return made


@pytest.mark.parametrize("failures", range(5))
def test_an_end_is_told_until_the_catalogue_answers(pauses: list[float], failures: int) -> None:
    tell, calls = failing(failures, CatalogueUnavailable())
    assert Noting(tries=5, pause_seconds=0.5).note(tell) == "noted"
    assert (len(calls), pauses) == (failures + 1, [0.5] * failures)


@pytest.mark.parametrize("tries", [1, 2, 5])
def test_a_catalogue_that_never_answers_is_told_so_often_and_no_more(pauses: list[float], tries: int) -> None:
    tell, calls = failing(100, CatalogueUnavailable())
    with pytest.raises(CatalogueUnavailable):
        Noting(tries=tries, pause_seconds=0.5).note(tell)
    assert (len(calls), pauses) == (tries, [0.5] * (tries - 1))


@pytest.mark.parametrize("error", [RuntimeError("a bug"), StorageUnavailable()])
def test_what_says_nothing_of_the_catalogue_is_raised_at_once(pauses: list[float], error: Exception) -> None:
    tell, calls = failing(1, error)
    with pytest.raises(type(error)):
        Noting(tries=5).note(tell)
    assert (len(calls), pauses) == (1, [])


def test_usually_it_is_tried_for_about_half_a_minute_beside_what_the_catalogue_takes() -> None:
    assert 20.0 <= (USUAL_NOTING.tries - 1) * USUAL_NOTING.pause_seconds <= 60.0
