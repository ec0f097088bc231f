"""Finding and signalling the processes of a real `serve`, and of programs that come and go."""

import dataclasses
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from recording_service.twilio_stand_in.server import TwilioStandIn
from tests.support.processes import Process, ServeProcesses
from tests.support.running_service import ACCOUNT_SID, AUTH_TOKEN, RunningService, running_service
from tests.support.waiting import eventually

RECORDING_SID = "RE" + "7" * 32


@pytest.fixture
def sleeper() -> Iterator["subprocess.Popen[bytes]"]:
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]) as process:
        yield process
        process.kill()


@pytest.fixture(scope="module")
def twilio() -> Iterator[TwilioStandIn]:
    with TwilioStandIn(account_sid=ACCOUNT_SID, auth_token=AUTH_TOKEN) as stand_in:
        yield stand_in


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, twilio: TwilioStandIn) -> Iterator[RunningService]:
    folder = tmp_path_factory.mktemp("service")
    with running_service(folder, twilio, RECORDING_TIME_SCALE="0.1", RECORDING_WORKERS="2") as running:
        yield running


@pytest.fixture
def serve(service: RunningService) -> ServeProcesses:
    return ServeProcesses(service.process.pid)


def test_a_process_that_is_killed_is_gone_and_nobody_else_gets_its_signals(
    sleeper: "subprocess.Popen[bytes]",
) -> None:
    process = Process.at(sleeper.pid)
    assert process.is_alive()
    # As it looks when somebody else has got the id.
    former = dataclasses.replace(process, started_ticks=process.started_ticks - 1)
    assert not former.is_alive()
    assert former.children() == []
    former.kill()
    for ask in (lambda: former.send(signal.SIGKILL), former.stop, former.go_on, lambda: former.memory):
        with pytest.raises(ProcessLookupError):
            ask()
    assert sleeper.poll() is None

    process.kill()
    # Nobody has asked for its exit status yet: it has ended nevertheless.
    assert not process.is_alive()
    process.wait_for_end(within=0.0)
    assert sleeper.wait() == -signal.SIGKILL
    process.kill()
    process.wait_for_end()
    with pytest.raises(ProcessLookupError):
        Process.at(sleeper.pid)


def test_a_process_stands_still_and_goes_on(sleeper: "subprocess.Popen[bytes]") -> None:
    process = Process.at(sleeper.pid)
    assert not process.stands_still()
    process.stop()
    assert process.stands_still()
    assert process.is_alive()
    process.go_on()
    eventually(lambda: not process.stands_still())
    process.stop()
    process.kill()
    assert not process.stands_still()


def test_one_that_does_not_end_is_told_of(sleeper: "subprocess.Popen[bytes]") -> None:
    with pytest.raises(AssertionError, match="did not end"):
        Process.at(sleeper.pid).wait_for_end(within=0.1)


def test_memory_is_counted_in_bytes() -> None:
    program = "import sys; block = bytearray(64_000_000); block[:] = b'x' * len(block); print(1, flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        memory = Process.at(process.pid).memory
        process.kill()
    assert 64_000_000 <= memory.proportional_bytes <= memory.resident_bytes < 400_000_000


def test_the_parts_are_found_by_their_names(serve: ServeProcesses, service: RunningService) -> None:
    assert sorted(part.name for part in serve.parts()) == [
        "dispatcher",
        "grpc",
        "http",
        "processor-1",
        "redis-server",
        "worker-1",
        "worker-2",
    ]
    assert [worker.name for worker in serve.workers()] == ["worker-1", "worker-2"]
    pid = service.process.pid
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    assert {process.pid for process in serve.everything()} == {pid, *map(int, children)}
    assert serve.proportional_bytes() < sum(one.memory.resident_bytes for one in serve.everything())


def test_work_horses_are_the_workers_children(serve: ServeProcesses, service: RunningService) -> None:
    assert serve.work_horses() == []
    service.twilio.add_recording(recording_sid=RECORDING_SID, duration=1)
    gate = service.twilio.hold(RECORDING_SID)
    service.enqueue(RECORDING_SID)
    gate.wait_reached()
    [horse] = serve.work_horses()
    assert horse in serve.everything()
    assert horse not in serve.workers()
    gate.release()
    service.ready(RECORDING_SID)
    horse.wait_for_end()
    eventually(lambda: serve.work_horses() == [])


def test_a_part_that_was_killed_is_waited_for(serve: ServeProcesses) -> None:
    former = serve.part("dispatcher")
    with pytest.raises(AssertionError, match="the restart of dispatcher"):
        serve.restarted(former, within=0.1)
    former.kill()
    successor = serve.restarted(former)
    assert successor.name == "dispatcher"
    assert successor.is_alive()
    assert successor != former
    assert serve.part("dispatcher") == successor


def test_there_is_no_serve_where_there_is_no_process(sleeper: "subprocess.Popen[bytes]") -> None:
    serve = ServeProcesses(sleeper.pid)
    assert serve.parts() == serve.workers() == serve.work_horses() == []
    sleeper.kill()
    sleeper.wait()
    assert serve.parts() == []
    with pytest.raises(ProcessLookupError):
        ServeProcesses(sleeper.pid)
