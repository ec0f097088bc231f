"""A whole read is compared with the recording's SHA-256, however it comes in pieces (g of clients/README.md)."""

import hashlib
import itertools
import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recordings._checksum import Checksum, hashing_threads
from recordings._reading import Opening
from recordings.errors import ChecksumMismatch
from recordings.v1.recording_pb2 import Recording

#: More than is hashed at once, several times over.
CONTENT = random.Random(7).randbytes(3 * 1024 * 1024 + 5)
OPENING = Opening(Recording(sha256=hashlib.sha256(CONTENT).hexdigest()), 0, len(CONTENT), len(CONTENT))


@pytest.fixture(scope="module")
def threads() -> Iterator[ThreadPoolExecutor]:
    with hashing_threads() as executor:
        yield executor


def take(checksum: Checksum, begin: int, end: int, content: bytes = CONTENT) -> None:
    checksum.take(begin, memoryview(content)[begin:end], OPENING)


def take_all(checksum: Checksum, cuts: list[int], content: bytes = CONTENT) -> None:
    places = [0, *sorted(set(cuts) - {0, len(CONTENT)}), len(CONTENT)]
    for begin, end in itertools.pairwise(places):
        take(checksum, begin, end, content)


PIECES = st.lists(st.integers(1, len(CONTENT) - 1), max_size=40)


@given(cuts=PIECES)
def test_the_right_bytes_pass_in_any_pieces(threads: ThreadPoolExecutor, cuts: list[int]) -> None:
    take_all(Checksum(threads), cuts)


@given(cuts=PIECES, wrong=st.integers(0, len(CONTENT) - 1))
def test_one_wrong_bit_anywhere_is_found_before_the_last_piece_is_handed_out(
    threads: ThreadPoolExecutor, cuts: list[int], wrong: int
) -> None:
    content = bytearray(CONTENT)
    content[wrong] ^= 1

    with pytest.raises(ChecksumMismatch):
        take_all(Checksum(threads), cuts, bytes(content))


def test_the_pieces_that_made_it_wrong_count_as_not_taken(threads: ThreadPoolExecutor) -> None:
    checksum = Checksum(threads)
    half, wrong = len(CONTENT) // 2, CONTENT[:-1] + bytes((CONTENT[-1] ^ 1,))
    take(checksum, 0, half)
    with pytest.raises(ChecksumMismatch):
        take(checksum, half, len(CONTENT), wrong)

    take(checksum, half, len(CONTENT))


def test_a_read_that_begins_anew_is_compared_anew(threads: ThreadPoolExecutor) -> None:
    checksum = Checksum(threads)
    take(checksum, 0, len(CONTENT) // 2, bytes(len(CONTENT)))

    take_all(checksum, [1_000_000, 2_000_000])


def test_a_read_with_a_gap_is_not_compared(threads: ThreadPoolExecutor) -> None:
    checksum = Checksum(threads)
    take(checksum, 0, 1_000_000, bytes(len(CONTENT)))

    take(checksum, 2_000_000, len(CONTENT))


def test_a_read_goes_on_after_its_client_was_closed() -> None:
    with hashing_threads() as executor:
        checksum = Checksum(executor)
        take(checksum, 0, 1_000_000)

    take(checksum, 1_000_000, 2_000_000)
    with pytest.raises(ChecksumMismatch):
        take(checksum, 2_000_000, len(CONTENT), bytes(len(CONTENT)))
