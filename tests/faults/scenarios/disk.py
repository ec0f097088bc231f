"""Disks that are full, for everybody or for the service."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial

from tests.faults.history import Answer
from tests.faults.scenario import scenario
from tests.faults.world import World
from tests.support.full_disk import disk_to_itself, files_no_larger_than, filled, free_bytes
from tests.support.waiting import eventually

#: How far the free space is above the reserve to begin with, and below it once the disk is full: more than others
#: write to this disk, or remove from it, meanwhile.
MARGIN_BYTES = 256 * 1024**2


@scenario(15)
def disk_full(world: World) -> None:
    """The disk fills up under enqueues, webhooks, playback and a download: it is said, and burns no attempt."""
    with disk_to_itself():
        reserve = free_bytes(world.folder) - MARGIN_BYTES
        world.restart_with(RECORDING_MIN_FREE_BYTES=str(reserve))
        world.ready(there := world.add(3, shortest=20.0, longest=30.0))
        # Of more than one MiB: it is looked after at each.
        [held] = world.add(1, shortest=600.0, longest=700.0)
        gate = world.twilio.hold(held, after=world.chance.randint(1, 200_000))
        assert world.callers.enqueue(held).status == "OK"
        gate.wait_reached()
        with world.fault("the disk is full"), filled(world.folder, down_to=reserve - MARGIN_BYTES):
            gate.release()
            over_grpc, over_http, in_a_batch = (world.add(world.chance.randint(2, 6)) for _ in range(3))
            told = world.callers.at_once(_calls_in_any_order(world, [*over_grpc, *over_http], there))
            for answer in told + world.callers.batch(in_a_batch):
                _says_that_it_is_full(answer, there)
            eventually(
                lambda: (world.catalogue.row(held) or {})["waiting_reason"] == "storage_unavailable",
                within=30.0,
                what="the end of the download",
            )
            assert not any(held in file for file in world.shelf.object_keys() | world.shelf.remains())
            assert not world.spent(), "a full disk was counted as a failure"
        world.settle()


def _calls_in_any_order(world: World, new: Sequence[str], there: Sequence[str]) -> list[Callable[[], Answer]]:
    """What is new is asked for over both ways, and again; what is there is asked for as well, and played."""
    callers = world.callers
    ways = (callers.enqueue, callers.webhook)
    calls: list[Callable[[], Answer]] = [
        partial(world.chance.choice(ways), recording_sid) for recording_sid in [*new, *new, *there]
    ]
    calls += [partial(way, recording_sid) for recording_sid in there for way in (callers.stream, callers.play)]
    world.chance.shuffle(calls)
    return calls


def _says_that_it_is_full(answer: Answer, there: Sequence[str]) -> None:
    match answer.method:
        case "stream" | "play":
            assert answer.status in ("OK", "200"), answer
        case _ if answer.recording_sid in there:
            assert (answer.status, answer.said) in (("OK", "CACHED"), ("200", "CACHED")), answer
        case "enqueue":
            assert (answer.status, answer.said) == ("RESOURCE_EXHAUSTED", "STORAGE_FULL+ENQUEUE_REASON_ERROR"), answer
        case "batch":
            assert (answer.status, answer.said) == ("RESOURCE_EXHAUSTED", "STORAGE_FULL"), answer
        case _:
            assert answer.status == "500", answer


@scenario(15, expects_tracebacks=True)
def nothing_can_be_written(world: World) -> None:
    """Files can't grow any more: SQLite can't commit, nor a work-horse store. Never OK, and all is well afterwards."""
    world.ready(there := world.add(2))
    [held], sids = world.add(1, shortest=20.0, longest=30.0), world.add(6)
    gate = world.twilio.hold(held, after=world.chance.randint(1, 20_000))
    assert world.callers.enqueue(held).status == "OK"
    gate.wait_reached()
    with world.fault("no file can grow"), files_no_larger_than(0, of=partial(_writers, world)):
        gate.release()
        for recording_sid in sids:
            for answer in (world.callers.enqueue(recording_sid), world.callers.webhook(recording_sid)):
                assert answer.status not in ("OK", "200"), answer
        for recording_sid in there:
            assert world.callers.stream(recording_sid).status == "OK"
            assert world.callers.play(recording_sid).status == "200"
    for recording_sid in sids:
        world.callers.enqueue_until_answered(recording_sid)


def _writers(world: World) -> Iterator[int]:
    """Who writes for the service. The parts come first: what they fork from then on has their limits."""
    for processes in (world.processes.parts, world.processes.work_horses):
        for process in processes():
            yield process.pid
