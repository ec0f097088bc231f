"""The wall clock of a running service is set, by hours, forwards and backwards (reliability.md B3 #30)."""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import grpc
import pytest

from recording_service.twilio_stand_in.answers import too_many_requests
from recording_service.twilio_stand_in.server import TwilioStandIn
from recordings.v1 import recording_pb2
from tests.support.running_service import RunningService, seconds_since
from tests.support.waiting import eventually
from tests.support.wall_clocks import WallClock

Start = Callable[..., AbstractContextManager[RunningService]]

#: How long Twilio has one recording wait, in seconds, and how long that is on the service's clocks.
ASKED_SECONDS, TIME_SCALE = 250, 0.1
#: RQ looks after its work-horses every 10 s, by clocks that are not scaled.
PAST_RQS_LOOK_SECONDS = 12.0
#: For what is due, by scaled clocks; much less than the hours by which the clock is set.
SOON = 15.0


def hold(twilio: TwilioStandIn, service: RunningService) -> tuple[str, Callable[[], None]]:
    """A recording that a worker is in the middle of, until it is released."""
    recording_sid = twilio.add_recording(duration=10).recording_sid
    gate = twilio.hold(recording_sid, after=1000)
    service.enqueue(recording_sid)
    gate.wait_reached()
    return recording_sid, gate.release


def enqueue_unrung(twilio: TwilioStandIn, service: RunningService) -> str:
    """A recording whose caller could not ring."""
    recording_sid = twilio.add_recording(duration=2).recording_sid
    [redis] = service.parts("redis")
    redis.stop()
    try:
        with pytest.raises(grpc.RpcError):
            service.enqueue(recording_sid)
    finally:
        redis.go_on()
    return recording_sid


@pytest.mark.parametrize("hours", [2, -2])
def test_what_is_due_is_done_in_time_and_nothing_twice_though_the_clock_is_set(
    start_service: Start, twilio: TwilioStandIn, tmp_path: Path, hours: int
) -> None:
    clock = WallClock(tmp_path)
    with start_service(RECORDING_WORKERS="2", RECORDING_TIME_SCALE=str(TIME_SCALE), **clock.environment) as service:
        done = twilio.add_recording(duration=2).recording_sid
        service.enqueue(done)
        service.ready(done)
        waiting = twilio.add_recording(duration=2).recording_sid
        twilio.behave(waiting, too_many_requests(ASKED_SECONDS))
        service.enqueue(waiting)
        rate_limited = recording_pb2.WAITING_REASON_RATE_LIMITED
        eventually(lambda: service.get(waiting).waiting_reason == rate_limited, what="the wait")
        asked_at = time.monotonic()
        held, let_go = hold(twilio, service)
        other, let_other_go = hold(twilio, service)
        queued = [twilio.add_recording(duration=2).recording_sid for _ in range(5)]
        for recording_sid in queued:
            service.enqueue(recording_sid)
        unrung = enqueue_unrung(twilio, service)

        clock.set(hours * 3600)
        set_at = time.monotonic()
        let_other_go()
        new = twilio.add_recording(duration=2).recording_sid
        service.enqueue(new)
        for recording_sid in [other, *queued, unrung, new]:
            service.ready(recording_sid, within=SOON)
        assert seconds_since(set_at) < SOON
        eventually(lambda: seconds_since(set_at) > PAST_RQS_LOOK_SECONDS, what="RQ's look at its work-horse")
        let_go()
        service.ready(held, within=SOON)
        assert service.ready(waiting, within=ASKED_SECONDS * TIME_SCALE + SOON).attempt >= 2

        requests = [request.recording_sid for request in twilio.requests]
        once = [done, held, other, *queued, unrung, new]
        assert {recording_sid: requests.count(recording_sid) for recording_sid in once} == dict.fromkeys(once, 1)
        again = [request.time for request in twilio.requests if request.recording_sid == waiting]
        assert len(again) == 2
        assert again[1] - asked_at > ASKED_SECONDS * TIME_SCALE - 1.0
        assert service.get(held).failures == 0
        assert "the wall clock was set by" in service.log
