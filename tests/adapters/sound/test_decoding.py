"""How a file is read: block by block, whatever it raises on the way, and in little memory however long it is."""

import io
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from types import FrameType
from typing import BinaryIO

import pytest

from recording_service.adapters.sound.decoder import BLOCK_FRAMES
from recording_service.adapters.sound.reader import SoundfileReader
from recording_service.core.errors import StorageUnavailable
from recording_service.core.sound import Checkpoint, MediaUnreadable, SoundReader, UnreadableReason
from recording_service.twilio_stand_in.audio import conversation, wav
from recording_service.twilio_stand_in.mp3 import mp3_of_duration
from tests.support.waiting import eventually

Listen = Callable[[SoundReader, BinaryIO, Checkpoint], object]

LONGEST = timedelta(seconds=30)
METHODS = pytest.mark.parametrize(
    "listen",
    [
        lambda reader, media, checkpoint: reader.probe(media, checkpoint),
        lambda reader, media, checkpoint: reader.waveform(media, checkpoint),
        lambda reader, media, checkpoint: [*reader.speech_clips(media, LONGEST, checkpoint)],
    ],
    ids=["probe", "waveform", "speech_clips"],
)
SECONDS = 120.0
FILES = pytest.mark.parametrize(
    "content",
    [mp3_of_duration("decoding", SECONDS, 2), wav(conversation("decoding", SECONDS))],
    ids=["mp3", "wav"],
)


class Timeout(BaseException):
    """What a signal handler raises; RQ's, for example."""


class FailingMedia(io.BytesIO):
    """Fails at a read of a byte at or behind `fails_at`."""

    def __init__(self, content: bytes, fails_at: int, error: BaseException) -> None:
        super().__init__(content)
        self._fails_at = fails_at
        self._error = error

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        if self.tell() > self._fails_at:
            raise self._error
        return data


class SecondTimeFailingMedia(FailingMedia):
    """Fails only where it is read once more: while it is decoded, and not when its frames are counted."""

    def __init__(self, content: bytes, fails_at: int, error: BaseException) -> None:
        super().__init__(content, len(content) + 1, error)
        self._then_fails_at = fails_at

    def read(self, size: int | None = -1, /) -> bytes:
        if threading.current_thread() is not threading.main_thread():
            self._fails_at = self._then_fails_at
        return super().read(size)


class SlippingMedia(io.BytesIO):
    """Gives a little at a time, as a raw file may."""

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(size if size is None or size < 0 else min(size, 1000))


@METHODS
@FILES
@pytest.mark.parametrize("kind", [FailingMedia, SecondTimeFailingMedia])
@pytest.mark.parametrize("share", [0.3, 0.99])
def test_what_the_media_raises_reaches_the_caller_as_it_is(
    reader: SoundReader, listen: Listen, content: bytes, kind: type[FailingMedia], share: float
) -> None:
    error = StorageUnavailable()
    with pytest.raises(StorageUnavailable) as caught:
        listen(reader, kind(content, int(len(content) * share), error), lambda: None)
    assert caught.value is error


