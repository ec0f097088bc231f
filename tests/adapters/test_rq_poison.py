"""Jobs that somebody else has put into Redis: nothing they name is imported, called or asked, and workers go on."""

import json
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from recording_service.adapters.rq_queue.job import FAILURE_TTL_SECONDS
from tests.support.bell_workers import Belfry, bell
from tests.support.waiting import eventually

ANSWER = "tests.support.bell_functions.answer"
TRAP = "tests.support.trap.spring"


def call(function: object = ANSWER, instance: object = None, args: Any = (), kwargs: Any = None) -> str:
    """The data of a job, as the JSON serializer writes it."""
    return json.dumps([function, instance, args or [bell(1).job_id], kwargs or {}])


@pytest.fixture
def web_server() -> Iterator[socket.socket]:
    """Listens, to see whether anybody calls."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        yield listener


def assert_that_nobody_called(listener: socket.socket) -> None:
    with pytest.raises(BlockingIOError):
        listener.accept()


def assert_that_the_worker_goes_on(belfry: Belfry) -> None:
    belfry.ring(bell(99))
    belfry.noted("answered", bell(99).job_id)
    assert belfry.workers[0].process.poll() is None


NOT_BELLS: list[Any] = [
    pytest.param(call("os.system", args=["echo trapped by system >> {folder}/notes"]), {}, "allow-list", id="system"),
    pytest.param(call(TRAP), {}, "allow-list", id="another-function"),
    pytest.param(call("tests.support.bell_functions.note"), {}, "allow-list", id="another-function-of-the-module"),
    pytest.param(call("format", instance="{}"), {}, "allow-list", id="method"),
    pytest.param(call(instance="an instance"), {}, "allow-list", id="instance"),
    pytest.param(call([ANSWER]), {}, "allow-list", id="no-name"),
    pytest.param(call(None), {}, "allow-list", id="no-function"),
    pytest.param(call(args=[bell(1).job_id, "more"]), {}, "arguments", id="more-arguments"),
    pytest.param(call(args=[1]), {}, "arguments", id="no-text"),
    pytest.param(call(kwargs={"job_id": "x"}), {}, "arguments", id="named-arguments"),
    pytest.param(call(), {"success_callback_name": TRAP}, "callback", id="success-callback"),
    pytest.param(call(), {"failure_callback_name": TRAP}, "callback", id="failure-callback"),
    pytest.param(call(TRAP), {"failure_callback_name": TRAP}, "callback", id="failure-callback-of-a-failure"),
    pytest.param(call(), {"stopped_callback_name": TRAP}, "callback", id="stopped-callback"),
    pytest.param(call(), {"dependency_ids": '["another"]'}, "dependencies", id="dependencies"),
    pytest.param(call(), {"dependency_id": "another"}, "dependencies", id="dependency"),
    pytest.param(call(), {"repeats_left": "5", "repeat_intervals": "[0]"}, "repeats", id="repeats"),
    pytest.param(call(), {"group_id": "group"}, "group", id="group"),
    pytest.param(call(), {"rate_limit_key": "k", "rate_limit_concurrency": "1"}, "rate-limited", id="rate-limit"),
    pytest.param("[1, 2", {}, "data", id="half-the-data"),
    pytest.param("[]", {}, "data", id="no-data"),
    pytest.param("\x80\x04garbage", {}, "data", id="garbage"),
]


@pytest.mark.parametrize(("data", "fields", "reason"), NOT_BELLS)
def test_what_is_no_bell_is_not_run_and_fails_with_the_reason(
    belfry: Belfry, data: str, fields: dict[str, str], reason: str
) -> None:
    belfry.hang(bell(1), data.replace("{folder}", str(belfry.folder)), retries_left="1000000", **fields)
    belfry.start()

    said = belfry.reason(bell(1))
    assert "was not run" in said or "DeserializationError" in said
    assert reason in said or reason == "data"
    assert_that_the_worker_goes_on(belfry)
    assert belfry.notes("trapped") == []
    assert len(belfry.notes("answered")) == 1
    logged = belfry.workers[0].output.read_text()
    assert logged.count("did not run what is no bell") == 1
    assert "Traceback" not in logged, "another version's jobs are no bug of this one"
    assert 0 < belfry.client.ttl(f"rq:job:{bell(1).job_id}") <= FAILURE_TTL_SECONDS


@pytest.mark.parametrize("job_status", ["finished", "failed"])
def test_a_webhook_is_never_called(belfry: Belfry, web_server: socket.socket, job_status: str) -> None:
    port = web_server.getsockname()[1]
    webhook = {"url": f"http://127.0.0.1:{port}/", "job_status": job_status}
    belfry.hang(bell(1), call(), webhooks=json.dumps([webhook]))
    belfry.start()

    assert "webhook" in belfry.reason(bell(1))
    assert_that_the_worker_goes_on(belfry)
    assert_that_nobody_called(web_server)
    assert belfry.notes("answered", bell(1).job_id) == []


def test_a_callback_of_an_abandoned_job_is_not_called_by_maintenance(belfry: Belfry) -> None:
    belfry.hang(bell(1), call(), failure_callback_name=TRAP, status="started")
    belfry.client.delete("rq:queue:recordings")
    belfry.client.zadd("rq:wip:recordings", {f"{bell(1).job_id}:execution": time.time() - 100})
    belfry.start()

    assert "AbandonedJobError" in belfry.reason(bell(1))
    assert_that_the_worker_goes_on(belfry)
    assert belfry.notes("trapped") == []


@pytest.mark.parametrize(
    "fields",
    [
        {"timeout": "-1"},
        {"timeout": "0"},
        {"timeout": "99999999999999"},
        {"result_ttl": "-1"},
        {"result_ttl": "0"},
        {"failure_ttl": "0"},
        {"ttl": "1"},
        {"retry_intervals": "[]"},
        {"retry_intervals": '["soon"]'},
        {"meta": "[1]"},
        {"origin": "another-queue"},
        {"origin": ""},
    ],
    ids=lambda fields: "-".join(*fields.items()),
)
def test_a_bell_with_an_odd_field_is_answered_as_any_other(belfry: Belfry, fields: dict[str, str]) -> None:
    belfry.hang(bell(1), call(), **fields)
    belfry.start()
    key = f"rq:job:{bell(1).job_id}"

    belfry.noted("answered", bell(1).job_id)
    eventually(lambda: belfry.client.hget(key, "status") == b"finished")
    assert belfry.client.ttl(key) > 0
    eventually(lambda: belfry.taken() == [])
    assert_that_the_worker_goes_on(belfry)


CORRUPT: list[Any] = [
    pytest.param({"status": "no status at all"}, id="status"),
    pytest.param({"created_at": "the day before"}, id="time"),
    pytest.param({"timeout": "soon"}, id="timeout"),
    pytest.param({"result_ttl": "long"}, id="time-to-live"),
    pytest.param({"retries_left": "some"}, id="retries"),
    pytest.param({"dependency_ids": "{"}, id="dependencies"),
    pytest.param({"worker_name": b"\xff\xfe"}, id="name"),
    pytest.param({"description": b"\xff\xfe"}, id="description"),
    pytest.param({b"\xff\xfe": "value"}, id="field"),
]


@pytest.mark.parametrize("fields", CORRUPT)
@pytest.mark.parametrize("where", ["waiting", "taken", "started"])
def test_a_job_that_cant_be_read_is_removed_wherever_it_is(
    belfry: Belfry, fields: dict[bytes | str, bytes | str], where: str
) -> None:
    belfry.ring(bell(1))
    key = f"rq:job:{bell(1).job_id}"
    belfry.client.hset(key, mapping=fields)  # type: ignore[arg-type]
    put(belfry, bell(1).job_id.encode(), where)
    belfry.start()

    assert_that_the_worker_goes_on(belfry)
    assert not belfry.client.exists(key)
    assert belfry.notes("answered", bell(1).job_id) == []


@pytest.mark.parametrize("where", ["waiting", "taken", "started"])
@pytest.mark.parametrize("kind", ["ghost", "text", "nothing"])
def test_what_is_no_job_at_all_is_removed_wherever_it_is(belfry: Belfry, kind: str, where: str) -> None:
    belfry.ring(bell(1))
    key = f"rq:job:{bell(1).job_id}"
    belfry.client.delete(key)
    if kind == "ghost":
        belfry.client.hset(key, "last_heartbeat", "2026-01-01T00:00:00.000000Z")
    elif kind == "text":
        belfry.client.set(key, "no hash")
    put(belfry, bell(1).job_id.encode(), where)
    belfry.start()

    assert_that_the_worker_goes_on(belfry)
    assert not belfry.client.exists(key)


@pytest.mark.parametrize("where", ["waiting", "taken", "started"])
@pytest.mark.parametrize("name", [b"\xff\xfe", b"with space", b"", b"a:b:c", b"x" * 5000])
def test_what_is_no_name_of_a_job_stops_nobody(belfry: Belfry, name: bytes, where: str) -> None:
    belfry.client.rpush("rq:queue:recordings", name)
    put(belfry, name, where)
    belfry.start()

    assert_that_the_worker_goes_on(belfry)


def test_maintenance_gets_past_what_is_no_name_of_a_job(belfry: Belfry) -> None:
    belfry.client.rpush("rq:queue:recordings:intermediate", b"\xff\xfe", b"with space", bell(1).job_id)
    worker = belfry.start()

    assert_that_the_worker_goes_on(belfry)
    assert "cleaning up failed" in worker.output.read_text()
    assert set(belfry.taken()) <= {bell(1).job_id.encode()}
    worker.send(signal.SIGTERM)
    assert worker.wait() == 0


def put(belfry: Belfry, name: bytes, where: str) -> None:
    """Moves what waits to where a worker would have left it."""
    if where != "waiting":
        belfry.client.delete("rq:queue:recordings")
    if where == "taken":
        belfry.client.rpush("rq:queue:recordings:intermediate", name)
    if where == "started":
        belfry.client.zadd("rq:wip:recordings", {name + b":execution": time.time() - 100})


def test_the_traps_of_these_tests_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BELL_FOLDER", str(tmp_path))
    from tests.support import trap

    trap.spring()
    assert (tmp_path / "notes").read_text().splitlines()[-1] == "trapped by call"
