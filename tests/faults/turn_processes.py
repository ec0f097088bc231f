"""The processes that play turns: none of them outlives the campaign, however that ends."""

import subprocess
import threading
from collections.abc import Sequence

from recording_service.adapters.parent_death import bound_to_this_process

#: How long a turn that is told to end may take to clean up after itself, in seconds; it is killed then.
END_SECONDS = 30.0


class CampaignHasEnded(Exception):
    """No turn begins any more."""


class TurnProcesses:
    """Runs commands, each for the thread that asks, until all are told to end. For many threads."""

    def __init__(self) -> None:
        self._running: set[subprocess.Popen[str]] = set()
        self._ended = False
        self._lock = threading.Lock()

    def run(self, command: Sequence[str], *, within: float) -> "subprocess.CompletedProcess[str]":
        """Runs one to its end. subprocess.TimeoutExpired, with the process ended, if it takes longer, in seconds.

        CampaignHasEnded after `end`.
        """
        process = self._started(command)
        try:
            out, err = process.communicate(timeout=within)
        except subprocess.TimeoutExpired:
            process.terminate()
            _wait_or_kill(process)
            raise
        finally:
            with self._lock:
                self._running.discard(process)
        return subprocess.CompletedProcess(command, process.returncode, out, err)

    def end(self) -> None:
        """Ends those that run, by SIGTERM first, and lets none begin; returns when they are gone. Idempotent."""
        with self._lock:
            self._ended = True
            running = list(self._running)
        for process in running:
            process.terminate()
        for process in running:
            _wait_or_kill(process)

    def _started(self, command: Sequence[str]) -> "subprocess.Popen[str]":
        with self._lock:
            if self._ended:
                raise CampaignHasEnded
            # Bound to this thread, strictly, which waits for its end. A Ctrl-C is for the campaign, which ends it.
            process = subprocess.Popen(
                bound_to_this_process(command),
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                process_group=0,
            )
            self._running.add(process)
        return process


def _wait_or_kill(process: "subprocess.Popen[str]") -> None:
    try:
        process.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
