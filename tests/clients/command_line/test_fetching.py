import json
import os
import resource
import signal
import subprocess
from pathlib import Path

import grpc
import pytest

from recordings.command_line.exit_codes import ExitCode
from tests.clients.command_line.running_command import COMMAND_SECONDS, RunningCommand
from tests.clients.command_line.scripted_service import RECORDING_SID, ScriptedService
from tests.support.waiting import eventually

HALF = 512 * 1024


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "call.mp3"


def part_of(target: Path) -> Path:
    return target.with_name("call.mp3.part")


def files(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def stop_half_way(
    command: RunningCommand, scripted: ScriptedService, target: Path, by: signal.Signals, *further: str
) -> tuple[int, str]:
    """Fetches until the service holds its bytes, and stops the command by a signal; its code, and what it has said."""
    scripted.hold_after = HALF
    with command.start("fetch", RECORDING_SID, "-o", "call.mp3", *further, stderr=subprocess.PIPE) as process:
        try:
            assert scripted.reached.wait(COMMAND_SECONDS)
            eventually(lambda: part_of(target).stat().st_size > 0, what="the first bytes")
            process.send_signal(by)
            _, stderr = process.communicate(timeout=COMMAND_SECONDS)
        except BaseException:
            process.kill()
            raise
    scripted.go_on()
    return process.returncode, stderr.decode()


def test_a_fetch_that_was_killed_is_resumed_at_its_last_byte(
    scripted: ScriptedService, scripted_recordings: RunningCommand, target: Path
) -> None:
    code, _ = stop_half_way(scripted_recordings, scripted, target, signal.SIGKILL)
    had = part_of(target).stat().st_size

    assert (code, target.exists()) == (-signal.SIGKILL, False)
    assert 0 < had <= HALF
    assert scripted_recordings("fetch", RECORDING_SID, "-o", "call.mp3", "--resume").code == ExitCode.OK
    assert scripted.asked[-1].offset == had
    assert target.read_bytes() == scripted.media
    assert files(target.parent) == {"call.mp3"}


def test_ctrl_c_leaves_the_half_file_and_says_how_to_go_on(
    scripted: ScriptedService, scripted_recordings: RunningCommand, target: Path
) -> None:
    code, said = stop_half_way(scripted_recordings, scripted, target, signal.SIGINT)

    assert code == ExitCode.INTERRUPTED
    assert said.count("\n") == 1, said
    assert f"recordings fetch {RECORDING_SID} -o call.mp3 --resume" in said
    assert scripted.media.startswith(part_of(target).read_bytes())


def test_two_versions_are_never_spliced(
    scripted: ScriptedService, scripted_recordings: RunningCommand, target: Path
) -> None:
    stop_half_way(scripted_recordings, scripted, target, signal.SIGKILL)
    kept = part_of(target).read_bytes()
    scripted.etag = "second"

    resumed = scripted_recordings("fetch", RECORDING_SID, "-o", "call.mp3", "--resume")

    assert resumed.code == ExitCode.CHANGED
    assert "without --resume" in resumed.stderr
    assert (target.exists(), part_of(target).read_bytes()) == (False, kept)
    assert scripted_recordings("fetch", RECORDING_SID, "-o", "call.mp3").code == ExitCode.OK
    assert target.read_bytes() == scripted.media


def test_a_half_file_of_another_range_or_of_nobody_knows_what_is_not_gone_on_with(
    scripted: ScriptedService, scripted_recordings: RunningCommand, target: Path
) -> None:
    stop_half_way(scripted_recordings, scripted, target, signal.SIGKILL)

    ranged = scripted_recordings("fetch", RECORDING_SID, "-o", "call.mp3", "--resume", "--range", "5-")
    target.with_name("call.mp3.part.json").unlink()
    unknown = scripted_recordings("fetch", RECORDING_SID, "-o", "call.mp3", "--resume")

    assert (ranged.code, unknown.code) == (ExitCode.CHANGED, ExitCode.CHANGED)
    assert "another range" in ranged.stderr
    assert "which version" in unknown.stderr


def test_damage_in_the_half_file_is_found_in_the_end(
    scripted: ScriptedService, scripted_recordings: RunningCommand, target: Path
) -> None:
    stop_half_way(scripted_recordings, scripted, target, signal.SIGKILL)
    with part_of(target).open("r+b") as file:
        file.write(b"damage")

    resumed = scripted_recordings("fetch", RECORDING_SID, "-o", "call.mp3", "--resume")

    assert resumed.code == ExitCode.CHANGED
    assert files(target.parent) == set()


@pytest.mark.parametrize("output", ["call.mp3", "-"])
def test_bytes_that_are_not_what_the_checksum_says_make_no_file(
    scripted: ScriptedService, scripted_recordings: RunningCommand, target: Path, output: str
) -> None:
    scripted.sha256 = "0" * 64

    fetched = scripted_recordings("fetch", RECORDING_SID, "-o", output)

    assert fetched.code == ExitCode.CHANGED
    assert len(fetched.stdout) < len(scripted.media)
    assert files(target.parent) == set()


def test_a_file_that_is_whole_is_not_fetched_again_by_resume(
    scripted: ScriptedService, scripted_recordings: RunningCommand, target: Path
) -> None:
    target.write_bytes(scripted.media)

    assert scripted_recordings("fetch", RECORDING_SID, "-o", "call.mp3", "--resume").code == ExitCode.OK
    assert scripted.asked == []
    target.write_bytes(b"\0" * len(scripted.media))
    assert scripted_recordings("fetch", RECORDING_SID, "-o", "call.mp3", "--resume").code == ExitCode.OK
    assert target.read_bytes() == scripted.media


def test_a_full_disk_leaves_the_half_file_and_says_how_to_go_on(
    scripted: ScriptedService, scripted_recordings: RunningCommand, target: Path
) -> None:
    def let_files_be_small() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (HALF, HALF))

    command = ("fetch", RECORDING_SID, "-o", "call.mp3")
    with scripted_recordings.start(*command, stderr=subprocess.PIPE, preexec_fn=let_files_be_small) as process:
        _, stderr = process.communicate(timeout=COMMAND_SECONDS)

    assert process.returncode == ExitCode.ERROR
    assert b"File too large" in stderr
    assert b"--resume" in stderr
    assert part_of(target).read_bytes() == scripted.media[:HALF]
    assert scripted_recordings(*command, "--resume").code == ExitCode.OK
    assert target.read_bytes() == scripted.media


