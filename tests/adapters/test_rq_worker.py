"""The worker, in real processes: what it does, how it stops, and what it leaves when it is killed."""

import os
import signal
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event

import pytest
from redis import Redis
from rq.command import send_shutdown_command
from rq.job import JobStatus

from recording_service.adapters.redis_client import api_client, worker_client
from recording_service.adapters.rq_queue.job import RESULT_TTL_SECONDS, RecordingJob
from recording_service.adapters.rq_queue.queue import QUEUE_NAME
from recording_service.adapters.rq_queue.worker import MAINTENANCE_SECONDS, RecordingWorker, run_worker
from tests.support.bell_workers import Belfry, bell, is_running
from tests.support.redis_server import RedisServer
from tests.support.waiting import eventually

#: RQ takes a signal within a second of the one before for the same one: what is looked at here has to come later.
LATER_SECONDS = 1.2


def test_a_bell_is_answered_in_a_work_horse_that_was_prepared(belfry: Belfry) -> None:
    worker = belfry.start()
    belfry.ring(bell(1))

    _, job_id, pid = belfry.noted("answered")
    assert job_id == bell(1).job_id
    assert int(pid) != worker.process.pid
    assert belfry.notes("prepared") == [["prepared", pid]]


def test_bells_are_answered_one_by_one_in_order(belfry: Belfry) -> None:
    bells = [bell(number) for number in range(10)]
    belfry.ring(*bells)
    belfry.start()
    belfry.noted("answered", times=10)

    assert [told[1] for told in belfry.notes("answered")] == [one.job_id for one in bells]


def test_an_answered_bell_is_remembered_for_a_minute_and_leaves_nothing_for_ever(belfry: Belfry) -> None:
    belfry.ring(bell(1))
    belfry.start()
    key = f"rq:job:{bell(1).job_id}"
    eventually(lambda: belfry.client.hget(key, "status") == b"finished")

    assert 0 < belfry.client.ttl(key) <= RESULT_TTL_SECONDS
    assert 0 < belfry.client.ttl(f"rq:results:{bell(1).job_id}") <= RESULT_TTL_SECONDS
    assert belfry.taken() == []


def test_a_bell_whose_function_fails_is_tried_again_three_times(belfry: Belfry) -> None:
    worker = belfry.start()
    belfry.ring(bell(1), to="fail")

    assert "as it was told to" in belfry.reason(bell(1))
    assert len(belfry.notes("failed")) == 1 + 3
    assert belfry.notes("died") == []
    belfry.ring(bell(2))
    belfry.noted("answered")
    assert worker.process.poll() is None


def test_a_work_horse_that_is_killed_is_told_of_at_once_and_its_bell_tried_again(belfry: Belfry) -> None:
    worker = belfry.start()
    belfry.ring(bell(1), to="answer_when_released")
    horse = int(belfry.noted("began")[2])
    os.kill(horse, signal.SIGKILL)
    belfry.noted("died", worker.name)
    second = int(belfry.noted("began", times=2)[2])

    assert second != horse
    assert belfry.job(bell(1)).retries_left == 2
    belfry.release()
    belfry.noted("answered", bell(1).job_id)
    assert worker.process.poll() is None


def test_a_worker_that_is_killed_takes_its_work_horse_with_it(belfry: Belfry) -> None:
    worker = belfry.start()
    belfry.ring(bell(1), to="answer_when_released")
    horse = int(belfry.noted("began")[2])
    worker.send(signal.SIGKILL)
    worker.wait()

    eventually(lambda: not is_running(horse), within=2.0, what="the end of the work-horse")
    assert belfry.notes("answered") == []
    assert belfry.job(bell(1)).get_status() == JobStatus.STARTED


def test_a_work_horse_that_cant_be_prepared_is_dead_and_its_worker_is_not(belfry: Belfry) -> None:
    worker = belfry.start(wrong="prepare")
    belfry.ring(bell(1))

    assert "terminated unexpectedly" in belfry.reason(bell(1))
    belfry.noted("died", worker.name, times=1 + 3)
    assert len(belfry.notes("prepared")) == 1 + 3
    assert belfry.notes("answered") == []
    worker.send(signal.SIGTERM)
    assert worker.wait() == 0