@METHODS
@FILES
def test_nothing_of_what_happens_is_printed(
    reader: SoundReader, listen: Listen, content: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    listen(reader, io.BytesIO(content), lambda: None)
    with pytest.raises(StorageUnavailable):
        listen(reader, SecondTimeFailingMedia(content, 10_000, StorageUnavailable()), lambda: None)
    assert capfd.readouterr() == ("", "")


@METHODS
@FILES
def test_a_checkpoint_comes_every_block_and_may_end_the_work(
    reader: SoundReader, listen: Listen, content: bytes
) -> None:
    calls = 0

    def count() -> None:
        nonlocal calls
        calls += 1

    listen(reader, io.BytesIO(content), count)
    assert calls >= SECONDS * 8000 / BLOCK_FRAMES

    for last in range(calls):
        left = iter(range(last))

        def leave(left: Iterator[int] = left) -> None:
            if next(left, None) is None:
                raise Timeout

        with pytest.raises(Timeout):
            listen(reader, io.BytesIO(content), leave)
    assert_no_decoder_is_left()


@FILES
def test_a_file_that_gives_little_at_a_time_is_the_same_file(reader: SoundReader, content: bytes) -> None:
    assert reader.probe(SlippingMedia(content), lambda: None) == reader.probe(io.BytesIO(content), lambda: None)


def test_a_file_that_shrinks_while_it_is_read_is_broken(reader: SoundReader) -> None:
    content = wav(conversation("shrinking", SECONDS))

    class Shrinking(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            return b"" if self.tell() > len(content) // 2 else super().read(size)

    with pytest.raises(MediaUnreadable) as caught:
        reader.probe(Shrinking(content), lambda: None)
    assert caught.value.reason is UnreadableReason.BROKEN


# Signals


@contextmanager
def raising_at(signum: signal.Signals) -> Iterator[None]:
    """A handler that raises Timeout, as RQ's time-outs do in the middle of whatever a job is at."""

    def handle(_signum: int, _frame: FrameType | None) -> None:
        raise Timeout

    before = signal.signal(signum, handle)
    try:
        yield
    finally:
        signal.signal(signum, before)


class SignallingMedia(io.BytesIO):
    """Lets a signal come while it is read for libsndfile."""

    def __init__(self, content: bytes) -> None:
        super().__init__(content)
        self.reads_in_callbacks = 0

    def read(self, size: int | None = -1, /) -> bytes:
        if threading.current_thread() is not threading.main_thread():
            self.reads_in_callbacks += 1
            if self.reads_in_callbacks == 2:
                os.kill(os.getpid(), signal.SIGUSR1)
        return super().read(size)


@METHODS
@FILES
def test_what_a_signal_handler_raises_is_not_lost_in_a_callback(
    reader: SoundReader, listen: Listen, content: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    media = SignallingMedia(content)
    with raising_at(signal.SIGUSR1), pytest.raises(Timeout):
        listen(reader, media, lambda: None)
    assert media.reads_in_callbacks >= 2
    assert capfd.readouterr().err == ""
    assert_no_decoder_is_left()


def assert_no_decoder_is_left() -> None:
    # Soon, not at once: the signal may have come while the thread was being started, before anybody could join it.
    eventually(
        lambda: not any(thread.name.startswith("decoder") for thread in threading.enumerate()),
        what="the end of the decoder's thread",
    )


def test_clips_that_are_not_taken_to_the_end_leave_nothing_behind() -> None:
    media = io.BytesIO(wav(conversation("closed", SECONDS)))
    clips = SoundfileReader().speech_clips(media, LONGEST, lambda: None)
    assert next(clips).channel in (0, 1)
    clips.close()
    assert_no_decoder_is_left()
    assert not media.closed


# Memory

#: All that a worker process does with a recording, in a process of its own; prints its largest size in MB.
LISTENING = """
import pathlib, sys
from datetime import timedelta
from recording_service.adapters.sound.reader import SoundfileReader
reader = SoundfileReader()
with open(sys.argv[1], "rb") as media:
    reader.probe(media, lambda: None)
    reader.waveform(media, lambda: None)
    for clip in reader.speech_clips(media, timedelta(seconds=30), lambda: None):
        pass
status = pathlib.Path("/proc/self/status").read_text().splitlines()
print(next(line.split()[1] for line in status if line.startswith("VmHWM:")))
print("scipy" in sys.modules)
"""
#: Python, numpy and libsndfile alone take some 30.
MOST_MEGABYTES = 100


@pytest.mark.parametrize("kind", ["mp3", "wav"])
def test_an_hour_of_two_channels_takes_little_memory(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "hour"
    path.write_bytes(mp3_of_duration("hour", 3600, 2) if kind == "mp3" else wav(conversation("hour", 3600)))
    ran = subprocess.run([sys.executable, "-c", LISTENING, path], capture_output=True, text=True, check=True)
    kilobytes, scipy = ran.stdout.split()
    assert int(kilobytes) / 1024 < MOST_MEGABYTES
    assert scipy == "False"
    assert ran.stderr == ""
