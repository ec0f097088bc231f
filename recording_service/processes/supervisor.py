"""Runs the parts of the service as child processes of one parent: starts them again when they die, stops them in order.

The children are forked, so that what all of them import is in memory once. The parent therefore has one thread, and
neither it nor a worker ever imports grpc (grpc.md B.5).
"""

import logging
import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkProcess
from pathlib import Path

from recording_service.adapters.parent_death import die_with_parent
from recording_service.config import ConfigurationError
from recording_service.core.errors import DependencyUnavailable
from recording_service.processes.exit_codes import EXIT_CONFIGURATION, EXIT_UNAVAILABLE
from recording_service.processes.logs import configure_logging
from recording_service.processes.standstill import Standstills

_log = logging.getLogger(__name__)

_fork = multiprocessing.get_context("fork")

#: How long after the first SIGTERM the second one may come (RQ takes one that comes sooner for the same).
SECOND_SIGNAL_SECONDS = 1.2
#: How long a part has after the second SIGTERM, and after SIGKILL.
KILL_SECONDS = 3.0
#: How much of the time between two looks counts as a standstill at most.
LONGEST_GAP_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class RestartWaits:
    """How long a part that has died waits for its next start, and one that stands still for its end, in seconds.

    Recovery within 75 s is promised also after many deaths in a row, and a lease and an election come after this wait
    (docs/reliability.md): so the waits end soon. They are there for the log's sake and for what else runs here.
    """

    #: After the first death; doubled with each one that follows.
    first_seconds: float = 0.5
    #: Never longer than this.
    last_seconds: float = 5.0
    #: A part that lived this long begins anew with the first.
    healthy_seconds: float = 30.0
    #: One that stands still (SIGSTOP) is ended after so long: more than a lease.
    standstill_seconds: float = 45.0

    def scaled(self, scale: float) -> "RestartWaits":
        """The same, multiplied."""
        return RestartWaits(
            first_seconds=self.first_seconds * scale,
            last_seconds=self.last_seconds * scale,
            healthy_seconds=self.healthy_seconds * scale,
            standstill_seconds=self.standstill_seconds * scale,
        )


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the service, run in a process of its own until SIGTERM. `run` calls `ready` once it does its work."""

    name: str
    run: Callable[[Callable[[], None]], None]
    #: How long it may take to stop before it is killed.
    stop_seconds: float = 10.0


class _Child:
    """A part's process, over its lives. Owned by the supervisor."""

    def __init__(self, part: Part, log_level: str, waits: RestartWaits) -> None:
        self.part = part
        self.process: ForkProcess | None = None
        self.ready = False
        #: When it is to be started again, by the monotonic clock; only of interest while there is no process.
        self.restart_at = 0.0
        self._waits = waits
        #: Whether it has ever done its work: then it can be started as it is configured.
        self._has_worked = False
        self._log_level = log_level
        self._channel: Connection | None = None
        self._started_at = 0.0
        self._wait_seconds = waits.first_seconds

    def start(self) -> None:
        receiving, sending = _fork.Pipe(duplex=False)
        self.process = _fork.Process(
            target=_run_part, args=(self.part, sending, os.getpid(), self._log_level), name=self.part.name
        )
        self.process.start()
        sending.close()
        self._channel = receiving
        self._started_at = time.monotonic()
        self.ready = False

    def waitables(self) -> list[Connection | int]:
        if self.process is None:
            return []
        return [self.process.sentinel] + ([self._channel] if self._channel is not None and not self.ready else [])

    def look(self) -> None:
        """Notes that it has become ready, or has died; starts it again when its time has come.

        Raises ConfigurationError if it will never start as it is configured. One that has worked before will: what
        keeps it from that now (its port taken for a moment, its disk away) is no reason to end everything else.
        """
        if self.process is None:
            if time.monotonic() >= self.restart_at:
                self.start()
            return
        if self._channel is not None and not self.ready and self._channel.poll():
            self.ready = self._was_told_ready(self._channel)
            self._has_worked = self._has_worked or self.ready
        if self.process.exitcode == EXIT_CONFIGURATION and not self._has_worked:
            raise ConfigurationError([f"{self.part.name} can't be started as it is configured; its log says why"])
        if self.process.exitcode is not None:
            now = time.monotonic()
            if now - self._started_at > self._waits.healthy_seconds:
                self._wait_seconds = self._waits.first_seconds
            _log.error(
                "%s has died (exit code %s); starting it again in %.1f s",
                self.part.name,
                self.process.exitcode,
                self._wait_seconds,
            )
            self.restart_at = now + self._wait_seconds
            self._wait_seconds = min(self._wait_seconds * 2, self._waits.last_seconds)
            self._forget()

    def signal(self, number: signal.Signals) -> None:
        if self.process is not None and self.process.pid is not None and self.process.exitcode is None:
            os.kill(self.process.pid, number)

    def join(self, deadline: float) -> bool:
        """Waits for its end until then; whether it has ended."""
        if self.process is None:
            return True
        self.process.join(max(0.0, deadline - time.monotonic()))
        if self.process.exitcode is None:
            return False
        self._forget()
        return True

    def _was_told_ready(self, channel: Connection) -> bool:
        try:
            return bool(channel.recv())
        except EOFError:
            return False

    def _forget(self) -> None:
        if self.process is not None:
            self.process.close()
        if self._channel is not None:
            self._channel.close()
        self.process = self._channel = None
        self.ready = False


