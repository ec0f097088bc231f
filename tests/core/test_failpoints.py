"""Failpoints: in processes of their own where these are killed, stopped or held; and where the code has them."""

import ast
import fcntl
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from recording_service.adapters.disk_storage.storage import DiskStorage
from recording_service.core import failpoint_journal, failpoint_names, failpoints
from recording_service.core.failpoints import (
    KNOWN,
    Failpoint,
    FailpointFolderUnusable,
    FailpointRaised,
    FailpointsRefused,
    UnknownFailpoint,
    UnknownFailpointAction,
    arm,
    failpoint,
)
from recording_service.core.model import RecordingState
from recording_service.core.ports import Storage
from tests.support.core_world import AUDIO, KEY, World, a_request
from tests.support.failing_port import Faults
from tests.support.simultaneous import simultaneously
from tests.support.waiting import eventually

PACKAGE = Path(failpoints.__file__).parent.parent
CLAIM, CHUNK, READY = Failpoint.DOWNLOAD_AFTER_CLAIM, Failpoint.DOWNLOAD_CHUNK_WRITTEN, Failpoint.DOWNLOAD_AFTER_READY


@pytest.fixture(autouse=True)
def disarmed(tmp_path: Path) -> Iterator[None]:
    """Nothing is armed any more when a test ends."""
    yield
    arm("", tmp_path)


def started(spec: str, folder: Path, *names: Failpoint) -> "subprocess.Popen[str]":
    """A process that reaches those failpoints."""
    command = [sys.executable, "-m", "tests.support.failpoint_process", spec, str(folder), *names]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def run(spec: str, folder: Path, *names: Failpoint) -> tuple[int, list[str]]:
    """How such a process ends, and what it said."""
    process = started(spec, folder, *names)
    said, _ = process.communicate(timeout=30)
    return process.returncode, said.splitlines()


def reached(folder: Path) -> list[tuple[int, str]]:
    """What was reached, with its number; by which process is left out."""
    lines = [line.split() for line in (folder / "reached").read_text().splitlines()]
    return [(int(number), name) for number, name, _ in lines]


def state_of(process: "subprocess.Popen[str]") -> str:
    """The letter that `ps` shows: T for a process that is stopped."""
    return Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[0]


# Off


def test_a_failpoint_does_nothing_unless_it_is_armed(tmp_path: Path) -> None:
    failpoint(CLAIM)
    assert list(tmp_path.iterdir()) == []


def test_a_blank_specification_disarms(tmp_path: Path) -> None:
    arm(f"{CLAIM}=raise", tmp_path)
    arm(" ", tmp_path)
    failpoint(CLAIM)
    assert reached_or_none(tmp_path) == []


def reached_or_none(folder: Path) -> list[tuple[int, str]]:
    return reached(folder) if (folder / "reached").exists() else []


# Specifications


def test_an_unknown_failpoint_is_named_with_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(UnknownFailpoint) as refused:
        arm(f"{CLAIM}=kill,download.nowhere=kill", tmp_path)
    assert refused.value.item == "download.nowhere"
    assert "'download.nowhere'" in str(refused.value)
    assert all(name in str(refused.value) for name in KNOWN)


def test_an_unknown_action_is_named_with_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(UnknownFailpointAction) as refused:
        arm(f"{CLAIM}=explode@1", tmp_path)
    assert refused.value.item == "explode"
    assert all(action in str(refused.value) for action in ("kill", "stop", "raise", "hold", "trace"))


@pytest.mark.parametrize(
    "spec",
    [CLAIM, f"{CLAIM}=", "=kill", f"{CLAIM}=kill@0", f"{CLAIM}=kill@", f"{CLAIM}=kill@-1", f"{CLAIM}=kill@x", ","],
)
def test_what_is_not_of_the_form_is_refused(tmp_path: Path, spec: str) -> None:
    with pytest.raises(FailpointsRefused):
        arm(spec, tmp_path)


