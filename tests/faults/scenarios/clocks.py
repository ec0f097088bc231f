"""Wall clocks that are set."""

from recording_service.twilio_stand_in import answers
from tests.faults.scenario import scenario
from tests.faults.world import World
from tests.support.waiting import eventually
from tests.support.wall_clocks import WallClock

#: The furthest that a clock is set, in seconds.
FURTHEST_SECONDS = 7200
#: How long Twilio has one recording wait, in seconds of the service's own clocks.
BACK_OFF_SECONDS = 100

#: Within that all have looked: the dispatcher at leases, and RQ at its work-horses, every 10 s by any clocks.
PAST_ALL_LOOKS_SECONDS = 12.0


@scenario(30)
def clocks_that_jump(world: World) -> None:
    """The wall clock jumps, by up to 2 h, under what is queued, put off and in mid download: all in time, and once."""
    clock = WallClock(world.folder)
    world.restart_with(**clock.environment)
    world.ready(there := world.add(3))
    held, queued, [put_off] = world.add(2, shortest=20.0, longest=40.0), world.add(8), world.add(1)
    world.twilio.behave(put_off, answers.too_many_requests(BACK_OFF_SECONDS))
    world.callers.enqueue(put_off)
    eventually(
        lambda: (world.catalogue.row(put_off) or {})["waiting_reason"] == "rate_limited", what="the back-off's begin"
    )
    gates = [world.twilio.hold(recording_sid, after=world.chance.randint(1, 40_000)) for recording_sid in held]
    for recording_sid in held:
        assert world.callers.enqueue(recording_sid).status == "OK"
    for gate in gates:
        gate.wait_reached()
    for recording_sid in queued:
        world.callers.enqueue_until_answered(recording_sid)
    late: list[str] = []
    with world.fault("the wall clock jumps"):
        for _ in range(world.chance.randint(1, 3)):
            clock.set(world.chance.randint(-FURTHEST_SECONDS, FURTHEST_SECONDS))
            late += world.add(2)
            for recording_sid in late[-2:]:
                world.callers.enqueue_until_answered(recording_sid)
        jumped_at = world.history.seconds()
        eventually(
            lambda: world.history.seconds() > jumped_at + PAST_ALL_LOOKS_SECONDS, what="everybody's look at the clock"
        )
        assert not world.spent(), "a clock that was set was counted as a failure"
        for gate in gates:
            gate.release()
    promised = world.recovery_seconds + BACK_OFF_SECONDS * world.time_scale
    world.wait_for([*there, *held, *queued, *late, put_off], "ready", within=promised)
    _nothing_twice(world, put_off)


def _nothing_twice(world: World, put_off: str) -> None:
    """Each was asked for once, but what Twilio has put off."""
    asked = [request.recording_sid for request in world.twilio.requests]
    again = {recording_sid for recording_sid in asked if asked.count(recording_sid) > 1}
    assert again == {put_off}, f"asked for again: {again - {put_off}}"
    assert asked.count(put_off) == 2, "what was put off was asked for too soon"
