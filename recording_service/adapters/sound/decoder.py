"""libsndfile, forwards over one file, in a thread that is not the main one."""

import threading
from collections.abc import Callable, Generator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import TypeVar

import numpy as np
import soundfile
from numpy.typing import NDArray

from recording_service.adapters.sound.media_bytes import SplicedFile
from recording_service.core.sound import MediaUnreadable, UnreadableReason

_Result = TypeVar("_Result")

#: Samples of shape (channels, sample frames), full scale at 1.
Samples = NDArray[np.float32]

#: Sample frames decoded at a time: 8 s of a telephone call.
BLOCK_FRAMES = 64 * 1024


class _Forward(soundfile.SoundFile):  # type: ignore[misc] # published without types
    """Read from its beginning to its end. SoundFile seeks after each read of what it holds for seekable.

    mpg123 then starts anew in the middle of its bit reservoir: the samples differ, and it complains on stderr.
    """

    def seekable(self) -> bool:
        return False


class Decoder:
    """Decodes one file, block by block. One thread may decode and another close."""

    def __init__(self, file: SplicedFile, channels: int, raw_format: Mapping[str, int | str] | None = None) -> None:
        """`raw_format` is what SoundFile has to be told of a file without a header of its own."""
        self._file = file
        self._channels = channels
        self._raw_format = raw_format or {}
        self._sound: soundfile.SoundFile | None = None
        self._closed = False
        #: Nothing is closed under the hands of libsndfile, whatever became of the thread that called it.
        self._lock = threading.Lock()

    def decode(self) -> Samples:
        """The next block; an empty one at the end, or once closed. Raises MediaUnreadable, or what the media does."""
        with self._lock:
            if self._closed:
                return np.empty((self._channels, 0), np.float32)
            if self._sound is None:
                self._sound = self._checked(lambda: _Forward(self._file, **self._raw_format))
            interleaved = np.empty((BLOCK_FRAMES, self._channels), np.float32)
            sound = self._sound
            frames = self._checked(lambda: sound.buffer_read_into(interleaved, "float32"))
            return np.ascontiguousarray(interleaved[:frames].T)

    def close(self) -> None:
        """Lets libsndfile's memory go, after the block that is being decoded. Idempotent."""
        with self._lock:
            self._closed = True
            if self._sound is not None:
                self._sound.close()

    def _checked(self, call: Callable[[], _Result]) -> _Result:
        """What libsndfile answers, unless it, or the file it read through its callbacks, has failed."""
        try:
            result = call()
        except soundfile.SoundFileError as error:
            if self._file.failure is None:
                raise MediaUnreadable(UnreadableReason.BROKEN) from error
        if self._file.failure is not None:
            raise self._file.failure
        return result


def blocks_of(decoder: Decoder) -> Generator[Samples, None, None]:
    """All blocks of a decoder, which it closes. To be closed itself.

    Decoding has a thread of its own, one block ahead. Not for speed alone: libsndfile reads through callbacks, and what
    a signal handler raises (RQ's time-out) would get lost in them, were they run in the main thread.
    """
    with closing(decoder), ThreadPoolExecutor(1, thread_name_prefix="decoder") as thread:
        ahead = thread.submit(decoder.decode)
        while (block := ahead.result()).size:
            ahead = thread.submit(decoder.decode)
            yield block
