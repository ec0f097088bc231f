"""Two versions at once: a queue in which another version has rung."""

from collections.abc import Callable
from itertools import cycle
from typing import NamedTuple

from redis import Redis
from rq import Queue
from rq.serializers import DefaultSerializer, JSONSerializer

from recording_service.adapters.rq_queue.job import DOWNLOAD_FUNCTION
from recording_service.adapters.rq_queue.queue import QUEUE_NAME
from tests.faults.scenario import scenario
from tests.faults.world import World
from tests.support.waiting import eventually


class _Version(NamedTuple):
    """How another version rings: what it has run, with what, and how that is written down."""

    function: str
    arguments: Callable[[str], tuple[object, ...]]
    serializer: type[DefaultSerializer] | type[JSONSerializer] = JSONSerializer


#: Versions that this one can't answer.
_OTHERS = (
    _Version("recording_service.worker.download_of_the_next_version", lambda job_id: (job_id,)),
    _Version("recording_service.next.download", lambda job_id: ({"bell": job_id, "version": 2},)),
    _Version(DOWNLOAD_FUNCTION, lambda job_id: (job_id, "an argument of the next version")),
    _Version(DOWNLOAD_FUNCTION, lambda job_id: (job_id,), DefaultSerializer),
)


@scenario(35)
def jobs_of_another_version(world: World) -> None:
    """Another version has rung for every row, by a function, arguments or serializer of its own: all come to READY."""
    held, sids = world.add(2), world.add(world.chance.randint(8, 16))
    gates = [world.twilio.hold(recording_sid, after=0) for recording_sid in held]
    for recording_sid in held:
        assert world.callers.enqueue(recording_sid).status == "OK"
    for gate in gates:
        gate.wait_reached()
    for answer in world.callers.batch(sids):
        assert answer.said == "ENQUEUED", answer
    workers = world.processes.workers()
    with world.redis.client() as client, world.fault("another version has rung"):
        rung = _rung_by_others(world, client)
        assert len(rung) >= len(sids), rung
        for gate in gates:
            gate.release()
        failed = f"rq:failed:{QUEUE_NAME}"
        eventually(lambda: client.zcard(failed) >= len(_OTHERS), within=60.0, what="the other versions' turn")
        assert not world.spent(), "another version's bell was counted as a failure"
    world.settle()
    assert world.processes.workers() == workers, "a worker has died of another version's job"


def _rung_by_others(world: World, client: Redis) -> list[str]:
    """Has every bell that waits rung by another version instead, with RQ's own means; their names."""
    versions = cycle(world.chance.sample(_OTHERS, len(_OTHERS)))
    rung = []
    while job_id := client.lpop(f"rq:queue:{QUEUE_NAME}"):
        assert isinstance(job_id, bytes)
        client.delete(b"rq:job:" + job_id)
        rung.append(job_id.decode())
    for name, version in zip(rung, versions, strict=False):
        queue = Queue(QUEUE_NAME, connection=client, serializer=version.serializer)
        queue.enqueue(version.function, args=version.arguments(name), job_id=name)
    return rung
