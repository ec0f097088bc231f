"""The load of the listeners benchmark: players that take a recording as fast as it sounds, and impatient ones.

Every byte is compared with the file's. Whoever gets another one, or an error, is counted.
"""

import random
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.http_load import AnswerFailed, HttpConnection

#: What a listener takes a second, in bytes: of an MP3 with 128 kbit/s.
BYTES_A_SECOND = 16 * 1024
#: Between two turns in which each listener takes what has sounded meanwhile, in seconds.
TURN_SECONDS = 0.1
#: Of a listener's socket, so that the kernel does not swallow what it does not take.
RECEIVE_BUFFER_BYTES = 64 * 1024
#: What a seeker takes before it lingers, in bytes, and for how long it lingers before it seeks again, in seconds.
SEEKER_BYTES, LINGER_SECONDS = 64 * 1024, 0.5


@dataclass(slots=True)
class Heard:
    """How it was for the audience."""

    taken_bytes: int = 0
    #: How long somebody had to wait for bytes, in seconds.
    waits: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    @contextmanager
    def noting(self) -> Iterator[None]:
        """Notes what goes wrong."""
        try:
            yield
        except (AnswerFailed, OSError) as error:
            self.errors.append(f"{type(error).__name__}: {error}")


class _Listener:
    """Takes the whole recording as fast as it sounds."""

    def __init__(self, connection: HttpConnection, path: str, content: bytes) -> None:
        self._connection = connection
        self._content = content
        connection.ask(path)
        self.taken_bytes = 0
        self._compare(connection.begin(200))
        self._began = time.monotonic() - self.taken_bytes / BYTES_A_SECOND

    def take(self) -> float:
        """Takes what is due, as far as it is there; for how long it is overdue, in seconds."""
        due = int((time.monotonic() - self._began) * BYTES_A_SECOND) - self.taken_bytes
        while due > 0 and (data := self._connection.take_what_is_there(due)):
            self._compare(data)
            due -= len(data)
        return max(0, due) / BYTES_A_SECOND

    def _compare(self, data: bytes) -> None:
        if data != self._content[self.taken_bytes : self.taken_bytes + len(data)]:
            raise AnswerFailed(f"other bytes than the recording's after {self.taken_bytes}")
        self.taken_bytes += len(data)


def listen(port: int, path: str, file: Path, listeners: int, seconds: float) -> Heard:
    """Has so many listen at once, for so long. The waits are those of each turn."""
    heard, content = Heard(), file.read_bytes()
    until = time.monotonic() + seconds
    with ExitStack() as stack:
        playing: list[_Listener] = []
        for _ in range(listeners):
            with heard.noting():
                connection = stack.enter_context(HttpConnection(port, receive_buffer=RECEIVE_BUFFER_BYTES))
                playing.append(_Listener(connection, path, content))
        while time.monotonic() < until:
            for listener in playing:
                with heard.noting():
                    heard.waits.append(listener.take())
            time.sleep(TURN_SECONDS)
    heard.taken_bytes = sum(listener.taken_bytes for listener in playing)
    return heard


def seek(port: int, path: str, file: Path, seekers: int, seconds: float) -> Heard:
    """Has so many seek at once, for so long. The waits are from connecting to the first byte."""
    heard, content = Heard(), file.read_bytes()
    until = time.monotonic() + seconds
    with ThreadPoolExecutor(seekers) as pool:
        for one in [pool.submit(_keep_seeking, heard, port, path, content, number, until) for number in range(seekers)]:
            one.result()
    return heard


def _keep_seeking(heard: Heard, port: int, path: str, content: bytes, number: int, until: float) -> None:
    chance = random.Random(number)
    # Not all in the same moment.
    time.sleep(chance.uniform(0, LINGER_SECONDS))
    while time.monotonic() < until:
        start = chance.randrange(len(content) - SEEKER_BYTES)
        began = time.monotonic()
        with heard.noting(), HttpConnection(port) as connection:
            connection.ask(path, f"bytes={start}-")
            data = connection.begin(206)
            heard.waits.append(time.monotonic() - began)
            while len(data) < SEEKER_BYTES:
                data += connection.take()
            if data != content[start : start + len(data)]:
                raise AnswerFailed(f"other bytes than the recording's from {start}")
            # Listening, until it is dropped.
            time.sleep(LINGER_SECONDS)
