"""Failpoints: named steps at which a fault harness may kill, stop, hold or fail the service. Off unless armed.

A composition root arms them from `RECORDING_FAILPOINTS`, for tests only. While any is armed, every failpoint that is
reached is noted in `<folder>/reached`, before anything is done about it: a harness sees how many there are on the happy
path, and kills at the first, the second, and so on (`*=kill@1`, `*=kill@2`, …).
"""

import logging
import signal
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from recording_service.core.failpoint_journal import FailpointFolderUnusable, FailpointJournal
from recording_service.core.failpoint_names import Failpoint
from recording_service.core.failpoint_rules import (
    KNOWN,
    FailpointAction,
    FailpointRule,
    FailpointsRefused,
    UnknownFailpoint,
    UnknownFailpointAction,
    failpoint_rules,
)

__all__ = [
    "HOLD_SECONDS",
    "KNOWN",
    "RELEASE",
    "Failpoint",
    "FailpointFolderUnusable",
    "FailpointRaised",
    "FailpointsRefused",
    "UnknownFailpoint",
    "UnknownFailpointAction",
    "arm",
    "failpoint",
]

#: The file that lets go of those who are held.
RELEASE = "release"
#: Longest time that somebody is held.
HOLD_SECONDS = 60.0
#: Between two looks for the file.
HOLD_LOOK_SECONDS = 0.02

_log = logging.getLogger(__name__)


class FailpointRaised(Exception):
    """What an armed failpoint raises: an error that nobody expects. `name` says where."""

    def __init__(self, name: Failpoint) -> None:
        super().__init__(f"failpoint {name}")
        self.name = name


class _Armed:
    """What is armed in this process."""

    def __init__(self, rules: Sequence[FailpointRule], folder: Path) -> None:
        self._rules = rules
        self._folder = folder
        self._journal = FailpointJournal(folder)
        self._journal.check()

    def reached(self, name: Failpoint) -> None:
        """Notes it, and then does what the rules say, in their order."""
        count, total = self._journal.note(name)
        for rule in self._rules:
            if rule.applies(name, count, total):
                self._act(rule.action, name, total)

    def _act(self, action: FailpointAction, name: Failpoint, total: int) -> None:
        if action is FailpointAction.TRACE:
            return
        _log.warning("failpoint reached name=%s action=%s n=%d", name, action, total)
        # To this very thread: one that is sent to the process may be taken by another, and this one goes a bit further.
        if action is FailpointAction.KILL:
            signal.pthread_kill(threading.get_ident(), signal.SIGKILL)
        elif action is FailpointAction.STOP:
            signal.pthread_kill(threading.get_ident(), signal.SIGSTOP)
        elif action is FailpointAction.HOLD:
            self._hold(name)
        else:
            raise FailpointRaised(name)

    def _hold(self, name: Failpoint) -> None:
        deadline = time.monotonic() + HOLD_SECONDS
        while not (self._folder / RELEASE).exists():
            if time.monotonic() > deadline:
                _log.warning("nobody has let go of a failpoint; going on name=%s", name)
                return
            time.sleep(HOLD_LOOK_SECONDS)


_armed: _Armed | None = None


def arm(spec: str, folder: Path) -> None:
    """Arms this process, and those it will fork, in place of what was armed before; a blank `spec` disarms it.

    `spec` is that of `failpoint_rules`. `@hit` counts over all processes that were ever armed with that folder, which
    must be there. Raises FailpointsRefused, FailpointFolderUnusable; what was armed then still is.
    """
    global _armed
    rules = failpoint_rules(spec)
    _armed = _Armed(rules, folder) if rules else None


def failpoint(name: Failpoint) -> None:
    """Marks a step. Does nothing unless this process is armed; then whatever it is armed with."""
    if _armed is not None:
        _armed.reached(name)