class Supervisor:
    """Owns the parts' processes. For one thread, the parent's only one."""

    def __init__(self, parts: Sequence[Part], log_level: str, waits: RestartWaits = RestartWaits()) -> None:
        self._children = [_Child(part, log_level, waits) for part in parts]
        self._standstills = Standstills(
            patience_seconds=waits.standstill_seconds, longest_gap_seconds=LONGEST_GAP_SECONDS
        )

    def start(self) -> None:
        """Starts every part."""
        for child in self._children:
            child.start()

    @property
    def ready(self) -> bool:
        """Whether every part does its work."""
        return all(child.ready for child in self._children)

    def watch(self, seconds: float, *also: int) -> None:
        """Waits up to that long for something to happen (or to one of the descriptors), and sees to it.

        Raises ConfigurationError if a part will never start as it is configured.
        """
        starts = [child.restart_at - time.monotonic() for child in self._children if child.process is None]
        patience = max(0.0, min([seconds, *starts]))
        wait([waitable for child in self._children for waitable in child.waitables()] + list(also), patience)
        for child in self._children:
            child.look()
        pids = [child.process.pid for child in self._children if child.process is not None and child.process.pid]
        self._standstills.end(pids, time.monotonic())

    def stop(self, *, impatient: Callable[[], bool]) -> None:
        """Stops the parts one after the other in the order they were given, each within its time.

        Parts whose names begin with the same word (the workers) stop together. `impatient` says that nobody wants to
        wait any more.
        """
        groups: dict[str, list[_Child]] = {}
        for child in self._children:
            groups.setdefault(child.part.name.split("-")[0], []).append(child)
        for children in groups.values():
            self._stop_together(children, impatient)

    def _stop_together(self, children: Sequence[_Child], impatient: Callable[[], bool]) -> None:
        """Asks once, asks again when the time is up or nobody wants to wait, and then kills.

        To a worker the second SIGTERM means: give back what you are at. It is heeded a second after the first one.
        """
        waiting = self._signalled(children, signal.SIGTERM, SECOND_SIGNAL_SECONDS)
        patience = max(child.part.stop_seconds for child in children) - SECOND_SIGNAL_SECONDS
        waiting = self._awaited(waiting, patience, impatient)
        waiting = self._signalled(waiting, signal.SIGTERM, KILL_SECONDS)
        for child in waiting:
            _log.warning("%s did not stop in time and is killed", child.part.name)
        self._signalled(waiting, signal.SIGKILL, KILL_SECONDS)

    def _signalled(self, children: Sequence[_Child], number: signal.Signals, seconds: float) -> Sequence[_Child]:
        """Those that have not ended in that time after a signal."""
        for child in children:
            child.signal(number)
        return self._awaited(children, seconds, lambda: False)

    def _awaited(self, children: Sequence[_Child], seconds: float, impatient: Callable[[], bool]) -> Sequence[_Child]:
        """Those that have not ended in that time, or when nobody wanted to wait any more."""
        deadline = time.monotonic() + seconds
        waiting = list(children)
        while waiting and time.monotonic() < deadline and not impatient():
            waiting = [child for child in waiting if not child.join(min(deadline, time.monotonic() + 0.1))]
        return waiting


def _run_part(part: Part, channel: Connection, parent: int, log_level: str) -> None:
    """The child's life. SIGINT is the parent's business; a parent that is killed takes its children along."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.set_wakeup_fd(-1)
    die_with_parent(parent)
    if sys.platform == "linux":
        # The name that ps and top show: which part of the service a process is.
        Path("/proc/self/comm").write_text(part.name, encoding="ascii")
    configure_logging(log_level, part.name)
    try:
        part.run(lambda: channel.send(True))
    except ConfigurationError as error:
        for problem in error.problems:
            _log.error("%s", problem)
        sys.exit(EXIT_CONFIGURATION)
    except DependencyUnavailable as error:
        _log.error("%s", error)
        sys.exit(EXIT_UNAVAILABLE)
    except Exception:
        # By the log, which has no secrets in it: multiprocessing would print the traceback itself.
        _log.critical("ended by an unexpected exception", exc_info=True)
        sys.exit(1)
