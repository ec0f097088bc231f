"""System calls of running processes that fail, are slow, or are the last thing a process does: by strace, attached.

What strace counts, it counts for each thread by itself: the n-th `fsync` is the n-th of every work-horse anew. Forks
are followed. There is no seccomp for a process that runs already (strace(1), --seccomp-bpf), so *every* system call of
those processes is slower while they are traced, by some tens of microseconds.

Needs the right to trace: the same user, or CAP_SYS_PTRACE; where Yama restricts it (/proc/sys/kernel/yama/ptrace_scope
is 1, as on Ubuntu), CAP_SYS_PTRACE: `docker run --cap-add SYS_PTRACE`.
"""

import os
import re
import shutil
import subprocess
import tempfile
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, BinaryIO

from recording_service.adapters.parent_death import bound_to_this_process
from tests.support.waiting import eventually

#: How long strace may take to attach, and to let go, in seconds.
ATTACH_SECONDS, DETACH_SECONDS = 15.0, 15.0

#: What strace prints when a process or thread makes a call, and when one is gone.
_CALL = re.compile(rb"^(\d+) +(\w+)\(")
_GONE = re.compile(rb"^(\d+) +\+\+\+ (?:exited|killed)")

#: The n-th call of each thread; with a plus, each from there on.
_WHEN = re.compile(r"([1-9]\d*)(\+?)")


class TracingImpossible(Exception):
    """Raised when strace is not there or can't attach. The text says which, and what strace had to say."""


class TracingFailed(Exception):
    """Raised at the end when strace ended before it was told to: what was to be injected or counted was not."""


class Tracing:
    """strace, attached to processes until `detach`. Everything may be asked from any thread, during and afterwards.

    The thread that makes it must live until then: strace dies with it, and lets its processes go.
    """

    def __init__(
        self, pids: Sequence[int], options: Sequence[str], *, when: str = "1", times: int | None = None
    ) -> None:
        """Attaches; returns when every process is traced. `when` and `times` say what counts as an injection.

        Raises TracingImpossible; AssertionError if attaching takes too long; ValueError for a `when` that is none.
        """
        if (parsed := _WHEN.fullmatch(when)) is None:
            raise ValueError(f"{when!r} is no number of a call, with or without a plus")
        self._first, self._onwards = int(parsed[1]), bool(parsed[2])
        self._times = times
        self._lock = threading.Lock()
        self._lines: list[str] = []
        self._counts: Counter[str] = Counter()
        self._by_thread: dict[int, Counter[str]] = {}
        self._most: Counter[str] = Counter()
        self._injections = 0
        self._detaching = False
        self._messages = tempfile.TemporaryFile()  # noqa: SIM115 - open as long as strace is
        try:
            self._process, log = _started_strace([*options, *(f"--attach={pid}" for pid in pids)], self._messages)
        except BaseException:
            self._messages.close()
            raise
        self._reader = threading.Thread(target=self._read, args=(log,), name="strace-log", daemon=True)
        self._reader.start()
        try:
            eventually(lambda: self._is_attached(pids), within=ATTACH_SECONDS, what="strace's attaching")
        except BaseException:
            self._end()
            raise

    @property
    def calls(self) -> Counter[str]:
        """How many of each call were made so far, by all threads together."""
        with self._lock:
            return Counter(self._counts)

    @property
    def most_of_one_thread(self) -> Counter[str]:
        """How many of each call that thread made which made the most of them: as far as `when` has something to hit."""
        with self._lock:
            return Counter(self._most)

    @property
    def injections(self) -> int:
        """How often something was injected so far."""
        with self._lock:
            return self._injections

    @property
    def log(self) -> str:
        """What strace has said: a line for every call, signal and end, each beginning with the thread's id."""
        with self._lock:
            return "".join(self._lines)

    def wait_for_injection(self, *, within: float = 30.0, count: int = 1) -> None:
        """Returns when that many have happened; AssertionError, with the log's end, if they don't in time."""
        try:
            eventually(lambda: self.injections >= count, within=within, what=f"injection {count}")
        except AssertionError as error:
            raise AssertionError(f"{error}; strace said:\n{self.log[-2000:]}") from None

    def detach(self) -> None:
        """Lets the processes go on by themselves; all that happened is known then. Idempotent.

        Raises TracingFailed if strace was gone before its processes were.
        """
        failed = self._process.poll() and not self._detaching
        said = self._said()
        self._end()
        if failed:
            raise TracingFailed(f"strace ended with {self._process.returncode}: {said}")

    def _end(self) -> None:
        self._let_go()
        self._process.wait(DETACH_SECONDS)
        self._reader.join(DETACH_SECONDS)
        self._messages.close()

    def _let_go(self) -> None:
        """Has the kernel let the processes go, by ending strace.

        Asked to do it itself (SIGTERM), it waits for each in turn, and for ever for a process with threads that has
        just been killed: such a one does not end before strace has taken note of all its threads.
        """
        self._detaching = True
        self._process.kill()

    def _is_attached(self, pids: Sequence[int]) -> bool:
        if self._process.poll() is not None:
            raise TracingImpossible(f"strace can't attach to {pids}: {self._said()}")
        # It says so once it has asked the kernel to stop every thread, which then takes no time worth mentioning.
        said = self._said()
        return all(f"Process {pid} attached" in said and _tracer(pid) == self._process.pid for pid in pids)

    def _said(self) -> str:
        """What strace has to say about itself."""
        if self._messages.closed:
            return ""
        return os.pread(self._messages.fileno(), 65_536, 0).decode(errors="replace").strip()

    def _read(self, log: BinaryIO) -> None:
        with log:
            for line in log:
                with self._lock:
                    self._note(line)
                    enough = self._times is not None and self._injections >= self._times
                if enough and not self._detaching:
                    self._let_go()

    def _note(self, line: bytes) -> None:
        self._lines.append(line.decode(errors="replace"))
        if call := _CALL.match(line):
            thread, name = int(call[1]), call[2].decode()
            counts = self._by_thread.setdefault(thread, Counter())
            counts[name] += 1
            self._counts[name] += 1
            self._injections += counts[name] == self._first or (self._onwards and counts[name] > self._first)
            self._most |= counts
        elif gone := _GONE.match(line):
            # Another thread may get its number, and is counted from the beginning.
            self._by_thread.pop(int(gone[1]), None)


