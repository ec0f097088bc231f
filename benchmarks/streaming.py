"""StreamRecording against the same servicer yielding protobuf messages: 8 streams at once, and one."""

import tempfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from pathlib import Path

from benchmarks.own_process import ServerProcess, load_processes, server_process
from benchmarks.prepared_recordings import prepare, recording_sid
from benchmarks.results import RATIO, Result, Say, Target, compare, spread
from benchmarks.stream_load import Taken, take_streams
from benchmarks.stream_servers import catalogue_url, send_bare_frames, serve_frames, serve_messages, shelf_of
from recording_service.adapters.disk_storage.storage import DiskStorage
from recording_service.adapters.sql_catalogue import SqlCatalogue

#: Bytes of each recording.
SIZE_BYTES = 64 * 1024 * 1024
#: Pairs that count.
ROUNDS = 9
#: How many streams run at once, how often one after the other in each measurement, and the ratio aimed at.
CASES = ((8, 1, 1.7), (1, 4, 1.8))


def streaming(say: Say) -> Iterator[Result]:
    """StreamRecording: MB/s of 8 streams and of one, against protobuf messages."""
    with tempfile.TemporaryDirectory(prefix="recording-bench-") as name, load_processes(1) as load:
        folder = Path(name)
        _prepare(folder)
        with server_process(send_bare_frames, SIZE_BYTES) as sender:
            bare = [_take(load, sender, 1, 4) for _ in range(5)]
        alone = spread([taken.megabytes_a_second for taken in bare], "MB/s")
        say(f"  the client alone takes {alone} from a bare sender")
        with server_process(serve_frames, folder) as frames, server_process(serve_messages, folder) as messages:
            for streams, times, ratio in CASES:
                yield _compared(say, load, frames, messages, streams, times, Target(ratio, RATIO))


def _compared(
    say: Say,
    load: ProcessPoolExecutor,
    frames: ServerProcess,
    messages: ServerProcess,
    streams: int,
    times: int,
    target: Target,
) -> Result:
    taken: list[Taken] = []

    def as_frames() -> float:
        taken.append(_take(load, frames, streams, times))
        return taken[-1].megabytes_a_second

    found = compare(ROUNDS, as_frames, lambda: _take(load, messages, streams, times).megabytes_a_second, say, "MB/s")
    busy = spread([100 * one.busy for one in taken], "% of a processor")
    say(f"  the client used {busy}")
    subject = f"StreamRecording, {streams} stream{'s at once' if streams > 1 else ''} of {SIZE_BYTES >> 20} MiB"
    measured = f"{found.first:.0f} MB/s, as messages {found.second:.0f} MB/s"
    return Result(subject, measured, found.ratio, target)


def _take(load: ProcessPoolExecutor, server: ServerProcess, streams: int, times: int) -> Taken:
    sids = [recording_sid(number) for number in range(streams)]
    return load.submit(take_streams, server.port, sids, SIZE_BYTES, times).result()


def _prepare(folder: Path) -> None:
    sids = [recording_sid(number) for number in range(max(streams for streams, _, _ in CASES))]
    with (
        closing(SqlCatalogue.open(catalogue_url(folder))) as catalogue,
        closing(DiskStorage.at(shelf_of(folder))) as storage,
    ):
        prepare(catalogue, storage, sids, SIZE_BYTES)
