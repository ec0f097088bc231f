"""StreamRecording against protobuf messages, which are made in two ways: 8 streams at once, and one."""

import tempfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from benchmarks.own_process import ServerProcess, load_processes, server_process
from benchmarks.prepared_recordings import prepare, recording_sid
from benchmarks.results import RATIO, Result, Say, Target, compare, measure_in_turns, spread
from benchmarks.stream_load import Taken, take_streams
from benchmarks.stream_servers import (
    catalogue_url,
    send_bare_frames,
    serve_frames,
    serve_ordinary_messages,
    serve_own_messages,
    shelf_of,
)
from recording_service.adapters.disk_storage.storage import DiskStorage
from recording_service.adapters.sql_catalogue import SqlCatalogue

#: Bytes of each recording.
SIZE_BYTES = 64 * 1024 * 1024
#: Pairs that count.
ROUNDS = 9
#: Bare frames that are taken in, to see what the client can do.
BARE_ROUNDS = 5
#: How many streams run at once, how often one after the other in each measurement, and the ratio aimed at.
CASES = ((8, 1, 1.7), (1, 4, 1.8))


@dataclass(frozen=True, slots=True)
class _Load:
    """The client, in a process of its own."""

    processes: ProcessPoolExecutor
    #: For which part of the time it used a processor, in %, with each measurement.
    busy: list[float] = field(default_factory=list)

    def take(self, server: ServerProcess, streams: int, times: int) -> float:
        """Takes in so many streams at once, so many times; millions of bytes a second."""
        sids = [recording_sid(number) for number in range(streams)]
        taken: Taken = self.processes.submit(take_streams, server.port, sids, SIZE_BYTES, times).result()
        self.busy.append(100 * taken.busy)
        return taken.megabytes_a_second


def streaming(say: Say) -> Iterator[Result]:
    """StreamRecording: MB/s of 8 streams and of one, against protobuf messages."""
    with tempfile.TemporaryDirectory(prefix="recording-bench-") as name, load_processes(1) as processes:
        folder = Path(name)
        _prepare(folder)
        with server_process(send_bare_frames, SIZE_BYTES) as sender:
            alone = [_Load(processes).take(sender, 1, 4) for _ in range(BARE_ROUNDS)]
        say(f"  the client alone takes {spread(alone, 'MB/s')} from a bare sender")
        load = _Load(processes)
        with (
            server_process(serve_frames, folder) as frames,
            server_process(serve_ordinary_messages, folder) as ordinary,
            server_process(serve_own_messages, folder) as own,
        ):
            for streams, times, ratio in CASES:
                for what, messages in (("ordinary messages", ordinary), ("the servicer's own messages", own)):
                    pairs = measure_in_turns(
                        ROUNDS, partial(load.take, frames, streams, times), partial(load.take, messages, streams, times)
                    )
                    found = compare(pairs, "MB/s", say)
                    subject = f"StreamRecording, {streams} {'streams at once' if streams > 1 else 'stream'} of 64 MiB"
                    measured = f"{found.first:.0f} MB/s, {what} {found.second:.0f} MB/s"
                    yield Result(subject, measured, found.ratio, Target(ratio, RATIO))
        say(f"  the client used {spread(load.busy, '% of a processor')}")


def _prepare(folder: Path) -> None:
    sids = [recording_sid(number) for number in range(max(streams for streams, _, _ in CASES))]
    with (
        closing(SqlCatalogue.open(catalogue_url(folder))) as catalogue,
        closing(DiskStorage.at(shelf_of(folder))) as storage,
    ):
        prepare(catalogue, storage, sids, SIZE_BYTES)
