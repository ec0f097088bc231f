"""What goes wrong between a caller's request and the bell."""

from functools import partial

from tests.faults.scenario import scenario
from tests.faults.world import World


@scenario(1)
def redis_out_of_memory(world: World) -> None:
    """Redis refuses every write: an enqueue is an error, never DUPLICATE, and is made good for afterwards."""
    sids = world.add(world.chance.randint(3, 8))
    with world.fault("Redis takes no more memory"):
        world.redis.client().config_set("maxmemory", 1)
        for _ in range(2):
            for answer in [world.callers.enqueue(recording_sid) for recording_sid in sids]:
                assert answer.status != "OK", answer
                assert "ENQUEUE_REASON_ERROR" in answer.said, answer
        assert world.callers.webhook(sids[0]).status == "500"
        world.redis.client().config_set("maxmemory", 0)
    for recording_sid in sids:
        assert world.callers.enqueue(recording_sid).said in ("ENQUEUED", "DUPLICATE", "CACHED")


@scenario(2, 3)
def killed_while_enqueueing(world: World) -> None:
    """The gRPC server is killed at one of the steps of an enqueue, before or after its commit."""
    name = world.chance.choice(["before_commit", "after_commit", "after_bell", "after_mark"])
    sids = world.add(4)
    world.restart_with_failpoints(f"enqueue.{name}=kill@{world.chance.randint(1, 3)}")
    with world.fault(f"killed at enqueue.{name}"):
        told = [world.callers.enqueue(recording_sid) for recording_sid in sids]
        assert any(answer.status == "UNAVAILABLE" for answer in told), told
    for recording_sid in sids:
        world.callers.enqueue_until_answered(recording_sid)


@scenario(4)
def a_thousand_identical_enqueues(world: World) -> None:
    """One recording is asked for a thousand times at once, over gRPC and by webhooks."""
    [recording_sid] = world.add(1)
    calls = [
        partial(world.callers.webhook if world.chance.random() < 0.3 else world.callers.enqueue, recording_sid)
        for _ in range(1000)
    ]
    world.strike("1000 at once")
    told = world.callers.at_once(calls, width=48)
    said = [answer.said for answer in told]
    assert said.count("ENQUEUED") == 1, sorted(said)
    assert set(said) <= {"ENQUEUED", "DUPLICATE", "CACHED"}, sorted(set(said))
    world.settle()
    assert len(world.twilio.requests) == 1, world.twilio.requests


@scenario(26)
def webhooks_again_and_out_of_order(world: World) -> None:
    """Webhooks come fifty times, in the wrong order, late, for two recordings of a call, and forged."""
    one, two, absent, forged = world.add(4)
    calls = [
        partial(world.callers.webhook, sid, status) for sid in (one, two) for status in ("in-progress", "completed")
    ]
    calls *= 13
    world.chance.shuffle(calls)
    world.strike("webhooks again and out of order")
    world.callers.at_once(calls, width=8)
    world.settle()
    for status in ("in-progress", "absent", "failed", "completed"):
        assert world.callers.webhook(one, status).status == "200"
    assert world.state(one) == "ready"
    world.cannot_be_had(absent)
    world.callers.webhook(absent, "absent")
    assert world.callers.webhook(forged, AccountSid="AC" + "e" * 32).status == "403"
    assert world.catalogue.row(forged) is None