def test_a_refused_specification_leaves_in_place_what_was_armed(tmp_path: Path) -> None:
    arm(f"{CLAIM}=raise", tmp_path)
    with pytest.raises(FailpointsRefused):
        arm(f"{CLAIM}=raise,x=kill", tmp_path)
    with pytest.raises(FailpointRaised):
        failpoint(CLAIM)


def test_a_folder_that_is_not_there_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(FailpointFolderUnusable) as refused:
        arm("*=trace", tmp_path / "nowhere")
    assert refused.value.folder == tmp_path / "nowhere"


# Notes and counts


def test_everything_that_is_reached_is_noted_whatever_is_armed(tmp_path: Path) -> None:
    arm(f"{READY}=kill@7", tmp_path)
    for name in (CLAIM, CHUNK, CHUNK):
        failpoint(name)
    assert (tmp_path / "reached").read_text().splitlines() == [
        f"1 {CLAIM} {os.getpid()}",
        f"2 {CHUNK} {os.getpid()}",
        f"3 {CHUNK} {os.getpid()}",
    ]


def test_without_a_hit_it_happens_every_time(tmp_path: Path) -> None:
    assert run(f"{CHUNK}=raise", tmp_path, CHUNK, CLAIM, CHUNK) == (
        0,
        [f"raised {CHUNK}", f"past {CLAIM}", f"raised {CHUNK}"],
    )


def test_a_hit_is_counted_over_all_processes_and_happens_once(tmp_path: Path) -> None:
    spec = f" {CHUNK}=raise@3 "
    assert run(spec, tmp_path, CHUNK, CLAIM, CHUNK) == (0, [f"past {CHUNK}", f"past {CLAIM}", f"past {CHUNK}"])
    assert run(spec, tmp_path, CHUNK, CHUNK) == (0, [f"raised {CHUNK}", f"past {CHUNK}"])
    assert reached(tmp_path) == [(1, CHUNK), (2, CLAIM), (3, CHUNK), (4, CHUNK), (5, CHUNK)]


def test_any_failpoint_is_counted_together(tmp_path: Path) -> None:
    assert run("*=raise@2", tmp_path, CLAIM, CHUNK, READY)[1] == [f"past {CLAIM}", f"raised {CHUNK}", f"past {READY}"]


def test_all_items_for_a_name_apply(tmp_path: Path) -> None:
    assert run(f"{CHUNK}=raise@1,*=raise@3,{CHUNK}=trace", tmp_path, CHUNK, CHUNK, CHUNK)[1] == [
        f"raised {CHUNK}",
        f"past {CHUNK}",
        f"raised {CHUNK}",
    ]


def test_many_threads_and_processes_count_without_a_gap(tmp_path: Path) -> None:
    arm(f"{CHUNK}=trace,{CHUNK}=raise@150", tmp_path)
    others = [started(f"{CHUNK}=raise@150", tmp_path, *[CHUNK] * 50) for _ in range(2)]

    def reach_some() -> int:
        raised = 0
        for _ in range(25):
            try:
                failpoint(CHUNK)
            except FailpointRaised:
                raised += 1
        return raised

    here = sum(simultaneously([reach_some] * 4))
    there = sum(process.communicate(timeout=30)[0].count("raised") for process in others)
    assert here + there == 1
    assert [number for number, _ in reached(tmp_path)] == list(range(1, 201))


def test_a_forked_process_goes_on_counting(tmp_path: Path) -> None:
    arm(f"{CHUNK}=trace", tmp_path)
    failpoint(CHUNK)
    child = os.fork()
    if child == 0:
        failpoint(CHUNK)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    failpoint(CHUNK)
    pids = [line.split()[2] for line in (tmp_path / "reached").read_text().splitlines()]
    assert pids == [str(os.getpid()), str(child), str(os.getpid())]
    assert reached(tmp_path) == [(1, CHUNK), (2, CHUNK), (3, CHUNK)]


