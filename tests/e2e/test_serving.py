"""`serve` as an operator knows it: one command, one Ctrl-C, one of it a data directory; and its parts one by one."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from functools import partial
from pathlib import Path

import pytest

from recording_service.adapters.embedded_redis import EmbeddedRedis
from recording_service.twilio_stand_in.server import TwilioStandIn
from tests.support.processes import Process
from tests.support.running_service import (
    ACCOUNT_SID,
    AUTH_TOKEN,
    RunningService,
    free_port,
    running_service,
    seconds_since,
    stop,
)
from tests.support.waiting import eventually

Start = Callable[..., AbstractContextManager[RunningService]]


def test_one_interrupt_to_the_whole_terminal_stops_all_of_it_cleanly(
    start_service: Start, twilio: TwilioStandIn
) -> None:
    with start_service() as service:
        parts = service.parts()
        assert len(parts) >= 6
        for process in [Process.at(service.process.pid), *parts]:  # what a terminal's Ctrl-C does
            process.send(signal.SIGINT)

        assert service.process.wait(20.0) == 0
        assert not [part for part in parts if part.is_alive()]
        assert "Traceback" not in service.log
        assert service.log.splitlines()[-1].endswith("stopped")


def test_a_clean_stop_in_mid_download_spends_nothing_and_the_next_serve_goes_on(
    tmp_path: Path, twilio: TwilioStandIn
) -> None:
    recording_sid = twilio.add_recording(duration=30).recording_sid
    gate = twilio.hold(recording_sid, after=1000)
    with running_service(tmp_path, twilio, RECORDING_TIME_SCALE="0.1") as service:
        service.enqueue(recording_sid)
        gate.wait_reached()
        service.process.send_signal(signal.SIGTERM)
        eventually(lambda: "stopping" in service.log)
        service.process.send_signal(signal.SIGTERM)
        assert service.process.wait(30.0) == 0
        assert "attempt 1 was given back" in service.log
    gate.release()

    with running_service(tmp_path, twilio, RECORDING_TIME_SCALE="0.1") as service:
        service.ready(recording_sid)
        assert service.stream(recording_sid) == twilio.media(recording_sid)


def test_a_kill_of_serve_leaves_nothing_behind_and_the_next_one_starts(tmp_path: Path, twilio: TwilioStandIn) -> None:
    recording_sid = twilio.add_recording(duration=5).recording_sid
    gate = twilio.hold(recording_sid, after=1000)
    with running_service(tmp_path, twilio, RECORDING_TIME_SCALE="0.1") as service:
        service.enqueue(recording_sid)
        gate.wait_reached()
        parts = service.parts()
        service.process.kill()
        service.process.wait(5.0)
        eventually(lambda: not [part for part in parts if part.is_alive()], within=5.0, what="the end of every part")
    gate.release()

    with running_service(tmp_path, twilio, RECORDING_TIME_SCALE="0.1") as service:
        service.ready(recording_sid)


def is_another(service: RunningService, part: str, former: Process) -> bool:
    """Whether a part runs, in another process than that one."""
    return service.parts(part) not in ([], [former])


def test_a_part_that_dies_is_started_again(start_service: Start, twilio: TwilioStandIn) -> None:
    with start_service() as service:
        for part in ("http", "grpc", "dispatcher", "worker-1"):
            [process] = service.parts(part)
            process.kill()
            eventually(partial(is_another, service, part, process), what=f"{part} again")
        service.wait_until_up()
        recording_sid = twilio.add_recording(duration=2).recording_sid
        service.enqueue(recording_sid)
        service.ready(recording_sid)


def test_a_second_serve_on_one_data_directory_is_refused(service: RunningService) -> None:
    environment = {
        **service.environment,
        "RECORDING_GRPC_ADDRESS": f"127.0.0.1:{free_port()}",
        "RECORDING_HTTP_ADDRESS": f"127.0.0.1:{free_port()}",
    }
    command = [sys.executable, "-m", "recording_service", "serve"]
    second = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=30, check=False)

    assert second.returncode == 78
    assert "RECORDING_DATA_DIR" in second.stderr
    assert "Traceback" not in second.stderr


@pytest.mark.parametrize("variable", ["RECORDING_GRPC_ADDRESS", "RECORDING_HTTP_ADDRESS"])
def test_an_address_that_is_taken_ends_serve_and_is_named(
    service: RunningService, tmp_path: Path, variable: str
) -> None:
    environment = {
        **service.environment,
        "RECORDING_DATA_DIR": str(tmp_path / "data"),
        "RECORDING_GRPC_ADDRESS": f"127.0.0.1:{free_port()}",
        "RECORDING_HTTP_ADDRESS": f"127.0.0.1:{free_port()}",
        variable: service.environment[variable],
    }
    command = [sys.executable, "-m", "recording_service", "serve"]
    second = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)

    assert second.returncode == 78
    assert variable in second.stderr
    assert "Traceback" not in second.stderr


def test_it_listens_within_three_seconds(tmp_path: Path, twilio: TwilioStandIn) -> None:
    started = time.monotonic()
    with running_service(tmp_path, twilio):
        assert seconds_since(started) < 3.0


def test_the_parts_work_as_processes_of_their_own(tmp_path: Path, twilio: TwilioStandIn) -> None:
    redis = EmbeddedRedis(tmp_path / "redis")
    redis.start()
    with ExitStack() as stack:
        stack.callback(redis.stop)
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("RECORDING_", "TWILIO_"))},
            "RECORDING_DATA_DIR": str(tmp_path / "data"),
            "RECORDING_REDIS_URL": redis.url,
            "RECORDING_GRPC_ADDRESS": f"127.0.0.1:{free_port()}",
            "RECORDING_HTTP_ADDRESS": f"127.0.0.1:{free_port()}",
            "RECORDING_TIME_SCALE": "0.1",
            "TWILIO_ACCOUNT_SID": ACCOUNT_SID,
            "TWILIO_AUTH_TOKEN": AUTH_TOKEN,
            "TWILIO_API_URL": twilio.url,
        }
        log = stack.enter_context((tmp_path / "serve.log").open("wb"))
        processes = [
            subprocess.Popen([sys.executable, "-m", "recording_service", part], env=environment, stdout=log, stderr=log)
            for part in ("grpc", "http", "dispatch", "worker")
        ]
        for process in processes:
            stack.callback(process.wait)
            stack.callback(process.kill)
        service = RunningService(tmp_path, twilio, processes[0], environment)
        stack.callback(service.channel.close)
        service.wait_until_up()
        recording_sid = twilio.add_recording(duration=2).recording_sid

        answer = twilio.send_webhook(f"{service.http_url}/webhooks/twilio/recording-status", recording_sid)
        assert answer.status == 200
        service.ready(recording_sid)

        assert [stop(process) for process in processes] == [0, 0, 0, 0], service.log
        assert "Traceback" not in service.log


@pytest.mark.parametrize("part", ["grpc", "worker", "dispatch"])
def test_a_part_alone_says_which_variable_is_missing(tmp_path: Path, part: str) -> None:
    environment = {**os.environ, "RECORDING_DATA_DIR": str(tmp_path / "data")}
    command = [sys.executable, "-m", "recording_service", part]
    alone = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=30, check=False)

    assert alone.returncode == 78
    assert "RECORDING_REDIS_URL" in alone.stderr
    assert "Traceback" not in alone.stderr