def test_what_the_client_gives_up_on_leaves_the_half_file_as_well(
    scripted: ScriptedService, scripted_recordings: RunningCommand, target: Path
) -> None:
    scripted.hold_after, scripted.abort_with = HALF, grpc.StatusCode.PERMISSION_DENIED

    ended = scripted_recordings("fetch", RECORDING_SID, "-o", "call.mp3")

    assert (ended.code, "--resume" in ended.stderr) == (ExitCode.DENIED, True)
    assert part_of(target).read_bytes() == scripted.media[:HALF]


def test_a_device_takes_bytes_and_stays_what_it_is(
    scripted: ScriptedService, scripted_recordings: RunningCommand, tmp_path: Path
) -> None:
    os.mkfifo(tmp_path / "pipe")
    with scripted_recordings.start("fetch", RECORDING_SID, "-o", "pipe") as process:
        taken = (tmp_path / "pipe").read_bytes()
        assert process.wait(COMMAND_SECONDS) == ExitCode.OK

    assert taken == scripted.media
    assert files(tmp_path) == {"pipe"}
    assert scripted_recordings("fetch", RECORDING_SID, "-o", "pipe", "--resume").code == ExitCode.USAGE
    assert scripted_recordings("fetch", RECORDING_SID, "-o", ".").code == ExitCode.USAGE


