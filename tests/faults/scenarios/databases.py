"""Databases that are locked, crash and come back."""

import sqlite3
import time

from tests.faults.scenario import scenario
from tests.faults.world import World
from tests.support.waiting import eventually

#: Longest answer of a database that does not answer: SQLite is waited for 2 s, and a webhook has 4.5 in all.
BOUND_SECONDS = 6.0


def _answers_in_time(world: World, sids: list[str]) -> None:
    for recording_sid in sids:
        for answer in (world.callers.enqueue(recording_sid), world.callers.webhook(recording_sid)):
            assert answer.told_at - answer.asked_at < BOUND_SECONDS, answer


@scenario(32, expects_tracebacks=True)
def sqlite_locked(world: World) -> None:
    """Another process holds SQLite's write lock for a long time, in the middle of downloads."""
    held, *sids = world.add(4, shortest=8.0, longest=10.0)
    gate = world.twilio.hold(held, after=5000)
    world.callers.enqueue(held)
    gate.wait_reached()
    lock = sqlite3.connect(f"{world.folder}/data/catalogue.sqlite3", isolation_level=None)
    try:
        with world.fault("SQLite is locked"):
            lock.execute("BEGIN IMMEDIATE")
            locked_at = time.monotonic()
            gate.release()
            _answers_in_time(world, sids)
            lasting = max(30.0 * world.time_scale, 6.0)
            eventually(lambda: time.monotonic() - locked_at > lasting, within=60.0, what="the lock's end")
            lock.execute("ROLLBACK")
    finally:
        lock.close()
    for recording_sid in sids:
        world.callers.enqueue_until_answered(recording_sid)


@scenario(32, database="postgresql", expects_tracebacks=True)
def postgresql_crashes(world: World) -> None:
    """PostgreSQL crashes and comes back, in the middle of downloads and enqueues."""
    assert world.postgresql is not None
    held, *sids = world.add(12, shortest=8.0, longest=10.0)
    gate = world.twilio.hold(held, after=5000)
    world.callers.enqueue(held)
    gate.wait_reached()
    world.callers.batch(sids[:8])
    with world.fault("PostgreSQL crashes"):
        world.postgresql.crash_and_restart()
        gate.release()
        for recording_sid in sids[8:]:
            world.callers.enqueue_until_answered(recording_sid)
