"""System calls that fail or kill, in real processes under the real strace."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.system_calls import TracingFailed, TracingImpossible, counting, injecting
from tests.support.waiting import eventually

#: Does what it is told line by line, in itself or in a child of its own, and says how it went.
PROGRAM = """
import os, sys, threading
folder = sys.argv[1]

def do(what):
    try:
        fd = os.open(f"{folder}/file", os.O_CREAT | os.O_RDWR)
        if what == "sync":
            os.fsync(fd)
        elif what == "sync-other":
            other = os.open(f"{folder}/other", os.O_CREAT | os.O_RDWR)
            os.fsync(other)
            os.close(other)
        elif what == "threads":
            for _ in range(3):
                threading.Thread(target=threading.Event().wait, daemon=True).start()
        elif what == "link":
            os.link(f"{folder}/file", f"{folder}/link")
        os.close(fd)
        return "done"
    except OSError as error:
        return os.strerror(error.errno)

def several(whats):
    return ", ".join(do(what) for what in whats)

def in_child(whats):
    reading, writing = os.pipe()
    if (child := os.fork()) == 0:
        os.write(writing, several(whats).encode())
        os._exit(0)
    os.close(writing)
    said = os.read(reading, 1000).decode()
    _, status = os.waitpid(child, 0)
    os.close(reading)
    return said if status == 0 else f"killed by {status}"

def in_thread(whats):
    said = []
    thread = threading.Thread(target=lambda: said.append(several(whats)))
    thread.start()
    thread.join()
    return said[0]

for line in sys.stdin:
    where, *whats = line.split()
    print({"self": several, "child": in_child, "thread": in_thread}[where](whats), flush=True)
