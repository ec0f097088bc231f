"""Failpoints as the environment arms them: in `serve` and its parts, and in each part that runs alone."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import grpc
import pytest

from recording_service.processes.exit_codes import EXIT_CONFIGURATION
from recording_service.twilio_stand_in.server import TwilioStandIn
from tests.support.commands import run, sound_variables
from tests.support.running_service import RunningService
from tests.support.waiting import eventually


def test_every_part_of_serve_is_killed_where_it_is_told_and_nothing_is_lost(
    tmp_path: Path, twilio: TwilioStandIn, start_service: Callable[..., AbstractContextManager[RunningService]]
) -> None:
    folder = tmp_path / "failpoints"
    recording_sid = twilio.add_recording(duration=2).recording_sid
    spec = "enqueue.after_commit=kill@1,dispatch.after_bell=kill@1,upload.after_link=kill@1"
    with start_service(RECORDING_FAILPOINTS=spec, RECORDING_FAILPOINTS_DIR=str(folder)) as service:
        with pytest.raises(grpc.RpcError) as lost:
            service.enqueue(recording_sid)
        assert lost.value.code() is grpc.StatusCode.UNAVAILABLE
        eventually(lambda: service.log.count("gRPC listens") == 2, what="another gRPC server")
        service.wait_until_up()
        ready = service.ready(recording_sid)
        assert service.stream(recording_sid) == twilio.media(recording_sid)
        log = service.log

    assert ready.attempt >= 2
    assert log.count("FAILPOINTS ARE ARMED") >= 5
    lines = [line.split() for line in (folder / "reached").read_text().splitlines()]
    assert [int(number) for number, _, _ in lines] == list(range(1, len(lines) + 1))
    names = [name for _, name, _ in lines]
    assert names[:3] == ["enqueue.request_read", "enqueue.before_commit", "enqueue.after_commit"]
    assert [names.count(name) for name in ("dispatch.after_mark", "upload.after_unlink", "download.after_ready")] == [
        names.count("dispatch.after_bell") - 1,
        names.count("upload.after_link") - 1,
        1,
    ]


@pytest.mark.parametrize("command", ["serve", "grpc", "worker", "dispatch"])
def test_no_part_starts_with_a_failpoint_that_there_is_not(tmp_path: Path, twilio: TwilioStandIn, command: str) -> None:
    wrong = {"RECORDING_FAILPOINTS": "enqueue.nowhere=kill", "RECORDING_FAILPOINTS_DIR": str(tmp_path)}

    refused = run(command, variables={**sound_variables(tmp_path, twilio), **wrong})

    assert refused.returncode == EXIT_CONFIGURATION
    (line,) = refused.stderr.splitlines()
    assert line.startswith("recording-service: RECORDING_FAILPOINTS: 'enqueue.nowhere' is no failpoint")
    assert "enqueue.after_commit" in line


@pytest.mark.parametrize("folder", [{}, {"RECORDING_FAILPOINTS_DIR": "/proc/nowhere"}])
def test_failpoints_need_a_folder(tmp_path: Path, twilio: TwilioStandIn, folder: dict[str, str]) -> None:
    variables = {**sound_variables(tmp_path, twilio), "RECORDING_FAILPOINTS": "*=trace", **folder}

    refused = run("serve", variables=variables)

    assert refused.returncode == EXIT_CONFIGURATION
    assert refused.stderr.startswith("recording-service: RECORDING_FAILPOINTS_DIR: ")
