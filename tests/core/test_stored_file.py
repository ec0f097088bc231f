"""A stored object as a file: whatever is done with it, it does as a file in memory does."""

import io
import os
import wave
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recording_service.core.errors import StorageUnavailable
from recording_service.core.stored_file import BUFFER_BYTES, as_file


class Stored:
    """An open object of these bytes; remembers what was read of it."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self.reads: list[tuple[int, int]] = []
        self.is_closed = False

    @property
    def size_bytes(self) -> int:
        return len(self._content)

    def read_at(self, offset: int, size: int) -> bytes:
        self.reads.append((offset, size))
        return self._content[offset : offset + size]

    def close(self) -> None:
        self.is_closed = True


#: Sizes about the buffer's, and small ones.
sizes = st.one_of(st.integers(0, 40), st.integers(BUFFER_BYTES - 3, BUFFER_BYTES + 3), st.just(3 * BUFFER_BYTES))
calls = st.one_of(
    st.tuples(st.just("read"), sizes),
    st.tuples(st.just("read"), st.just(-1)),
    st.tuples(st.just("readinto"), st.integers(0, 100).map(bytearray)),
    st.tuples(st.just("readline")),
    st.tuples(st.just("seek"), sizes, st.just(os.SEEK_SET)),
    st.tuples(st.just("seek"), st.integers(-50, 50), st.just(os.SEEK_CUR)),
    st.tuples(st.just("seek"), st.integers(-50, 50), st.just(os.SEEK_END)),
    st.tuples(st.just("tell")),
)


def outcome(file: Any, call: tuple[Any, ...]) -> object:
    """What the call answers, or that it raises."""
    name, *arguments = call
    if name == "readinto":
        # Each has a buffer of its own.
        buffer = bytearray(arguments[0])
        return file.readinto(buffer), bytes(buffer)
    if name == "seek" and arguments[1] != os.SEEK_SET:
        # A file in memory goes to its beginning where a file on disk refuses: only refusing is asked of ours.
        size = len(file.getvalue()) if isinstance(file, io.BytesIO) else None
        return _relative_seek(file, arguments[0], arguments[1], size)
    return getattr(file, name)(*arguments)


def _relative_seek(file: Any, offset: int, whence: int, size: int | None) -> object:
    if size is not None and (file.tell() if whence == os.SEEK_CUR else size) + offset < 0:
        return "refused"
    try:
        return file.seek(offset, whence)
    except (ValueError, OSError):
        return "refused"


@given(length=sizes, done=st.lists(calls, max_size=12))
def test_whatever_is_done_with_it_it_does_as_a_file_in_memory(length: int, done: list[tuple[Any, ...]]) -> None:
    content = (bytes(range(256)) * (length // 256 + 1))[:length]
    ours, theirs = as_file(Stored(content)), io.BytesIO(content)
    for call in done:
        assert outcome(ours, call) == outcome(theirs, call)
        assert ours.tell() == theirs.tell()


def test_it_can_be_read_and_sought_and_not_written() -> None:
    file = as_file(Stored(b"abc"))
    assert (file.readable(), file.seekable(), file.writable()) == (True, True, False)
    with pytest.raises(io.UnsupportedOperation):
        file.write(b"x")


def test_no_position_is_before_the_beginning() -> None:
    file = as_file(Stored(b"abc"))
    with pytest.raises(ValueError, match="before the beginning"):
        file.seek(-4, os.SEEK_END)


def test_small_reads_ask_the_shelf_for_much_at_once() -> None:
    stored = Stored(bytes(2 * BUFFER_BYTES))
    file = as_file(stored)
    while file.read(100):
        pass
    assert len(stored.reads) <= 4


def test_closing_the_file_leaves_the_object_to_who_opened_it() -> None:
    stored = Stored(b"abc")
    with as_file(stored) as file:
        file.read()
    assert not stored.is_closed


def test_what_the_shelf_says_is_said() -> None:
    class Failing(Stored):
        def read_at(self, offset: int, size: int) -> bytes:
            raise StorageUnavailable

    reads: list[Callable[[Any], object]] = [
        lambda file: file.read(),
        lambda file: file.read(3),
        lambda file: file.readline(),
    ]
    for read in reads:
        with pytest.raises(StorageUnavailable):
            read(as_file(Failing(b"abc")))


def test_a_library_that_reads_files_reads_it() -> None:
    written = io.BytesIO()
    with wave.open(written, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(bytes(1600))
    with wave.open(as_file(Stored(written.getvalue()))) as read:
        assert (read.getnframes(), read.readframes(10_000)) == (800, bytes(1600))