"""


class Obedient:
    """A process that makes the calls it is told to."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    @property
    def pid(self) -> int:
        return self.process.pid

    def do(self, line: str) -> str:
        """What it says to that; empty if it has died of it."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()


@pytest.fixture
def obedient(tmp_path: Path) -> Iterator[Obedient]:
    one = Obedient(tmp_path)
    with one.process:
        assert one.do("self") == ""
        yield one
        one.process.kill()


def tracer_of(pid: int) -> str:
    return Path(f"/proc/{pid}/status").read_text().partition("TracerPid:\t")[2].split("\n")[0]


def test_the_nth_call_fails_and_the_others_do_not(obedient: Obedient) -> None:
    with injecting(obedient.pid, call="fsync", error="EIO", when="3", times=None) as injected:
        said = obedient.do("self sync sync sync sync")
        injected.wait_for_injection()
    assert said == "done, done, Input/output error, done"
    assert injected.injections == 1
    assert injected.calls == {"fsync": 4}
    assert "EIO" in injected.log
    assert obedient.do("self sync sync sync") == "done, done, done"


def test_from_the_nth_call_on_all_fail(obedient: Obedient) -> None:
    with injecting(obedient.pid, call="fsync", error="ENOSPC", when="2+", times=None) as injected:
        assert obedient.do("self sync sync sync") == "done, No space left on device, No space left on device"
    assert injected.injections == 2


def test_forks_are_followed_and_each_is_counted_from_the_beginning(obedient: Obedient) -> None:
    with injecting(obedient.pid, call="fsync", error="EIO", when="2", times=None) as injected:
        assert obedient.do("self sync") == "done"
        assert obedient.do("child sync sync sync") == "done, Input/output error, done"
        assert obedient.do("thread sync sync") == "done, Input/output error"
        assert obedient.do("child sync") == "done"
    assert injected.injections == 2
    assert injected.calls == {"fsync": 7}


def test_after_so_many_times_everything_goes_on_untouched(obedient: Obedient) -> None:
    with injecting(obedient.pid, call="fsync", error="EIO", when="1") as injected:
        assert obedient.do("child sync") == "Input/output error"
        eventually(lambda: tracer_of(obedient.pid) == "0", what="strace's letting go")
        assert obedient.do("child sync") == "done"
    assert injected.injections == 1


def test_a_process_is_killed_instead_of_its_nth_call(obedient: Obedient) -> None:
    link = obedient.folder / "link"
    with injecting(obedient.pid, call="?link,linkat", signal="SIGKILL") as injected:
        assert obedient.do("child sync link") == "killed by 9"
        injected.wait_for_injection()
    assert not link.exists()
    assert obedient.do("child link") == "done"
    assert link.exists()


def test_the_end_of_the_traced_process_itself_is_no_failure_of_tracing(obedient: Obedient) -> None:
    with injecting(obedient.pid, call="fsync", signal="SIGKILL") as injected:
        assert obedient.do("self sync") == ""
        assert obedient.process.wait(10.0) == -signal.SIGKILL
    assert injected.injections == 1


def test_a_process_with_threads_is_killed_and_its_parent_hears_of_it_at_once(obedient: Obedient) -> None:
    for _ in range(10):
        started = time.monotonic()
        with injecting(obedient.pid, call="fsync", signal="SIGKILL") as injected:
            assert obedient.do("child threads sync") == "killed by 9"
        assert injected.injections == 1
        assert time.monotonic() - started < 5.0


def test_only_calls_on_the_paths_are_counted_and_spoiled(obedient: Obedient) -> None:
    (obedient.folder / "file").touch()
    (obedient.folder / "other").touch()
    paths = [obedient.folder / "other"]
    with injecting(obedient.pid, call="fsync", error="EIO", when="2", paths=paths) as injected:
        assert obedient.do("self sync sync sync sync-other sync-other") == "done, done, done, done, Input/output error"
    assert injected.calls == {"fsync": 2}


def test_a_call_is_slow(obedient: Obedient) -> None:
    with injecting(obedient.pid, call="fsync", delay_seconds=0.2) as injected:
        started = time.monotonic()
        assert obedient.do("self sync") == "done"
        assert time.monotonic() - started > 0.2
    assert injected.injections == 1


def test_an_injection_that_does_not_come_is_told_with_what_came(obedient: Obedient) -> None:
    with injecting(obedient.pid, call="fsync", error="EIO", when="2") as injected:
        obedient.do("self sync")
        with pytest.raises(AssertionError, match=r"fsync\(3\) += 0"):
            injected.wait_for_injection(within=1.0)
    assert injected.injections == 0


def test_counts_what_happens_in_the_block_and_nothing_else(obedient: Obedient) -> None:
    obedient.do("self sync")
    with counting(obedient.pid, call="fsync,?link,linkat") as counted:
        obedient.do("self sync sync link")
        obedient.do("child sync sync sync")
        obedient.do("child sync sync")
    obedient.do("self sync")
    links = {name: count for name, count in counted.calls.items() if name.startswith("link")}
    assert (counted.calls["fsync"], sum(links.values())) == (7, 1)
    assert counted.most_of_one_thread == {"fsync": 3, **links}


def test_misses_nothing_that_comes_right_after_the_block_has_begun(obedient: Obedient) -> None:
    for _ in range(10):
        with counting(obedient.pid, call="fsync") as counted:
            obedient.do("self sync")
        assert counted.calls == {"fsync": 1}


def test_several_processes_are_traced_together(obedient: Obedient, tmp_path: Path) -> None:
    other = Obedient(tmp_path)
    with other.process:
        other.do("self")
        with counting(obedient.pid, other.pid, call="fsync") as counted:
            obedient.do("self sync")
            other.do("self sync")
        assert counted.calls == {"fsync": 2}
        other.process.kill()


def test_the_sweep_ends_when_a_run_passes_untouched(obedient: Obedient) -> None:
    """What the harness does: killed at the first call, at the second …, until there is none left to be killed at."""
    ends = []
    for number in range(1, 10):
        with injecting(obedient.pid, call="fsync", signal="SIGKILL", when=str(number)) as injected:
            ends.append(obedient.do("child sync sync sync"))
        if not injected.injections:
            break
    assert ends == ["killed by 9"] * 3 + ["done, done, done"]


def test_what_cannot_be_traced_is_an_error_that_says_why(obedient: Obedient, monkeypatch: pytest.MonkeyPatch) -> None:
    obedient.process.kill()
    obedient.process.wait()
    with pytest.raises(TracingImpossible, match="No such process"), counting(obedient.pid, call="fsync"):
        pass
    with pytest.raises(ValueError, match="nothing to inject"), injecting(1, call="fsync"):
        pass
    with pytest.raises(ValueError, match="no number"), injecting(1, call="fsync", error="EIO", when="first"):
        pass
    monkeypatch.setenv("PATH", "")
    with pytest.raises(TracingImpossible, match="no strace"), counting(1, call="fsync"):
        pass


def test_what_is_traced_already_cannot_be_traced_again(obedient: Obedient) -> None:
    with (
        counting(obedient.pid, call="fsync"),
        pytest.raises(TracingImpossible, match="Operation not permitted"),
        counting(obedient.pid, call="link"),
    ):
        pass
    assert tracer_of(obedient.pid) == "0"


def test_a_strace_that_dies_is_no_success(obedient: Obedient) -> None:
    def lose_strace() -> None:
        with counting(obedient.pid, call="fsync"):
            os.kill(int(tracer_of(obedient.pid)), signal.SIGKILL)
            eventually(lambda: tracer_of(obedient.pid) == "0", what="strace's end")

    with pytest.raises(TracingFailed):
        lose_strace()
    assert obedient.do("self sync") == "done"