@contextmanager
def injecting(
    *pids: int,
    call: str,
    when: str = "1",
    error: str = "",
    signal: str = "",
    delay_seconds: float = 0.0,
    paths: Sequence[Path] = (),
    times: int | None = 1,
) -> Iterator[Tracing]:
    """Spoils system calls of these processes, their threads, and all that they fork, while the block runs.

    Args:
        pids: Running processes. Children that they have already are not among them.
        call: Names as strace takes them: `fsync`, `link,linkat`, `?rename,renameat2` (a question mark: where it is).
        when: The n-th such call of each thread (each name counted by itself); `n+` for that one and all later ones.
        error: An errno to fail with, such as `EIO`, instead of being executed.
        signal: A signal to send, such as `SIGKILL`, which ends the process instead of the call's being executed.
        delay_seconds: How long the call takes longer.
        paths: Only calls on exactly these, by name or by an open descriptor; no folders with what is in them.
        times: Lets the processes go as soon as that many were spoiled, by all threads together; None for no end.
            A work-horse that is forked within the milliseconds that this takes is still under it.

    Raises TracingImpossible, or TracingFailed at the end; ValueError if there is nothing to inject.
    """
    faults = [f":error={error}"] * bool(error) + [f":signal={signal}"] * bool(signal)
    faults += [f":delay_enter={round(delay_seconds * 1e6)}"] * bool(delay_seconds)
    if not faults:
        raise ValueError("there is nothing to inject: an error, a signal or a delay")
    tracing = Tracing(
        pids,
        [*_only(call, paths), f"--inject={call}{''.join(faults)}:when={when}"],
        when=when,
        times=times,
    )
    try:
        yield tracing
    finally:
        tracing.detach()


@contextmanager
def counting(*pids: int, call: str, paths: Sequence[Path] = ()) -> Iterator[Tracing]:
    """Counts system calls of these processes while the block runs, and spoils none; `call` etc. as for `injecting`."""
    tracing = Tracing(pids, _only(call, paths))
    try:
        yield tracing
    finally:
        tracing.detach()


def _only(call: str, paths: Sequence[Path]) -> list[str]:
    return [f"--trace={call}", "--signal=none", *(f"--trace-path={path}" for path in paths)]


def _started_strace(options: Sequence[str], messages: IO[bytes]) -> tuple["subprocess.Popen[bytes]", BinaryIO]:
    """strace, and what it writes line by line. Raises TracingImpossible if there is none."""
    program = shutil.which("strace")
    if program is None:
        raise TracingImpossible("there is no strace on the PATH")
    reading, writing = os.pipe()
    with ExitStack() as unless_started, os.fdopen(writing, "wb"):
        log = unless_started.enter_context(os.fdopen(reading, "rb"))
        process = subprocess.Popen(
            bound_to_this_process([program, "--follow-forks", f"--output=/proc/self/fd/{writing}", *options]),
            pass_fds=(writing,),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=messages,
            # A Ctrl-C is for the harness, which lets the processes go.
            process_group=0,
        )
        unless_started.pop_all()
        return process, log


def _tracer(pid: int) -> int:
    """Who traces a process, which is 0 if nobody does, or there is none."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return int(status.partition("\nTracerPid:")[2].split()[0])
