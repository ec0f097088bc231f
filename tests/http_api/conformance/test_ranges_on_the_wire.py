"""Range fields over every endpoint and size, as the table has them and at random, against Python's slicing."""

import random
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

from tests.http_api.conformance.expectations import Expected, Player, selected
from tests.http_api.conformance.places import Place
from tests.http_api.conformance.range_cases import RANGE_CASES

#: How many random ranges each endpoint and size gets, and from which seed.
RANDOM_RANGES = 100
SEED = 20260303


@contextmanager
def playing(port: int, place: Place) -> Iterator[Callable[..., None]]:
    """Checks one request after the other; AssertionError at the end, with all that were answered wrongly."""
    wrong: list[str] = []
    with closing(Player(port, place)) as player:

        def check(name: str, expected: Expected, *lines: str, method: str = "GET") -> None:
            try:
                player.check(expected, *lines, method=method)
            except AssertionError as error:
                wrong.append(f"{name}: {expected.status} expected of {lines}: {error}"[:500])
                player.reconnect()

        yield check
    assert not wrong, "\n".join(wrong)


def test_every_form_of_a_range_is_answered_by_the_rfc(port: int, place: Place) -> None:
    with playing(port, place) as check:
        for case in RANGE_CASES:
            check(case.name, selected(case.parts(place.size), place.size), *case.lines(place.size))


def test_a_head_ignores_every_range(port: int, place: Place) -> None:
    with playing(port, place) as check:
        for value in ("bytes=0-0", "bytes=-1", "bytes=0-0,2-2", f"bytes={place.size}-", "bytes=1-0", "items=0-0"):
            check("HEAD", Expected(200, 0, place.size), f"Range: {value}", method="HEAD")


def test_random_ranges_are_slices(port: int, place: Place) -> None:
    drawn = random.Random(f"{SEED} {place}")
    with playing(port, place) as check:
        for number in range(RANDOM_RANGES):
            texts, parts = zip(
                *(_random_range(drawn, place.size) for _ in range(drawn.choice((1, 1, 1, 2, 3)))), strict=True
            )
            check(f"random {number}", selected(parts, place.size), f"Range: bytes={','.join(texts)}")


def _random_range(drawn: random.Random, size: int) -> tuple[str, slice]:
    """A range as text and as a slice: anywhere, also past the end, and more often short than long."""
    first = drawn.randrange(size + 3)
    length = 1 + int(size ** drawn.random()) - (1 if size else 0)
    match drawn.randrange(4):
        case 0:
            return f"-{length}", slice(-length, None) if length else slice(0, 0)
        case 1:
            near_the_end = max(0, size - length)
            return f"{near_the_end}-", slice(near_the_end, None)
        case _:
            return f"{first}-{first + length}", slice(first, first + length + 1)
