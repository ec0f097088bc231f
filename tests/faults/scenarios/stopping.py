"""A service that is stopped: by Ctrl-C, by an operator, and by an operator who does not wait."""

import os
import signal
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from recording_service.twilio_stand_in.gate import Gate
from tests.faults.scenario import scenario
from tests.faults.world import World
from tests.support.waiting import eventually

#: What an orderly stop takes at most: http, gRPC, the dispatcher and the workers, one after the other, in seconds.
LONGEST_STOP_SECONDS = 50.0


@scenario(12)
def interrupted(world: World) -> None:
    """Ctrl-C reaches the whole group in the middle of its work, perhaps twice; started again, nothing was burned."""
    gates = _busy(world)
    is_impatient, lets_go = world.chance.random() < 0.4, world.chance.random() < 0.5
    group = world.processes.supervisor.pid
    with world.fault(f"Ctrl-C{' twice' if is_impatient else ''}"), _still_asked(world):
        os.killpg(group, signal.SIGINT)
        interrupted_at = world.history.seconds()
        if lets_go:
            _release(gates)
        if is_impatient:
            second_at = interrupted_at + world.chance.uniform(0.1, 3.0)
            eventually(lambda: world.history.seconds() > second_at, what="the second Ctrl-C's time")
            if world.processes.supervisor.is_alive():
                os.killpg(group, signal.SIGINT)
        assert world.await_end_of_service(within=LONGEST_STOP_SECONDS) == 0
        nothing_was_burned(world)
        _release(gates)
        world.start_service()


@scenario(12)
def terminated_and_killed(world: World) -> None:
    """SIGTERM, and SIGKILL from an operator who does not wait for its end; started again, nothing was lost."""
    gates = _busy(world)
    patience = world.chance.uniform(0.0, 15.0)
    with world.fault(f"SIGTERM, and SIGKILL after {patience:.1f} s"), _still_asked(world):
        world.processes.supervisor.send(signal.SIGTERM)
        try:
            assert world.await_end_of_service(within=patience) == 0
        except subprocess.TimeoutExpired:
            world.kill_service()
        else:
            nothing_was_burned(world)
        _release(gates)
        world.start_service()


def _busy(world: World) -> list[Gate]:
    """Two recordings are in mid download, and more are queued; the gates that hold the two."""
    held, queued = world.add(2, shortest=20.0, longest=40.0), world.add(10)
    gates = [world.twilio.hold(recording_sid, after=world.chance.randint(1, 40_000)) for recording_sid in held]
    for recording_sid in held:
        assert world.callers.enqueue(recording_sid).status == "OK"
    for gate in gates:
        gate.wait_reached()
    world.callers.batch(queued)
    return gates


def _release(gates: list[Gate]) -> None:
    for gate in gates:
        gate.release()


@contextmanager
def _still_asked(world: World) -> Iterator[None]:
    """Callers go on asking for new recordings meanwhile, until all of them have an answer that is certain."""
    sids = world.add(4)
    with ThreadPoolExecutor(2) as pool:
        asking = [pool.submit(world.callers.enqueue_until_answered, recording_sid, 120.0) for recording_sid in sids]
        yield
        for one in asking:
            one.result()


def nothing_was_burned(world: World) -> None:
    """Of a service that has stopped in good order, and has not been started again: READY would forget failures."""
    assert not (spent := world.spent()), f"a clean stop was counted as a failure of {spent}"
