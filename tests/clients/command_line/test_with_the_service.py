import hashlib
import signal
import stat
import subprocess
import uuid
from pathlib import Path

import pytest
import requests

from recordings.command_line.exit_codes import ExitCode
from recordings.v1.enqueue_pb2 import ReportRecordingUnavailableRequest, UnavailableReason
from tests.clients.command_line.making_recordings import a_ready_recording, a_recording, a_sid
from tests.clients.command_line.running_command import COMMAND_SECONDS, RunningCommand
from tests.clients.command_line.scripted_service import RECORDING_SID, ScriptedService
from tests.support.running_service import RunningService


def test_enqueue_wait_and_fetch_bring_the_bytes(
    service: RunningService, recordings: RunningCommand, tmp_path: Path
) -> None:
    recording_sid = a_recording(service)

    enqueued = recordings("enqueue", recording_sid, "--label", "customer=42", "--json")
    fetched = recordings("fetch", recording_sid, "--wait", "--wait-timeout", "30s")

    assert enqueued.objects[0]["reason"] == "ENQUEUE_REASON_ENQUEUED"
    assert enqueued.objects[0]["recording"]["labels"] == {"customer": "42"}
    assert (fetched.code, fetched.stderr) == (ExitCode.OK, "")
    assert (tmp_path / f"{recording_sid}.mp3").read_bytes() == service.twilio.media(recording_sid)
    assert [path.name for path in tmp_path.iterdir()] == [f"{recording_sid}.mp3"]


def test_get_shows_the_contracts_fields_to_people_and_to_jq(
    service: RunningService, recordings: RunningCommand
) -> None:
    recording_sid = a_ready_recording(service)

    (shown,) = recordings("get", recording_sid, "--json").objects
    lines = dict(line.split(maxsplit=1) for line in recordings("get", recording_sid).text.splitlines())

    assert shown["sha256"] == hashlib.sha256(service.twilio.media(recording_sid)).hexdigest()
    assert (shown["state"], shown["recording_sid"]) == ("RECORDING_STATE_READY", recording_sid)
    assert (lines["state:"], lines["sha256:"]) == ("READY", shown["sha256"])


def test_list_filters_and_is_a_table_with_as_many_words_in_each_row(
    service: RunningService, recordings: RunningCommand
) -> None:
    call_sid = "CA" + uuid.uuid4().hex
    sids = {a_recording(service) for _ in range(3)}
    for recording_sid in sids:
        service.enqueue(recording_sid, call_sid=call_sid)
        service.ready(recording_sid)

    table = [line.split() for line in recordings("list", "--call-sid", call_sid).text.splitlines()]
    limited = recordings("list", "--call-sid", call_sid, "--state", "ready", "--limit", "2", "--json").objects

    assert table[0] == ["RECORDING_SID", "STATE", "SIZE_BYTES", "DURATION", "CREATE_TIME", "CALL_SID", "WHY"]
    assert {row[0] for row in table[1:]} == sids
    assert {len(row) for row in table} == {7}
    assert len(limited) == 2
    for nothing in (("--state", "failed"), ("--before", "2001-01-01"), ("--label", "a=b")):
        assert recordings("list", "--call-sid", call_sid, *nothing).stdout == b""


def test_watch_follows_to_the_end_and_says_by_its_code_which_it_was(
    service: RunningService, recordings: RunningCommand
) -> None:
    ready = a_recording(service)
    absent = a_recording(service)
    service.stub.ReportRecordingUnavailable(
        ReportRecordingUnavailableRequest(recording_sid=absent, reason=UnavailableReason.UNAVAILABLE_REASON_ABSENT),
        timeout=10.0,
    )
    service.enqueue(ready)

    followed = recordings("watch", ready, "--json", "--timeout", "30s")
    failed = recordings("watch", absent)

    assert (followed.code, followed.objects[-1]["state"]) == (ExitCode.OK, "RECORDING_STATE_READY")
    assert (failed.code, failed.text.split()[-1]) == (ExitCode.FAILED, "SOURCE_ABSENT")
    assert recordings("fetch", absent).code == ExitCode.FAILED
    assert recordings("watch", a_sid()).code == ExitCode.NOT_FOUND


