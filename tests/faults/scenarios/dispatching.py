"""Dispatchers that die, stand still, and are too many."""

import sqlite3
import threading
from contextlib import suppress

from tests.faults.scenario import scenario
from tests.faults.world import World
from tests.support.waiting import eventually

#: Longer than any part holds the lock that goes on with its work, in seconds.
LOCK_SECONDS = 0.5


def _unrung(world: World, count: int) -> list[str]:
    """Recordings whose bells have not rung: Redis was away when they were asked for."""
    sids = world.add(count)
    world.redis_proxy.refuse()
    for recording_sid in sids:
        assert world.callers.enqueue(recording_sid).status == "UNAVAILABLE"
    world.redis_proxy.mend()
    return sids


@scenario(13)
def dispatcher_killed(world: World) -> None:
    """The dispatcher is killed while there is much to ring for."""
    with world.fault("the dispatcher is killed"):
        _unrung(world, 20)
        for _ in range(world.chance.randint(1, 3)):
            world.processes.part("dispatcher").kill()


@scenario(13)
def dispatcher_killed_at_a_step(world: World) -> None:
    """The dispatcher is killed between bell and mark, or just before or after."""
    step = world.chance.choice(["dispatch.before_ring", "dispatch.after_bell", "dispatch.after_mark"])
    world.restart_with_failpoints(f"{step}=kill@1,{step}=kill@2")
    with world.fault(f"killed at {step}"):
        _unrung(world, 10)
        eventually((world.failpoints / "reached").exists, within=60.0, what=f"reaching {step}")


@scenario(13)
def three_dispatchers(world: World) -> None:
    """Three dispatchers run, one of them stands still and goes on later: nothing is done twice."""
    extra = [world.start_part("dispatch") for _ in range(2)]
    sids = _unrung(world, 30)
    with world.fault("three dispatchers, one of which stands still"):
        own = world.processes.part("dispatcher")
        own.stop()
        world.wait_for(sids, "ready", within=world.recovery_seconds)
        more = _unrung(world, 10)
        # It may have stood still for so long that it was ended.
        with suppress(ProcessLookupError):
            own.go_on()
        world.chance.choice(extra).kill()
        world.wait_for(more, "ready", within=world.recovery_seconds)
    whole = [request.recording_sid for request in world.twilio.requests if request.status == 200]
    assert len(whole) == len(set(whole)), "something was fetched twice"


@scenario(13)
def stopped_in_the_middle_of_a_write(world: World) -> None:
    """The dispatcher stands still while it holds SQLite's write lock: it is ended, and everything goes on."""
    sids = world.add(5)
    eventually(lambda: _stopped_with_the_lock(world), within=60.0, what="a stop in the middle of a write")
    world.strike("the dispatcher stands still with the database's lock")
    for recording_sid in sids:
        answer = world.callers.enqueue(recording_sid)
        assert answer.status in ("UNAVAILABLE", "OK"), answer
    for recording_sid in sids:
        world.callers.enqueue_until_answered(recording_sid, within=world.recovery_seconds)


def _stopped_with_the_lock(world: World) -> bool:
    """Stops the dispatcher; whether nobody else can write now. If others can, it goes on."""
    dispatcher = world.processes.part("dispatcher")
    dispatcher.stop()
    other = sqlite3.connect(f"{world.folder}/data/catalogue.sqlite3", isolation_level=None, timeout=LOCK_SECONDS)
    try:
        other.execute("BEGIN IMMEDIATE")
        other.execute("ROLLBACK")
    except sqlite3.OperationalError:
        return True
    finally:
        other.close()
    dispatcher.go_on()
    return False


@scenario()
def everything_killed_again_and_again(world: World) -> None:
    """Every part is killed again and again for a while, with requests coming in all the time."""
    sids = world.add(30)
    over = threading.Event()

    def ask() -> None:
        for recording_sid in sids:
            if over.is_set():
                return
            world.callers.enqueue(recording_sid)

    asking = threading.Thread(target=ask)
    asking.start()
    with world.fault("every part is killed again and again"):
        for _ in range(world.chance.randint(4, 8)):
            if parts := world.processes.parts():
                world.chance.choice(parts).kill()
            over.wait(world.chance.uniform(0.2, 1.5))
    over.set()
    asking.join()
    for recording_sid in sids:
        world.callers.enqueue_until_answered(recording_sid, within=world.recovery_seconds)
