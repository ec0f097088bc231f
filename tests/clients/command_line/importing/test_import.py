import json
import signal
import subprocess
from pathlib import Path

from recordings.command_line.exit_codes import ExitCode
from tests.clients.command_line.making_recordings import a_ready_recording, a_recording, a_sid
from tests.clients.command_line.running_command import COMMAND_SECONDS, RunningCommand
from tests.clients.command_line.scripted_service import RECORDING_SID, ScriptedService
from tests.support.running_service import ACCOUNT_SID, RunningService
from tests.support.waiting import eventually


def test_import_takes_a_call_log_and_says_what_became_of_each_line(
    service: RunningService, recordings: RunningCommand, tmp_path: Path
) -> None:
    cached = a_ready_recording(service)
    by_url, twice = a_recording(service), a_recording(service)
    url = f"https://api.twilio.com/2010-04-01/Accounts/{ACCOUNT_SID}/Recordings"
    (tmp_path / "calls.csv").write_text(
        "call_sid,recording_url,start_time,agent\r\n"
        f"CA{'1' * 32},{url}/{by_url}.json,2026-03-01T09:30:00Z,ann\r\n"
        f"CA{'1' * 32},{url}/{cached}.mp3,,bob\r\n"
        f"CA{'2' * 32},,,bob\r\n"
        f"CA{'1' * 32},{url}/{twice},,bob\r\n"
        f"CA{'1' * 32},{url}/{twice}.wav?x=y,,bob\r\n"
        f"oops,{url}/{a_sid()},,bob\r\n"
        f"CA{'1' * 32},https://example.com/x.mp3,,bob\r\n"
    )

    dry = recordings("import", "calls.csv", "--dry-run", "--json")
    ended = recordings("import", "calls.csv", "--map", "agent=labels.agent", "--report", "report.jsonl")
    report = [json.loads(line) for line in (tmp_path / "report.jsonl").read_text().splitlines()]

    outcomes = ["ENQUEUED", "CACHED", "SKIPPED", "ENQUEUED", "DUPLICATE", "REFUSED", "REFUSED"]
    assert (dry.code, [each["outcome"] for each in dry.objects].count("CHECKED")) == (ExitCode.SOME_REFUSED, 4)
    assert (ended.code, ended.stdout) == (ExitCode.SOME_REFUSED, b"")
    assert [(each["line"], each["outcome"]) for each in report] == list(enumerate(outcomes, 2))
    assert [each.get("field") for each in report[5:]] == ["call_sid", "source_url"]
    assert "2 ENQUEUED, 1 CACHED, 1 DUPLICATE, 2 REFUSED, 1 SKIPPED" in ended.stderr
    assert service.get(by_url).labels["agent"] == "ann"
    eventually(lambda: service.get(by_url).state == service.get(cached).state, what="the download")
    again = recordings("import", "-", "--format", "csv", stdin=(tmp_path / "calls.csv").read_bytes())
    assert {line.split()[2] for line in again.text.splitlines()[1:]} <= {"CACHED", "DUPLICATE", "SKIPPED", "REFUSED"}


def test_an_account_that_is_not_the_services_is_refused_by_the_line(
    service: RunningService, recordings: RunningCommand
) -> None:
    line = json.dumps({"recording_sid": a_sid(), "from": "x" * 300})

    ended = recordings("import", "-", "--json", stdin=line.encode())

    assert (ended.code, ended.objects[0]["field"]) == (ExitCode.SOME_REFUSED, "from_number")
    assert ended.objects[0]["error_reason"] == "INVALID_REQUEST"


def test_an_import_that_meets_a_service_that_is_away_stops_and_says_where(
    scripted: ScriptedService, scripted_recordings: RunningCommand, tmp_path: Path
) -> None:
    lines = "".join(f"RE{number:032x}\n" for number in range(2500))
    (tmp_path / "sids.csv").write_text("sid\n" + lines)
    whole = scripted_recordings("import", "sids.csv", "--report", "report.jsonl")
    assert (whole.code, scripted.batches) == (ExitCode.OK, [1000, 1000, 500])
    scripted.good_batches, scripted.batch_failures = 1, 1_000

    ended = scripted_recordings("import", "sids.csv", "--patience", "1s")

    assert ended.code == ExitCode.UNAVAILABLE
    assert "stopped after line 1001: " in ended.stderr
    assert "that is safe" in ended.stderr
    assert ended.text.splitlines()[-1].split()[0] == "1001"


def test_an_import_goes_on_when_the_service_comes_back(
    scripted: ScriptedService, scripted_recordings: RunningCommand
) -> None:
    # More than gRPC itself tries.
    scripted.batch_failures = 6

    ended = scripted_recordings("import", "-", stdin=f"sid\n{RECORDING_SID}\n".encode())

    assert (ended.code, len(scripted.batches)) == (ExitCode.OK, 7)


def test_ctrl_c_ends_an_import_and_says_where(scripted: ScriptedService, scripted_recordings: RunningCommand) -> None:
    streams = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    with scripted_recordings.start("import", "-", **streams) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(b"sid\n" + b"".join(f"RE{number:032x}\n".encode() for number in range(1001)))
        process.stdin.flush()
        for _ in range(1001):
            process.stdout.readline()
        process.send_signal(signal.SIGINT)
        assert process.wait(COMMAND_SECONDS) == ExitCode.INTERRUPTED
        assert process.stderr is not None
        assert b"interrupted after line 1001" in process.stderr.read()


def test_an_import_shows_a_bar_at_a_terminal_where_the_lines_go_elsewhere(
    scripted_recordings: RunningCommand, tmp_path: Path
) -> None:
    (tmp_path / "sids.csv").write_text(f"sid\n{RECORDING_SID}\n")

    barred = scripted_recordings.at_a_terminal("import", "sids.csv", "--report", "report.jsonl")
    lines = scripted_recordings.at_a_terminal("import", "sids.csv")

    assert (barred.code, b"####" in barred.stdout, b"####" in lines.stdout) == (ExitCode.OK, True, False)
    assert b"ENQUEUED" in lines.stdout


def test_the_report_is_never_written_over_what_is_read(scripted_recordings: RunningCommand, tmp_path: Path) -> None:
    (tmp_path / "sids.csv").write_text(f"sid\n{RECORDING_SID}\n")

    assert scripted_recordings("import", "sids.csv", "--report", "./sids.csv").code == ExitCode.USAGE
    assert (tmp_path / "sids.csv").read_text() == f"sid\n{RECORDING_SID}\n"
