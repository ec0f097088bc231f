"""A doorbell that is deaf, slow, forgetful, or remembers too much."""

import time

from recording_service.twilio_stand_in.gate import Gate
from tests.faults.proxy import Direction
from tests.faults.scenario import scenario
from tests.faults.world import World

#: Within what a caller hears that Redis can't be reached (reliability.md B3 #6), in seconds; and a webhook.
REFUSAL_SECONDS, WEBHOOK_REFUSAL_SECONDS = 3.0, 5.0
#: What a busy machine may add to that, in seconds.
BUSY_SECONDS = 1.0


def _refused_in_time(world: World) -> None:
    """An enqueue and a webhook are refused in time, and again: never DUPLICATE."""
    sids = world.add(world.chance.randint(2, 4))
    for recording_sid in sids * 2:
        answer = world.callers.enqueue(recording_sid)
        assert "ENQUEUE_REASON_ERROR" in answer.said, answer
        assert answer.told_at - answer.asked_at < REFUSAL_SECONDS + BUSY_SECONDS, answer
    answer = world.callers.webhook(sids[0])
    assert answer.status == "500", answer
    assert answer.told_at - answer.asked_at < WEBHOOK_REFUSAL_SECONDS + BUSY_SECONDS, answer


@scenario(6)
def redis_refused(world: World) -> None:
    """Connections to Redis are refused."""
    world.ready(there := world.add(2))
    with world.fault("Redis refuses connections"):
        world.redis_proxy.refuse()
        _refused_in_time(world)
        for recording_sid in there:
            assert world.callers.stream(recording_sid).status == "OK"
            assert world.callers.play(recording_sid).status == "200"
        world.redis_proxy.mend()


@scenario(6)
def redis_black_hole(world: World) -> None:
    """Redis swallows everything and answers nothing."""
    world.ready(there := world.add(2))
    with world.fault("Redis is a black hole"):
        world.redis_proxy.black_hole()
        _refused_in_time(world)
        assert world.callers.play(there[0], 0, 1).status == "206"
        world.redis_proxy.mend()


@scenario(6)
def redis_three_seconds_late(world: World) -> None:
    """Each of Redis' answers comes three seconds late."""
    with world.fault("Redis answers after 3 s"):
        world.redis_proxy.delay(3.0)
        _refused_in_time(world)
        world.redis_proxy.mend()


@scenario(5)
def redis_reply_lost(world: World) -> None:
    """Redis has executed the push, but its reply is lost."""
    sids = world.add(6)
    for recording_sid in sids:
        world.redis_proxy.cut_reply(b"EVALSHA")
        world.history.struck("the reply to a push is lost")
        # DUPLICATE is true where the dispatcher has rung meanwhile: the checker looks whether it has.
        world.callers.enqueue(recording_sid)
    world.redis_proxy.mend()
    world.mended()
    for recording_sid in sids:
        world.callers.enqueue_until_answered(recording_sid)


@scenario(5)
def redis_connections_cut(world: World) -> None:
    """Connections to Redis are cut after a few bytes, again and again."""
    sids = world.add(12)
    with world.fault("Redis connections are cut"):
        for recording_sid in sids:
            world.redis_proxy.cut_after(world.chance.randint(1, 600), world.chance.choice(list(Direction)))
            world.callers.enqueue(recording_sid)
        world.redis_proxy.mend()


def _busy(world: World, *, queued: int) -> list[Gate]:
    """Two recordings are being downloaded, and many are queued; the gates that hold the two."""
    sids = world.add(queued + 2)
    gates = [world.twilio.hold(recording_sid, after=2000) for recording_sid in sids[:2]]
    for recording_sid in sids[:2]:
        assert world.callers.enqueue(recording_sid).status == "OK"
    for gate in gates:
        gate.wait_reached()
    for answer in world.callers.batch(sids[2:]):
        assert answer.said == "ENQUEUED", answer
    return gates


def _let_go(gates: list[Gate]) -> None:
    for gate in gates:
        gate.release()


@scenario(7)
def flushall(world: World) -> None:
    """Redis forgets everything while 50 recordings are queued and two are being downloaded."""
    gates = _busy(world, queued=50)
    world.redis.flush()
    world.strike("FLUSHALL")
    _let_go(gates)


@scenario(8)
def redis_killed_with_its_memory(world: World) -> None:
    """Redis is killed and starts again with its append-only file."""
    gates = _busy(world, queued=20)
    with world.fault("Redis is killed"):
        world.redis.kill()
        _let_go(gates)
        world.callers.enqueue(world.add(1)[0])
        world.redis.start()


@scenario(8, append_only=False)
def redis_restarts_empty(world: World) -> None:
    """Redis is killed and starts again empty."""
    gates = _busy(world, queued=20)
    with world.fault("Redis is killed"):
        world.redis.kill()
        world.callers.enqueue(world.add(1)[0])
        world.redis.start_empty()
        _let_go(gates)


@scenario(8, append_only=False)
def redis_restarts_from_an_old_snapshot(world: World) -> None:
    """Redis is killed and starts again from a snapshot in which finished bells still wait."""
    gates = _busy(world, queued=20)
    world.redis.save_snapshot()
    _let_go(gates)
    world.mended()
    world.settle()
    more = world.add(5)
    with world.fault("Redis is killed and goes back in time"):
        world.redis.kill()
        for recording_sid in more:
            world.callers.enqueue(recording_sid)
        world.redis.restore_snapshot()
    before = len(world.twilio.requests)
    world.settle()
    assert len(world.twilio.requests) - before <= len(more), "an old bell has fetched again what is there"


@scenario()
def redis_frozen_and_thawed(world: World) -> None:
    """Redis stands still for a while, and then does everything that was asked of it meanwhile."""
    sids = world.add(6)
    with world.fault("Redis is frozen"):
        world.redis.freeze()
        for recording_sid in sids:
            world.callers.enqueue(recording_sid)
        world.redis.thaw()
    thawed_at = time.monotonic()
    for recording_sid in sids:
        world.callers.enqueue_until_answered(recording_sid)
    assert time.monotonic() - thawed_at < world.recovery_seconds
