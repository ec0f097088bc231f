"""How soon everything goes on, however long and often it was killed, or stood still."""

import os
import signal
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, closing
from itertools import cycle
from pathlib import Path

import grpc

from recording_service.adapters.embedded_redis import EmbeddedRedis
from recording_service.adapters.redis_client import api_client
from recording_service.twilio_stand_in.server import TwilioStandIn
from recordings.v1 import recording_pb2
from tests.support.processes import Process
from tests.support.running_service import RunningService, running_service, seconds_since
from tests.support.waiting import eventually

Start = Callable[..., AbstractContextManager[RunningService]]

#: The service's clocks in these tests.
TIME_SCALE = 0.1
#: What is promised, on these clocks; and what is not scaled: starts of Python, Redis's time-outs.
RECOVERY_SECONDS, UNSCALED_SECONDS = 75.0 * TIME_SCALE, 12.0
#: How long everything is killed, and how often: longer than every wait takes to grow to its longest.
GREMLIN_SECONDS, KILL_SECONDS = 25.0, 0.4
#: How long Redis is away, longer than waits take to grow; and within what workers hear bells again, in seconds.
AWAY_SECONDS, HEARING_SECONDS = 25.0, 10.0
LEASE_SECONDS = 30.0 * TIME_SCALE


def try_to_enqueue(service: RunningService, recording_sid: str) -> bool:
    """Whether the service has taken it on."""
    try:
        service.enqueue(recording_sid)
    except grpc.RpcError:
        return False
    return True


def wait_until(moment: float) -> None:
    """Returns at that moment of the monotonic clock."""
    eventually(lambda: time.monotonic() >= moment, within=60.0, what="the moment")


def workers(redis: EmbeddedRedis) -> list[bytes]:
    """The workers that Redis knows."""
    with closing(api_client(redis.url)) as client:
        return list(client.smembers("rq:workers"))  # type: ignore[arg-type]


def kill_one(service: RunningService, part: str) -> None:
    """Kills a part, if it runs just now."""
    for process in service.parts(part)[:1]:
        process.kill()


def test_after_minutes_of_kills_everything_goes_on_as_soon_as_after_one(
    start_service: Start, twilio: TwilioStandIn
) -> None:
    with start_service(RECORDING_WORKERS="2", RECORDING_TIME_SCALE=str(TIME_SCALE)) as service:
        parts = cycle(["dispatcher", "worker-1", "grpc", "redis", "worker-2", "http"])
        taken: list[str] = []
        began = time.monotonic()
        while seconds_since(began) < GREMLIN_SECONDS:
            kill_one(service, next(parts))
            recording_sid = twilio.add_recording(duration=2).recording_sid
            next_kill = time.monotonic() + KILL_SECONDS
            if try_to_enqueue(service, recording_sid):
                taken.append(recording_sid)
            wait_until(next_kill)
        stopped_at = time.monotonic()
        service.wait_until_up()
        new = twilio.add_recording(duration=2).recording_sid
        eventually(lambda: try_to_enqueue(service, new), within=RECOVERY_SECONDS + UNSCALED_SECONDS, what="an answer")
        assert taken, "nothing was taken on in all that time"
        for recording_sid in [*taken, new]:
            service.ready(recording_sid, within=RECOVERY_SECONDS + UNSCALED_SECONDS)
        assert seconds_since(stopped_at) < RECOVERY_SECONDS + UNSCALED_SECONDS


def test_workers_hear_bells_again_as_soon_as_redis_is_back_however_long_it_was_away(
    tmp_path: Path, twilio: TwilioStandIn
) -> None:
    redis = EmbeddedRedis(tmp_path / "redis")
    with redis, running_service(tmp_path, twilio, RECORDING_WORKERS="2", RECORDING_REDIS_URL=redis.url) as service:
        assert redis.process_id is not None
        os.kill(redis.process_id, signal.SIGKILL)
        eventually(lambda: not redis.alive(), what="the end of Redis")
        kill_one(service, "worker-1")  # the one is started without Redis, again and again, and the other one waits
        refused = twilio.add_recording(duration=2).recording_sid
        assert not try_to_enqueue(service, refused)
        wait_until(time.monotonic() + AWAY_SECONDS)
        redis.start()
        back_at = time.monotonic()
        eventually(lambda: len(workers(redis)) == 3, within=HEARING_SECONDS, what="all workers that listen")
        service.ready(refused, within=HEARING_SECONDS)
        assert seconds_since(back_at) < HEARING_SECONDS
        assert "Traceback" not in service.log


def test_a_host_that_was_suspended_ends_no_attempt(start_service: Start, twilio: TwilioStandIn) -> None:
    with start_service(RECORDING_WORKERS="1", RECORDING_TIME_SCALE=str(TIME_SCALE)) as service:
        recording_sid = twilio.add_recording(duration=10).recording_sid
        gate = twilio.hold(recording_sid, after=1000)
        service.enqueue(recording_sid)
        gate.wait_reached()
        [dispatcher], [worker] = service.parts("dispatcher"), service.parts("worker-")
        # The dispatcher is the first to go on, and looks before anybody can have raised a lease; the supervisor is the
        # last: it ends parts that stand still while it does not.
        stopped = [dispatcher, worker, *worker.children(), Process.at(service.process.pid)]
        stopped_at = time.monotonic()
        for process in stopped:
            process.stop()
        wait_until(stopped_at + 2 * LEASE_SECONDS)
        for process in stopped:
            process.go_on()
            if process == dispatcher:
                wait_until(time.monotonic() + LEASE_SECONDS / 5)
        downloading = recording_pb2.RECORDING_STATE_DOWNLOADING
        since = time.monotonic()
        while seconds_since(since) < 2 * LEASE_SECONDS:
            recording = service.get(recording_sid)
            assert (recording.state, recording.attempt, recording.failures) == (downloading, 1, 0)
        gate.release()
        service.ready(recording_sid)
        assert [request.recording_sid for request in twilio.requests] == [recording_sid]
