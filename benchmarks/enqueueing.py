"""EnqueueRecording by 16 callers: new recordings against the predecessor's flow, known ones against a health Check."""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from statistics import median

from grpc_health.v1 import health_pb2

from benchmarks import predecessor
from benchmarks.own_process import load_processes
from benchmarks.prepared_recordings import ACCOUNT_SID, prepare, recording_sid
from benchmarks.results import RATIO, Result, Say, Target, compare, measure_in_turns, spread
from benchmarks.service_process import service_process
from benchmarks.unary_load import Answered, make_calls
from recording_service.adapters.disk_storage.storage import DiskStorage
from recording_service.adapters.embedded_redis import EmbeddedRedis
from recording_service.adapters.sql_catalogue import SqlCatalogue
from recordings.v1 import enqueue_pb2

#: Calls that are always under way, and the connections they share: a few back ends, each with a few threads.
CALLERS, CONNECTIONS = 16, 4
#: Calls of one measurement, and measurements of each kind that count.
CALLS, ROUNDS = 1000, 9
#: Bytes of the recordings that are on the shelf already; nobody reads them here.
SHELVED_BYTES = 4096
#: The recordings that are enqueued begin with this number; those before it are on the shelf.
FIRST_NEW = 1_000_000
#: What is aimed at, as a part of the baseline.
NEW_TARGET, KNOWN_TARGET = Target(0.8, RATIO), Target(0.5, RATIO)

_ENQUEUE = "/recordings.v1.RecordingService/EnqueueRecording"
_HEALTH_CHECK = "/grpc.health.v1.Health/Check"


def enqueueing(say: Say) -> Iterator[Result]:
    """EnqueueRecording: calls a second of 16 callers, for new, queued and cached recordings."""
    with tempfile.TemporaryDirectory(prefix="recording-bench-") as name, load_processes(1) as load:
        folder = Path(name)
        shelved = [recording_sid(number) for number in range(CALLS)]
        _prepare(folder / "data", shelved)
        with (
            EmbeddedRedis(folder / "redis") as redis,
            service_process("grpc", folder, RECORDING_REDIS_URL=redis.url, RECORDING_LOG_LEVEL="WARNING") as service,
        ):
            callers = _Callers(load, service.grpc_port, redis.url)
            yield _new_against_predecessor(callers, say)
            queued = callers.fresh()
            callers.enqueue(queued, enqueue_pb2.ENQUEUE_REASON_ENQUEUED)
            duplicate, cached = enqueue_pb2.ENQUEUE_REASON_DUPLICATE, enqueue_pb2.ENQUEUE_REASON_CACHED
            yield _known_against_check(callers, say, "DUPLICATE", lambda: callers.enqueue(queued, duplicate))
            yield _known_against_check(callers, say, "CACHED", lambda: callers.enqueue(shelved, cached))
            say(f"  the client used {spread([100 * part for part in callers.busy], '% of a processor')}")


@dataclass(frozen=True, slots=True)
class _Callers:
    """The callers, in a process of their own, and what they can do."""

    load: ProcessPoolExecutor
    port: int
    redis_url: str
    busy: list[float] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=lambda: count(FIRST_NEW))

    def fresh(self) -> list[str]:
        """Recordings that nobody has asked for yet."""
        return [recording_sid(next(self._numbers)) for _ in range(CALLS)]

    def enqueue(self, recording_sids: Sequence[str], expected: enqueue_pb2.EnqueueReason) -> float:
        """Enqueues recordings; calls a second. RuntimeError unless every answer is the expected one."""
        answered = self._call(_ENQUEUE, [_request(sid) for sid in recording_sids])
        reasons = {enqueue_pb2.EnqueueRecordingResponse.FromString(message).reason for message in answered.messages}
        if reasons != {expected}:
            raise RuntimeError(f"the answers were {reasons} and not {expected} alone")
        return answered.calls_a_second

    def check_health(self) -> float:
        """Asks the health service; calls a second."""
        return self._call(_HEALTH_CHECK, CALLS * [health_pb2.HealthCheckRequest().SerializeToString()]).calls_a_second

    def enqueue_as_before(self, threads: int) -> float:
        """Runs the predecessor's flow; recordings a second."""
        return self.load.submit(predecessor.enqueue_all, self.redis_url, self.fresh(), threads).result()

    def _call(self, path: str, requests: Sequence[bytes]) -> Answered:
        answered = self.load.submit(make_calls, self.port, path, requests, CALLERS, CONNECTIONS).result()
        self.busy.append(answered.processor_seconds / answered.seconds)
        return answered


def _new_against_predecessor(callers: _Callers, say: Say) -> Result:
    better = max((1, CALLERS), key=lambda threads: median(callers.enqueue_as_before(threads) for _ in range(3)))
    say(f"  the predecessor is faster with {better} thread{'s' if better > 1 else ''}")
    pairs = measure_in_turns(
        ROUNDS,
        lambda: callers.enqueue(callers.fresh(), enqueue_pb2.ENQUEUE_REASON_ENQUEUED),
        lambda: callers.enqueue_as_before(better),
    )
    found = compare(pairs, "calls/s", say)
    measured = f"{found.first:.0f} calls/s, committed and rung; the predecessor in process {found.second:.0f}"
    return Result(f"EnqueueRecording, new, {CALLERS} callers", measured, found.ratio, NEW_TARGET)


def _known_against_check(callers: _Callers, say: Say, reason: str, enqueue: Callable[[], float]) -> Result:
    found = compare(measure_in_turns(ROUNDS, enqueue, callers.check_health), "calls/s", say)
    measured = f"{found.first:.0f} calls/s, a health Check {found.second:.0f}"
    return Result(f"EnqueueRecording, {reason}, {CALLERS} callers", measured, found.ratio, KNOWN_TARGET)


def _request(recording_sid: str) -> bytes:
    return enqueue_pb2.EnqueueRecordingRequest(
        account_sid=ACCOUNT_SID,
        recording_sid=recording_sid,
        call_sid="CA" + recording_sid[2:],
        source_url=f"/2010-04-01/Accounts/{ACCOUNT_SID}/Recordings/{recording_sid}",
        source="StartCallRecordingAPI",
        channels=2,
    ).SerializeToString()


def _prepare(data_dir: Path, recording_sids: Sequence[str]) -> None:
    data_dir.mkdir(mode=0o700)
    with (
        closing(SqlCatalogue.open(f"sqlite:///{data_dir / 'catalogue.sqlite3'}")) as catalogue,
        closing(DiskStorage.at(data_dir / "recordings")) as storage,
    ):
        prepare(catalogue, storage, recording_sids, SHELVED_BYTES)
