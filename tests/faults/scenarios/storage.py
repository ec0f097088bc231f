"""A shelf that loses, damages and refuses bytes."""

from tests.faults.scenario import scenario
from tests.faults.system_calls import injecting
from tests.faults.world import World
from tests.support.waiting import eventually


@scenario(28)
def objects_removed(world: World) -> None:
    """Objects are removed behind the service's back: never a short answer, and they are fetched again."""
    world.ready(sids := world.add(6))
    for recording_sid in world.chance.sample(sids, 4):
        world.shelf.remove(world.object_key(recording_sid))
        world.strike("object removed", recording_sid)
        how = world.chance.choice([world.callers.stream, world.callers.play, world.callers.enqueue, None])
        if how is not None:
            answer = how(recording_sid)
            assert answer.status not in ("200", "206") or not answer.received_bytes, answer
    # Those that nobody asked for are found by the walk over the shelf.
    eventually(
        lambda: all(world.shelf.size(world.object_key(sid)) for sid in sids),
        within=world.recovery_seconds + 600.0 * world.time_scale,
        what="all objects",
    )
    world.mended()


@scenario(29)
def objects_truncated(world: World) -> None:
    """Objects are shortened: reading says DATA_LOSS or is cut, never OK, and they are fetched again."""
    world.ready(sids := world.add(4))
    for recording_sid in sids:
        object_key = world.object_key(recording_sid)
        size = world.shelf.size(object_key) or 0
        world.shelf.truncate(object_key, world.chance.randrange(size))
        world.strike("object shortened", recording_sid)
        answer = world.chance.choice([world.callers.stream, world.callers.play])(recording_sid)
        assert answer.status in ("DATA_LOSS", "FAILED_PRECONDITION", "500", "202"), answer
    world.settle()


@scenario(29, variables={"RECORDING_SCRUB_BYTES_PER_SECOND": "100000000", "RECORDING_SCRUB_INTERVAL_SECONDS": "5"})
def bits_turned_over(world: World) -> None:
    """A bit of an object is turned over: the scrub finds it, and it is fetched again."""
    world.ready(sids := world.add(4))
    for recording_sid in sids:
        object_key = world.object_key(recording_sid)
        world.shelf.flip_bit(object_key, world.chance.randrange(world.shelf.size(object_key) or 1))
        world.strike("bit turned over", recording_sid)
    eventually(
        lambda: all((world.catalogue.row(sid) or {})["attempt"] != 1 for sid in sids),
        within=world.recovery_seconds,
        what="the scrub's finding every damaged object",
    )


# The write that fails may be one to the log.
@scenario(16, expects_tracebacks=True)
def flush_or_link_fails(world: World) -> None:
    """fsync, write or link of a work-horse fails once with EIO: never READY from it, a new file next time."""
    call, error = world.chance.choice([("fsync", "EIO"), ("link,linkat", "EIO"), ("write", "EIO")])
    sids = world.add(3, shortest=8.0, longest=12.0)
    worker = world.chance.choice(world.processes.workers()).pid
    with (
        world.fault(f"{call} fails with {error}"),
        injecting(worker, call=call, error=error, times=world.chance.randint(1, 3)),
    ):
        for recording_sid in sids:
            world.callers.enqueue(recording_sid)
        world.wait_for(sids, "ready", within=world.recovery_seconds + 60.0 * world.time_scale)


@scenario(10, 16)
def killed_at_a_system_call(world: World) -> None:
    """A work-horse is killed at its n-th write, fsync or link."""
    call = world.chance.choice(["write", "fsync", "link,linkat", "unlink,unlinkat"])
    when = str(world.chance.randint(1, 6))
    sids = world.add(3, shortest=8.0, longest=12.0)
    worker = world.chance.choice(world.processes.workers()).pid
    with world.fault(f"SIGKILL at {call} {when}"), injecting(worker, call=call, signal="SIGKILL", when=when):
        for recording_sid in sids:
            world.callers.enqueue(recording_sid)
        world.wait_for(sids, "ready", within=world.recovery_seconds + 60.0 * world.time_scale)