def test_a_worker_survives_that_nobody_could_be_told(belfry: Belfry) -> None:
    worker = belfry.start(wrong="callback")
    belfry.ring(bell(1), to="answer_when_released")
    os.kill(int(belfry.noted("began")[2]), signal.SIGKILL)
    belfry.noted("died", worker.name)
    belfry.noted("began", times=2)
    belfry.release()

    belfry.noted("answered", bell(1).job_id)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_idle_worker_that_is_told_to_stop_is_soon_gone(belfry: Belfry, number: signal.Signals) -> None:
    worker = belfry.start()
    belfry.ring(bell(1))
    belfry.noted("answered")
    eventually(lambda: belfry.client.hget(f"rq:worker:{worker.name}", "state") == b"idle")
    told = time.monotonic()
    worker.send(number)

    assert worker.wait() == 0
    assert time.monotonic() - told < 5.0
    assert belfry.client.hexists(f"rq:worker:{worker.name}", "death")
    assert belfry.client.smembers("rq:workers") == set()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_busy_worker_that_is_told_to_stop_answers_its_bell_and_no_other(
    belfry: Belfry, number: signal.Signals
) -> None:
    worker = belfry.start()
    belfry.ring(bell(1), to="answer_when_released")
    belfry.ring(bell(2))
    belfry.noted("began")
    worker.send(number)
    belfry.release()

    assert worker.wait() == 0
    assert [told[1] for told in belfry.notes("answered")] == [bell(1).job_id]
    assert belfry.notes("died") == []
    assert belfry.job(bell(1)).get_status() == JobStatus.FINISHED
    assert belfry.job(bell(2)).get_status() == JobStatus.QUEUED


def test_a_signal_to_all_processes_at_once_does_not_kill_the_work_horse(belfry: Belfry) -> None:
    worker = belfry.start()
    belfry.ring(bell(1), to="answer_when_released")
    horse = int(belfry.noted("began")[2])
    for number in (signal.SIGTERM, signal.SIGINT):
        os.kill(horse, number)
    worker.send(signal.SIGTERM)
    belfry.release()

    assert worker.wait() == 0
    assert [told[1] for told in belfry.notes("answered")] == [bell(1).job_id]


def test_a_ctrl_c_followed_by_the_supervisors_signal_is_one_wish_to_stop(belfry: Belfry) -> None:
    worker = belfry.start()
    belfry.ring(bell(1), to="answer_when_released")
    belfry.noted("began")
    worker.send(signal.SIGINT)
    Event().wait(LATER_SECONDS)
    worker.send(signal.SIGTERM)
    Event().wait(0.2)
    assert worker.process.poll() is None
    belfry.release()

    assert worker.wait() == 0
    assert [told[1] for told in belfry.notes("answered")] == [bell(1).job_id]


def test_a_worker_that_is_told_twice_kills_its_work_horse_and_calls_it_no_death(belfry: Belfry) -> None:
    worker = belfry.start()
    belfry.ring(bell(1), to="answer_when_released")
    horse = int(belfry.noted("began")[2])

    worker.send(signal.SIGTERM)
    Event().wait(LATER_SECONDS)
    worker.send(signal.SIGTERM)

    assert worker.wait() == 0
    assert not is_running(horse)
    assert belfry.notes("died") == belfry.notes("answered") == []


def test_stopping_loses_no_bell_and_leaves_none_on_the_way(belfry: Belfry) -> None:
    bells = [bell(number) for number in range(120)]
    belfry.ring(*bells)
    answered = 0
    for _ in range(4):
        worker = belfry.start()
        belfry.noted("answered", times=answered + 7)
        worker.send(signal.SIGTERM)
        assert worker.wait() == 0
        answered = len(belfry.notes("answered"))
        assert belfry.taken() == []
        assert belfry.client.llen("rq:queue:recordings") + answered == len(bells)

    assert belfry.notes("died") == []


def test_a_bell_that_was_taken_when_the_signal_came_is_answered(belfry: Belfry) -> None:
    worker = belfry.start(wrong="stop when taken")
    belfry.ring(bell(1), bell(2))

    assert worker.wait() == 0
    assert [told[1] for told in belfry.notes("answered")] == [bell(1).job_id]
    assert belfry.taken() == []
    assert belfry.client.llen("rq:queue:recordings") == 1


def test_a_worker_has_one_thread_and_takes_no_orders_through_redis(belfry: Belfry) -> None:
    worker = belfry.start()
    belfry.ring(bell(1))
    belfry.noted("answered")
    send_shutdown_command(belfry.client, worker.name)
    belfry.client.set("rq:suspended", 1)
    belfry.ring(bell(2))

    belfry.noted("answered", bell(2).job_id)
    assert len(list(Path(f"/proc/{worker.process.pid}/task").iterdir())) == 1
    assert belfry.client.pubsub_channels() == []