def test_processing_that_failed_is_a_failure_for_whoever_waits_for_it(scripted_recordings: RunningCommand) -> None:
    assert scripted_recordings("watch", RECORDING_SID).code == ExitCode.OK
    assert scripted_recordings("watch", RECORDING_SID, "--until", "processed").code == ExitCode.FAILED


def test_what_is_not_here_yet_is_not_ready_and_a_watch_ends_when_it_is_told(
    service: RunningService, recordings: RunningCommand
) -> None:
    recording_sid = a_recording(service)
    gate = service.twilio.hold(recording_sid, after=1000)
    service.enqueue(recording_sid)
    gate.wait_reached()

    fetched = recordings("fetch", recording_sid)
    watched = recordings("watch", recording_sid, "--timeout", "1s")
    gate.release()

    assert (fetched.code, "--wait" in fetched.stderr) == (ExitCode.NOT_READY, True)
    assert (watched.code, watched.text.split().count("DOWNLOADING")) == (ExitCode.UNAVAILABLE, 1)


def test_ctrl_c_ends_a_watch_with_130(service: RunningService, recordings: RunningCommand) -> None:
    recording_sid = a_recording(service)
    gate = service.twilio.hold(recording_sid, after=1000)
    service.enqueue(recording_sid)
    gate.wait_reached()

    with recordings.start("watch", recording_sid, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=COMMAND_SECONDS)
    gate.release()

    assert (process.returncode, stderr.strip()) == (ExitCode.INTERRUPTED, b"recordings: interrupted")


def test_url_prints_a_url_that_plays(service: RunningService, recordings: RunningCommand) -> None:
    recording_sid = a_ready_recording(service)

    url = recordings("url", recording_sid, "--ttl", "1h").text.strip()
    whole = recordings("url", recording_sid, "--attachment", "--json").objects[0]

    path = url.removeprefix("https://recordings.example.com")
    assert requests.get(service.http_url + path, timeout=10).content == service.twilio.media(recording_sid)
    assert set(whole) >= {"url", "status_url", "expire_time"}
    assert recordings("url", recording_sid, "--ttl", "8d").code == ExitCode.USAGE


def test_play_gives_a_player_the_bytes(service: RunningService, recordings: RunningCommand, tmp_path: Path) -> None:
    recording_sid = a_ready_recording(service)
    player = tmp_path / "player"
    player.write_text(f"#!/bin/sh\ncat > {tmp_path}/heard\n")
    player.chmod(player.stat().st_mode | stat.S_IXUSR)

    assert recordings("play", recording_sid, "--player", str(player)).code == ExitCode.OK
    assert (tmp_path / "heard").read_bytes() == service.twilio.media(recording_sid)


def test_a_player_that_leaves_early_is_no_trouble_and_one_that_fails_or_is_missing_is_named(
    scripted: ScriptedService, scripted_recordings: RunningCommand
) -> None:
    left = scripted_recordings("play", RECORDING_SID, "--player", "head -c 10")
    failed = scripted_recordings("play", RECORDING_SID, "--player", "false")
    missing = scripted_recordings("play", RECORDING_SID, "--player", "no-such-player -")

    assert (left.code, len(left.stdout)) == (ExitCode.OK, 10)
    assert (failed.code, failed.stderr) == (ExitCode.ERROR, "recordings: false ended with 1\n")
    assert (missing.code, "--player" in missing.stderr) == (ExitCode.ERROR, True)


def test_delete_asks_at_a_terminal(service: RunningService, recordings: RunningCommand) -> None:
    recording_sid = a_ready_recording(service)

    declined = recordings.at_a_terminal("delete", recording_sid, typed=b"n\n")
    kept = recordings("get", recording_sid).code
    agreed = recordings.at_a_terminal("delete", recording_sid, typed=b"y\n")

    assert (declined.code, kept, agreed.code) == (ExitCode.ERROR, ExitCode.OK, ExitCode.OK)
    assert b"for good?" in declined.stdout
    assert recordings("get", recording_sid).code == ExitCode.NOT_FOUND


