"""StreamRecording against the same servicer yielding protobuf messages: 8 streams at once, and one."""

import tempfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.own_process import ServerProcess, load_processes, server_process
from benchmarks.prepared_recordings import prepare, recording_sid
from benchmarks.results import RATIO, Pair, Result, Say, Target, compare, measure_in_turns, spread
from benchmarks.stream_load import Taken, take_streams
from benchmarks.stream_servers import catalogue_url, send_bare_frames, serve_frames, serve_messages, shelf_of
from recording_service.adapters.disk_storage.storage import DiskStorage
from recording_service.adapters.sql_catalogue import SqlCatalogue

#: Bytes of each recording.
SIZE_BYTES = 64 * 1024 * 1024
#: How often both servers are started anew, and the pairs that count each time. A process keeps what its allocator
#: happens to make of the first chunks, which is worth up to a half of the messages' speed: one process proves nothing.
STARTS, ROUNDS = 5, 3
#: Bare frames that are taken in, to see what the client can do.
BARE_ROUNDS = 5


@dataclass(frozen=True, slots=True)
class _Case:
    """So many streams at once, so many times one after the other in each measurement; and what was found."""

    streams: int
    times: int
    target: Target
    pairs: list[Pair] = field(default_factory=list)
    busy: list[float] = field(default_factory=list)

    def measure(self, load: ProcessPoolExecutor, frames: ServerProcess, messages: ServerProcess) -> None:
        """Adds pairs of measurements."""
        self.pairs.extend(
            measure_in_turns(ROUNDS, lambda: self._take(load, frames), lambda: self._take(load, messages))
        )

    def result(self, say: Say) -> Result:
        """What was found."""
        found = compare(self.pairs, "MB/s", say)
        say(f"  the client used {spread(self.busy, '% of a processor')}")
        subject = f"StreamRecording, {self.streams} {'streams at once' if self.streams > 1 else 'stream'} of 64 MiB"
        measured = f"{found.first:.0f} MB/s, as messages {found.second:.0f} MB/s"
        return Result(subject, measured, found.ratio, self.target)

    def _take(self, load: ProcessPoolExecutor, server: ServerProcess) -> float:
        taken = _take(load, server, self.streams, self.times)
        self.busy.append(100 * taken.busy)
        return taken.megabytes_a_second


def streaming(say: Say) -> Iterator[Result]:
    """StreamRecording: MB/s of 8 streams and of one, against protobuf messages."""
    cases = (_Case(8, 1, Target(1.7, RATIO)), _Case(1, 4, Target(1.8, RATIO)))
    with tempfile.TemporaryDirectory(prefix="recording-bench-") as name, load_processes(1) as load:
        folder = Path(name)
        _prepare(folder, max(case.streams for case in cases))
        with server_process(send_bare_frames, SIZE_BYTES) as sender:
            alone = [_take(load, sender, 1, 4).megabytes_a_second for _ in range(BARE_ROUNDS)]
        say(f"  the client alone takes {spread(alone, 'MB/s')} from a bare sender")
        for start in range(STARTS):
            say(f"  servers started {start + 1} of {STARTS} times")
            with server_process(serve_frames, folder) as frames, server_process(serve_messages, folder) as messages:
                for case in cases:
                    case.measure(load, frames, messages)
    for case in cases:
        yield case.result(say)


def _take(load: ProcessPoolExecutor, server: ServerProcess, streams: int, times: int) -> Taken:
    sids = [recording_sid(number) for number in range(streams)]
    return load.submit(take_streams, server.port, sids, SIZE_BYTES, times).result()


def _prepare(folder: Path, recordings: int) -> None:
    with (
        closing(SqlCatalogue.open(catalogue_url(folder))) as catalogue,
        closing(DiskStorage.at(shelf_of(folder))) as storage,
    ):
        prepare(catalogue, storage, [recording_sid(number) for number in range(recordings)], SIZE_BYTES)