def test_a_worker_says_nothing_when_all_is_well(belfry: Belfry) -> None:
    worker = belfry.start()
    belfry.ring(bell(1), bell(2))
    belfry.noted("answered", times=2)
    worker.send(signal.SIGTERM)
    assert worker.wait() == 0

    assert worker.output.read_text() == ""
    assert belfry.notes("handlers") == [["handlers", "0"]]


def test_what_a_worker_says_of_a_failure_names_neither_address_nor_arguments(belfry: Belfry) -> None:
    worker = belfry.start()
    belfry.ring(bell(1), to="answer_when_released")
    os.kill(int(belfry.noted("began")[2]), signal.SIGKILL)
    belfry.noted("died")
    belfry.noted("began", times=2)
    belfry.release()
    belfry.noted("answered")
    worker.send(signal.SIGTERM)
    worker.wait()

    said = worker.output.read_text()
    assert "terminated unexpectedly" in said
    assert ".sock" not in said
    assert f"'{bell(1).job_id}'" not in said


def test_a_second_worker_of_the_same_name_is_refused(belfry: Belfry, redis_server: RedisServer) -> None:
    first = belfry.start()
    eventually(lambda: belfry.client.exists(f"rq:worker:{first.name}"))
    client = worker_client(redis_server.url)
    with pytest.raises(ValueError, match="active worker"):
        run_worker(client, name=first.name, on_horse_died=lambda _: None, prepare_horse=lambda: None)
    client.close()


@pytest.fixture
def own_belfry(own_redis_server: RedisServer, tmp_path: Path) -> Iterator[Belfry]:
    """A queue in a Redis of its own."""
    client: Redis = api_client(own_redis_server.url)
    belfry = Belfry(own_redis_server.url, client, tmp_path)
    yield belfry
    belfry.stop()
    client.close()


def test_an_idle_worker_gets_over_a_redis_that_was_away_and_forgot_everything(
    own_belfry: Belfry, own_redis_server: RedisServer
) -> None:
    worker = own_belfry.start()
    own_belfry.ring(bell(1))
    own_belfry.noted("answered")
    own_redis_server.kill()
    eventually(lambda: "waiting for the queue" in worker.output.read_text())
    own_redis_server.start()
    own_belfry.ring(bell(2))

    own_belfry.noted("answered", bell(2).job_id)
    assert ".sock" not in worker.output.read_text()


def test_a_worker_can_be_stopped_while_redis_is_away(own_belfry: Belfry, own_redis_server: RedisServer) -> None:
    worker = own_belfry.start()
    own_belfry.ring(bell(1))
    own_belfry.noted("answered")
    own_redis_server.kill()
    eventually(lambda: "waiting for the queue" in worker.output.read_text())
    worker.send(signal.SIGTERM)

    assert worker.wait() == 0
    assert ".sock" not in worker.output.read_text()


@pytest.mark.parametrize("back", ["soon", "late"])
def test_a_redis_that_goes_away_while_a_bell_is_answered_costs_neither_the_answer_nor_the_worker(
    own_belfry: Belfry, own_redis_server: RedisServer, back: str
) -> None:
    worker = own_belfry.start()
    own_belfry.ring(bell(1), to="answer_when_released")
    own_belfry.noted("began")
    own_redis_server.kill()
    own_belfry.release()
    own_belfry.noted("answered", bell(1).job_id)
    if back == "late":
        # The work-horse could not say that it was done: the catalogue knows, and decides what that means.
        own_belfry.noted("died", worker.name)
    own_redis_server.start()
    own_belfry.ring(bell(2))

    own_belfry.noted("answered", bell(2).job_id)
    assert worker.process.poll() is None
    assert ".sock" not in worker.output.read_text()


@pytest.mark.parametrize("hours", [2, -2, -24 * 365])
def test_a_worker_cleans_up_at_its_intervals_whatever_the_wall_clock_is_set_to(
    belfry: Belfry, monkeypatch: pytest.MonkeyPatch, hours: int
) -> None:
    worker = RecordingWorker(
        belfry.client,
        queue_name=QUEUE_NAME,
        name="worker-with-a-clock",
        on_horse_died=lambda name: None,
        prepare_horse=lambda: None,
        job_class=RecordingJob,
    )
    due = [worker.should_run_maintenance_tasks]
    worker.run_maintenance_tasks()
    set_to = datetime.now(UTC) + timedelta(hours=hours)
    monkeypatch.setattr("rq.worker.base.now", lambda: set_to)
    due.append(worker.should_run_maintenance_tasks)
    later = time.monotonic() + MAINTENANCE_SECONDS + 1.0
    monkeypatch.setattr("time.monotonic", lambda: later)
    due.append(worker.should_run_maintenance_tasks)
    assert due == [True, False, True]