def test_delete_goes_on_after_what_can_not_be_deleted(service: RunningService, recordings: RunningCommand) -> None:
    first, second, unknown = a_ready_recording(service), a_ready_recording(service), a_sid()

    several = recordings("delete", "--yes", first, unknown, second)

    assert several.code == ExitCode.SOME_REFUSED
    assert [line.split() for line in several.text.splitlines()[1:]] == [[first, "DELETED"], [second, "DELETED"]]
    assert several.stderr.startswith(f"recordings: {unknown}: ")
    assert recordings("delete", "--yes", unknown).code == ExitCode.NOT_FOUND
    assert recordings("delete", "--yes", "--allow-missing", unknown).code == ExitCode.OK
    assert recordings("get", first).code == ExitCode.NOT_FOUND
    assert recordings("enqueue", first).code == ExitCode.NOT_FOUND


def test_of_several_the_refused_are_named_and_the_others_enqueued(
    service: RunningService, recordings: RunningCommand
) -> None:
    good = a_recording(service)

    ended = recordings("enqueue", "RE1", good)

    assert ended.code == ExitCode.SOME_REFUSED
    assert ended.text.split()[-3:-1] == [good, "ENQUEUED"]
    assert "recordings: RE1: recording_sid is malformed" in ended.stderr
    assert recordings("enqueue", "RE1").code == ExitCode.USAGE


def test_an_output_that_is_full_is_one_line_and_1(
    scripted: ScriptedService, scripted_recordings: RunningCommand
) -> None:
    with (
        Path("/dev/full").open("wb") as full,
        scripted_recordings.start("list", stdout=full, stderr=subprocess.PIPE) as ended,
    ):
        _, stderr = ended.communicate(timeout=COMMAND_SECONDS)

    assert (ended.returncode, stderr) == (ExitCode.ERROR, b"recordings: writing: No space left on device\n")


def test_a_terminal_has_colours_and_nobody_else(service: RunningService, recordings: RunningCommand) -> None:
    recording_sid = a_ready_recording(service)

    shown = recordings.at_a_terminal("get", recording_sid).stdout
    recordings.environment["NO_COLOR"] = "1"
    plain = recordings.at_a_terminal("get", recording_sid).stdout

    assert b"\x1b[32mREADY" in shown
    assert b"\x1b[" not in plain
    assert b"\x1b[" not in recordings("get", recording_sid).stdout


def test_a_reader_that_leaves_ends_a_list_quietly(
    scripted: ScriptedService, scripted_recordings: RunningCommand
) -> None:
    scripted.listed = 5000

    with scripted_recordings.start("list", "--json", stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.wait(COMMAND_SECONDS) == -signal.SIGPIPE
        assert process.stderr.read() == b""


def test_nobody_there_is_unavailable(tmp_path: Path) -> None:
    ended = RunningCommand("127.0.0.1:1", tmp_path)("get", a_sid())

    assert ended.code == ExitCode.UNAVAILABLE
    assert ended.stderr.startswith("recordings: ")
    assert ended.stderr.count("\n") == 1


def test_a_token_is_shown_from_a_file_or_the_environment_and_never_printed(
    service: RunningService, recordings: RunningCommand, tmp_path: Path
) -> None:
    (tmp_path / "token").write_text("a-secret-token\n")

    from_file = recordings("--token-file", "token", "get", a_sid())
    recordings.environment["RECORDING_GRPC_TOKEN"] = "a-secret-token"
    in_the_clear = recordings("--target", "recordings.example.com:443", "--no-tls", "get", a_sid())
    recordings.environment["RECORDING_GRPC_TOKEN_FILE"] = "token"
    both = recordings("get", a_sid())

    assert from_file.code == ExitCode.NOT_FOUND
    assert (in_the_clear.code, "in the clear" in in_the_clear.stderr) == (ExitCode.USAGE, True)
    assert both.code == ExitCode.USAGE
    assert "a-secret" not in from_file.stderr + in_the_clear.stderr + both.stderr


@pytest.mark.parametrize("command", ["get", "url", "watch", "fetch"])
def test_a_sid_that_is_none_is_named_as_the_field_it_is(
    service: RunningService, recordings: RunningCommand, command: str
) -> None:
    ended = recordings(command, "RE1")

    assert ended.code == ExitCode.USAGE
    assert "recording_sid is malformed" in ended.stderr