def test_a_symbolic_link_stays_one(
    scripted: ScriptedService, scripted_recordings: RunningCommand, target: Path
) -> None:
    (target.parent / "link").symlink_to(target)

    assert scripted_recordings("fetch", RECORDING_SID, "-o", "link").code == ExitCode.OK
    assert (target.parent / "link").is_symlink()
    assert target.read_bytes() == scripted.media


def test_two_fetches_into_one_file_do_not_meet(
    scripted: ScriptedService, scripted_recordings: RunningCommand, target: Path
) -> None:
    scripted.hold_after = HALF
    with scripted_recordings.start("fetch", RECORDING_SID, "-o", "call.mp3") as first:
        assert scripted.reached.wait(COMMAND_SECONDS)
        second = scripted_recordings("fetch", RECORDING_SID, "-o", "call.mp3")
        scripted.go_on()
        assert first.wait(COMMAND_SECONDS) == ExitCode.OK

    assert second.code == ExitCode.ERROR
    assert "another fetch" in second.stderr
    assert target.read_bytes() == scripted.media


@pytest.mark.parametrize(
    ("asked", "start", "end"), [("0-9", 0, 10), ("100-", 100, None), ("-100", -100, None), ("5-99999999", 5, None)]
)
def test_a_range_is_of_both_its_ends(
    scripted: ScriptedService, scripted_recordings: RunningCommand, asked: str, start: int, end: int | None
) -> None:
    fetched = scripted_recordings("fetch", RECORDING_SID, "-o", "-", "--range", asked)

    assert (fetched.code, fetched.stdout == scripted.media[start:end]) == (ExitCode.OK, True)


def test_a_range_past_the_end_and_one_that_is_none_are_wrong_usage(
    scripted: ScriptedService, scripted_recordings: RunningCommand
) -> None:
    for wrong in (str(len(scripted.media)) + "-", "9-5", "-", "x-y", "-0"):
        assert scripted_recordings("fetch", RECORDING_SID, "-o", "-", f"--range={wrong}").code == ExitCode.USAGE


def test_an_empty_recording_is_an_empty_file(
    scripted: ScriptedService, scripted_recordings: RunningCommand, target: Path
) -> None:
    scripted.media, scripted.sha256 = b"", ""

    assert scripted_recordings("fetch", RECORDING_SID, "-o", "call.mp3").code == ExitCode.OK
    assert target.read_bytes() == b""


def test_a_terminal_is_shown_a_bar_and_never_the_bytes(
    scripted: ScriptedService, scripted_recordings: RunningCommand, target: Path
) -> None:
    shown = scripted_recordings.at_a_terminal("fetch", RECORDING_SID, "-o", "call.mp3")
    refused = scripted_recordings.at_a_terminal("fetch", RECORDING_SID, "-o", "-")
    piped = scripted_recordings("fetch", RECORDING_SID, "-o", "call.mp3")

    assert (shown.code, b"#" in shown.stdout) == (ExitCode.OK, True)
    assert f"{len(scripted.media)}/{len(scripted.media)}".encode() in shown.stdout
    assert (refused.code, b"is a terminal" in refused.stdout) == (ExitCode.USAGE, True)
    assert (piped.code, piped.stdout, piped.stderr) == (ExitCode.OK, b"", "")


def test_the_half_file_says_of_which_version_it_is(
    scripted: ScriptedService, scripted_recordings: RunningCommand, target: Path
) -> None:
    stop_half_way(scripted_recordings, scripted, target, signal.SIGKILL)

    noted = json.loads(target.with_name("call.mp3.part.json").read_text())

    assert (noted["etag"], noted["size_bytes"], noted["recording_sid"]) == ("first", len(scripted.media), RECORDING_SID)


def test_a_folder_that_is_not_there_is_named(scripted_recordings: RunningCommand) -> None:
    fetched = scripted_recordings("fetch", RECORDING_SID, "-o", "nowhere/call.mp3")

    assert fetched.code == ExitCode.ERROR
    assert "nowhere/call.mp3.part: No such file" in fetched.stderr
