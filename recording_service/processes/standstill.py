"""Processes of the service that stand still (SIGSTOP) and are not continued.

One that was stopped in the middle of a write holds the database's lock: on SQLite nobody else can write then, and no
time-out of theirs helps (found by the fault harness). What it would do when it goes on is fenced off anyway, so after
a while it is ended, and another takes its place.
"""

import logging
import os
import signal
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from recording_service.core.leases import LeaseWatch

_log = logging.getLogger(__name__)

#: Where state and start stand in /proc/PID/stat, behind the name (proc_pid_stat(5): fields 3 and 22).
_STATE, _START = 0, 19
#: Stopped by a signal. A process that a debugger has stopped is `t`, and is left to it.
_STOPPED = "T"


class _Life(NamedTuple):
    """One life of a process: its id may be another one's later."""

    pid: int
    started_ticks: int


class Standstills:
    """Ends processes that stand still for too long. For one thread; does nothing on systems without /proc."""

    def __init__(self, *, patience_seconds: float, longest_gap_seconds: float) -> None:
        """`patience_seconds` is longer than a lease: who is continued before that is fenced off, and finds out itself.

        Between two looks at most `longest_gap_seconds` count: whoever looks may have been stopped as well.
        """
        self._watch: LeaseWatch[_Life] = LeaseWatch(
            expiry_seconds=patience_seconds, longest_gap_seconds=longest_gap_seconds
        )

    def end(self, pids: Iterable[int], monotonic: float) -> None:
        """Looks at these processes and their children, and ends those that have stood still for too long."""
        standing = {life: 0 for pid in pids for one in (pid, *_children(pid)) if (life := _standing_still(one))}
        for life in self._watch.expired(standing, monotonic):
            _log.error("process %d stands still and is killed: it may hold up the others", life.pid)
            os.kill(life.pid, signal.SIGKILL)


def _children(pid: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def _standing_still(pid: int) -> _Life | None:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return _Life(pid, int(fields[_START])) if fields[_STATE] == _STOPPED else None