def test_a_new_file_begins_a_new_count(tmp_path: Path) -> None:
    arm(f"{CHUNK}=raise@2", tmp_path)
    failpoint(CHUNK)
    (tmp_path / "reached").unlink()
    failpoint(CHUNK)
    assert reached(tmp_path) == [(1, CHUNK)]


def test_what_can_not_be_noted_is_an_error_and_no_os_error(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    arm("*=trace", folder)
    (folder / "reached").unlink()
    folder.rmdir()
    with pytest.raises(FailpointFolderUnusable) as unusable:
        failpoint(CHUNK)
    assert not isinstance(unusable.value, OSError)


def test_nobody_waits_for_ever_to_note_what_was_reached(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(failpoint_journal, "LOCK_SECONDS", 0.1)
    arm("*=trace", tmp_path)
    with (tmp_path / "reached").open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(FailpointFolderUnusable):
            failpoint(CHUNK)
    failpoint(CHUNK)
    assert reached(tmp_path) == [(1, CHUNK)]


# Actions


def test_a_killed_process_gets_no_further_and_the_next_one_is_not_killed_again(tmp_path: Path) -> None:
    assert run(f"{CHUNK}=kill@2", tmp_path, CLAIM, CHUNK, CHUNK, READY) == (
        -signal.SIGKILL,
        [f"past {CLAIM}", f"past {CHUNK}"],
    )
    assert run(f"{CHUNK}=kill@2", tmp_path, CLAIM, CHUNK, CHUNK, READY)[0] == 0
    assert reached(tmp_path)[2] == (3, CHUNK)


def test_a_harness_kills_at_one_step_after_the_other(tmp_path: Path) -> None:
    steps = (CLAIM, CHUNK, READY)
    for number in range(1, len(steps) + 2):
        folder = tmp_path / str(number)
        folder.mkdir()
        status, said = run(f"*=kill@{number}", folder, *steps)
        assert len(said) == min(number - 1, len(steps))
        assert status == (-signal.SIGKILL if number <= len(steps) else 0)


def test_a_stopped_process_goes_on_when_it_is_told_to(tmp_path: Path) -> None:
    process = started(f"{CHUNK}=stop@1", tmp_path, CLAIM, CHUNK, CHUNK)
    eventually(lambda: state_of(process) == "T", what="the stop")
    assert reached(tmp_path) == [(1, CLAIM), (2, CHUNK)]
    # It holds nobody up who reaches another one meanwhile.
    assert run("*=trace", tmp_path, READY) == (0, [f"past {READY}"])
    process.send_signal(signal.SIGCONT)
    said, _ = process.communicate(timeout=30)
    assert said.splitlines() == [f"past {CLAIM}", f"past {CHUNK}", f"past {CHUNK}"]


def test_who_is_held_waits_for_the_release_and_holds_nobody_up(tmp_path: Path) -> None:
    process = started(f"{CHUNK}=hold", tmp_path, CLAIM, CHUNK, READY)
    eventually(lambda: len(reached_or_none(tmp_path)) == 2, what="the hold")
    assert run("*=trace", tmp_path, READY) == (0, [f"past {READY}"])
    assert process.poll() is None
    assert len(reached(tmp_path)) == 3
    (tmp_path / "release").touch()
    said, _ = process.communicate(timeout=30)
    assert said.splitlines() == [f"past {CLAIM}", f"past {CHUNK}", f"past {READY}"]


def test_nobody_is_held_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(failpoints, "HOLD_SECONDS", 0.1)
    arm(f"{CHUNK}=hold", tmp_path)
    began = time.monotonic()
    failpoint(CHUNK)
    assert 0.1 <= time.monotonic() - began < 10.0


def test_a_thread_that_is_held_holds_only_itself(tmp_path: Path) -> None:
    arm(f"{CHUNK}=hold@1", tmp_path)
    held = threading.Thread(target=failpoint, args=(CHUNK,))
    held.start()
    eventually(lambda: reached(tmp_path) == [(1, CHUNK)], what="the hold")
    failpoint(CHUNK)
    assert held.is_alive()
    (tmp_path / "release").touch()
    held.join(10.0)
    assert not held.is_alive()


def test_what_is_raised_says_where(tmp_path: Path) -> None:
    arm(f"{CHUNK}=raise", tmp_path)
    with pytest.raises(FailpointRaised) as raised:
        failpoint(CHUNK)
    assert raised.value.name is CHUNK


# Places


def placed() -> list[str]:
    """Every failpoint of the package, by its constant's name, as often as it is called."""
    found: list[str] = []
    for file in sorted(PACKAGE.rglob("*.py")):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        constants = {
            target.id: node.value
            for node in tree.body
            if isinstance(node, ast.Assign)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "failpoint":
                (argument,) = node.args
                named = constants.get(argument.id) if isinstance(argument, ast.Name) else argument
                assert isinstance(named, ast.Attribute), f"{file}:{node.lineno} does not name a failpoint"
                assert ast.unparse(named.value) == "Failpoint", f"{file}:{node.lineno} does not name a failpoint"
                found.append(named.attr)
    return found


def test_every_failpoint_is_placed_in_the_code_and_no_other() -> None:
    assert set(placed()) == set(Failpoint.__members__)


def test_every_failpoint_says_what_is_done_and_what_is_not() -> None:
    lines = Path(failpoint_names.__file__).read_text(encoding="utf-8").splitlines()
    members = {number: found[1] for number, line in enumerate(lines) if (found := re.match(r"    ([A-Z_]+) = ", line))}
    assert set(members.values()) == set(Failpoint.__members__)
    assert [name for number, name in members.items() if not lines[number - 1].startswith("    #: ")] == []


def test_a_recording_passes_the_steps_in_their_order(tmp_path: Path) -> None:
    arm("*=trace", tmp_path)
    world = World()
    world.storage = Faults[Storage](DiskStorage.at(tmp_path / "shelf"))
    world.script(AUDIO)
    world.enqueuer().enqueue(a_request())
    world.work()
    assert world.row().state is RecordingState.READY
    assert [name for _, name in reached(tmp_path)] == [
        Failpoint.ENQUEUE_BEFORE_COMMIT,
        Failpoint.ENQUEUE_AFTER_COMMIT,
        Failpoint.ENQUEUE_AFTER_BELL,
        Failpoint.ENQUEUE_AFTER_MARK,
        Failpoint.DOWNLOAD_AFTER_CLAIM,
        Failpoint.DOWNLOAD_SOURCE_OPENED,
        Failpoint.DOWNLOAD_CHUNK_WRITTEN,
        Failpoint.DOWNLOAD_BEFORE_PUBLISH,
        Failpoint.UPLOAD_BEFORE_FSYNC,
        Failpoint.UPLOAD_AFTER_FSYNC,
        Failpoint.UPLOAD_AFTER_LINK,
        Failpoint.UPLOAD_AFTER_UNLINK,
        Failpoint.UPLOAD_AFTER_FOLDER_FLUSH,
        Failpoint.DOWNLOAD_BEFORE_READY,
        Failpoint.DOWNLOAD_AFTER_READY,
        Failpoint.DOWNLOAD_REMAINS_REMOVED,
    ]


@pytest.mark.parametrize(
    "name", [Failpoint.DOWNLOAD_AFTER_CLAIM, Failpoint.DOWNLOAD_CHUNK_WRITTEN, Failpoint.DOWNLOAD_BEFORE_PUBLISH]
)
def test_an_error_that_nobody_expects_ends_the_attempt_and_not_the_recording(tmp_path: Path, name: Failpoint) -> None:
    arm(f"{name}=raise@1", tmp_path)
    world = World()
    world.script(AUDIO)
    world.enqueuer().enqueue(a_request())
    world.work()
    assert world.row(KEY).state is RecordingState.QUEUED
    world.let_pass(120.0, world.dispatcher())
    world.work()
    assert world.row(KEY).state is RecordingState.READY
