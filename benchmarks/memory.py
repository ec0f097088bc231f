"""Memory of `serve`: idle, with streams that run, and after many streams that were dropped."""

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from statistics import median

from benchmarks.own_process import load_processes
from benchmarks.prepared_recordings import prepare, recording_sid
from benchmarks.process_memory import family, name, proportional, resident
from benchmarks.results import Result, Say, Target
from benchmarks.service_process import ServiceProcess, service_process
from benchmarks.stream_crowd import StreamCrowd, drop_streams
from recording_service.adapters.disk_storage.storage import DiskStorage
from recording_service.adapters.sql_catalogue import SqlCatalogue

#: Bytes of the recording that is streamed.
SIZE_BYTES = 64 * 1024 * 1024
#: How long the service has nothing to do before it is called idle, in seconds.
SETTLE_SECONDS = 3.0
#: Streams that run at once.
STREAMS = 50
#: What a slow stream takes, how often, and for how long: 256 KiB a second, eight times as much as a player.
SLOW_BYTES, SLOW_SECONDS, SLOW_TURNS = 64 * 1024, 0.25, 24
#: What a fast one takes before it pauses: by then its chunks are as large as they get.
FAST_BYTES = 32 * 1024 * 1024
#: Streams that are dropped before memory is looked at first, and after that.
WARM_UP_DROPS, DROPS = 500, 10_000
#: What is aimed at. Growth: what the allocator keeps by chance, about half a KiB a stream; a leak would show as more.
IDLE_TARGET = Target(300, "MiB", at_most=True)
STREAM_TARGET = Target(2, "MiB a stream", at_most=True)
GROWTH_TARGET = Target(5, "MiB", at_most=True)


def memory(say: Say) -> Iterator[Result]:
    """serve: MiB idle over all its processes, per running stream, and what 10 000 dropped streams leave behind."""
    sid = recording_sid(1)
    with tempfile.TemporaryDirectory(prefix="recording-bench-") as folder:
        _prepare(Path(folder) / "data", sid)
        with service_process("serve", Path(folder)) as service:
            yield _idle(service, say)
            yield _slow(service, sid, say)
            yield _paused(service, sid, say)
            yield _dropped(service, sid, say)


def _idle(service: ServiceProcess, say: Say) -> Result:
    time.sleep(SETTLE_SECONDS)
    parts = {pid: proportional(pid) for pid in family(service.pid)}
    say("  " + ", ".join(f"{name(pid)} {part:.0f}" for pid, part in parts.items()) + " MiB")
    measured = f"PSS over {len(parts)} processes, Redis included"
    return Result("serve, idle", measured, sum(parts.values()), IDLE_TARGET)


def _slow(service: ServiceProcess, sid: str, say: Say) -> Result:
    def take(crowd: StreamCrowd) -> None:
        for _ in range(SLOW_TURNS):
            crowd.take(SLOW_BYTES, SLOW_SECONDS)

    more = _more_with_streams(service, sid, take, say)
    rate = SLOW_BYTES / SLOW_SECONDS / 1024
    return Result(f"serve, {STREAMS} slow streams", f"PSS, each takes {rate:.0f} KiB/s", more, STREAM_TARGET)


def _paused(service: ServiceProcess, sid: str, say: Say) -> Result:
    def take(crowd: StreamCrowd) -> None:
        while crowd.taken_bytes < FAST_BYTES:
            crowd.take(FAST_BYTES - crowd.taken_bytes, SLOW_SECONDS)

    more = _more_with_streams(service, sid, take, say)
    measured = f"PSS, each has taken {FAST_BYTES >> 20} MiB at full speed and nothing more"
    return Result(f"serve, {STREAMS} streams that pause", measured, more, STREAM_TARGET)


def _more_with_streams(service: ServiceProcess, sid: str, take: Callable[[StreamCrowd], None], say: Say) -> float:
    """MiB a stream that the service has more while the streams are open than before."""
    before = _proportional_of_all(service)
    with StreamCrowd(service.grpc_port, sid, STREAMS) as crowd:
        take(crowd)
        during = median(_proportional_of_all(service) for _ in range(5))
    time.sleep(SETTLE_SECONDS)
    say(f"  {before:.0f} MiB before, {during:.0f} with the streams, {_proportional_of_all(service):.0f} afterwards")
    return (during - before) / STREAMS


def _dropped(service: ServiceProcess, sid: str, say: Say) -> Result:
    (grpc,) = (pid for pid in family(service.pid) if name(pid) == "grpc")
    found = []
    with load_processes(1) as load:
        for drops in (WARM_UP_DROPS, DROPS // 2, DROPS // 2):
            load.submit(drop_streams, service.grpc_port, sid, drops).result()
            time.sleep(SETTLE_SECONDS)
            found.append(resident(grpc))
            say(f"  {found[-1]:.1f} MiB after {drops} more streams")
    measured = (
        f"RSS of the gRPC process, {found[0]:.1f} MiB after the first {WARM_UP_DROPS}, {found[-1]:.1f} at the end"
    )
    return Result(f"serve, {DROPS} streams opened and dropped", measured, found[-1] - found[0], GROWTH_TARGET)


def _proportional_of_all(service: ServiceProcess) -> float:
    return sum(proportional(pid) for pid in family(service.pid))


def _prepare(data_dir: Path, sid: str) -> None:
    data_dir.mkdir(mode=0o700)
    with (
        closing(SqlCatalogue.open(f"sqlite:///{data_dir / 'catalogue.sqlite3'}")) as catalogue,
        closing(DiskStorage.at(data_dir / "recordings")) as storage,
    ):
        prepare(catalogue, storage, [sid], SIZE_BYTES)
