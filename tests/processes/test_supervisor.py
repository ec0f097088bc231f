"""Parts that die are started again: soon, and however often they have died before."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import pytest

from recording_service.config import ConfigurationError
from recording_service.core.dispatch import DispatchSettings
from recording_service.core.errors import WorkerCrashed
from recording_service.core.retry import RETRY_RULES
from recording_service.processes.exit_codes import EXIT_CONFIGURATION
from recording_service.processes.supervisor import Part, RestartWaits, Supervisor

#: Longest wait of these tests, in seconds.
PATIENCE_SECONDS = 30.0
#: What a start takes in these tests at most, beside its wait, in seconds: a fork on a busy machine.
START_SECONDS = 1.0
#: Promised after a SIGKILL of any part (docs/reliability.md), in seconds.
PROMISED_SECONDS = 75.0


class Starts:
    """A part that notes each of its starts, and then does as it is told."""

    def __init__(self, folder: Path, then: Callable[[int, Callable[[], None]], None]) -> None:
        self._file = folder / "starts"
        self._file.touch()
        self._then = then

    @property
    def times(self) -> list[float]:
        """When it was started, by the monotonic clock."""
        return [float(line.split()[0]) for line in self._file.read_text().splitlines()]

    @property
    def pids(self) -> list[int]:
        """Its processes, so far."""
        return [int(line.split()[1]) for line in self._file.read_text().splitlines()]

    def run(self, ready: Callable[[], None]) -> None:
        """What the part does."""
        with self._file.open("a") as file:
            file.write(f"{time.monotonic()} {os.getpid()}\n")
        self._then(len(self.times), ready)


@contextmanager
def supervised(starts: Starts, waits: RestartWaits) -> Iterator[Supervisor]:
    """The part, watched; stopped in the end."""
    supervisor = Supervisor([Part("part", starts.run, stop_seconds=1.5)], "CRITICAL", waits)
    supervisor.start()
    try:
        yield supervisor
    finally:
        supervisor.stop(impatient=lambda: True)


def watch_until(supervisor: Supervisor, is_over: Callable[[], bool]) -> None:
    """Does as `serve` does."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not is_over():
        assert time.monotonic() < deadline
        supervisor.watch(1.0)


def die(_start: int, _ready: Callable[[], None]) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def test_the_waits_of_a_part_that_dies_again_and_again_grow_and_end_soon(tmp_path: Path) -> None:
    starts = Starts(tmp_path, die)
    with supervised(starts, RestartWaits(0.1, 0.8, 60.0)) as supervisor:
        watch_until(supervisor, lambda: len(starts.times) >= 8)
        waited = [later - earlier for earlier, later in pairwise(starts.times)]
    expected = [0.1, 0.2, 0.4, 0.8, 0.8, 0.8, 0.8]
    assert all(wait <= took < wait + START_SECONDS for took, wait in zip(waited, expected, strict=False)), waited


def test_a_part_that_has_lived_for_long_enough_is_started_again_at_once(tmp_path: Path) -> None:
    def live_then_die(start: int, ready: Callable[[], None]) -> None:
        if start > 3:
            ready()
            time.sleep(0.3)
        die(start, ready)

    starts = Starts(tmp_path, live_then_die)
    with supervised(starts, RestartWaits(0.05, 20.0, 0.2)) as supervisor:
        watch_until(supervisor, lambda: len(starts.times) >= 8)
    assert all(later - earlier < 0.35 + START_SECONDS for earlier, later in pairwise(starts.times[3:]))


def test_a_wait_shorter_than_the_supervisors_look_is_no_longer_for_that(tmp_path: Path) -> None:
    starts = Starts(tmp_path, die)
    with supervised(starts, RestartWaits(0.01, 0.01, 60.0)) as supervisor:
        began = time.monotonic()
        deaths = 5
        while len(starts.times) <= deaths:
            assert time.monotonic() - began < deaths * START_SECONDS
            supervisor.watch(60.0)


def test_a_part_that_can_never_start_as_it_is_configured_ends_everything(tmp_path: Path) -> None:
    starts = Starts(tmp_path, lambda start, ready: os._exit(EXIT_CONFIGURATION))
    with (
        supervised(starts, RestartWaits(0.01, 0.01, 60.0)) as supervisor,
        pytest.raises(ConfigurationError),
    ):
        watch_until(supervisor, lambda: len(starts.times) > 2)


def test_a_part_that_has_worked_is_started_again_though_it_says_that_it_is_configured_wrongly(tmp_path: Path) -> None:
    def find_its_port_taken_once(start: int, ready: Callable[[], None]) -> None:
        if start == 2:
            os._exit(EXIT_CONFIGURATION)
        ready()
        signal.pause()

    starts = Starts(tmp_path, find_its_port_taken_once)
    with supervised(starts, RestartWaits(0.01, 0.01, 60.0)) as supervisor:
        watch_until(supervisor, lambda: supervisor.ready)
        os.kill(starts.pids[0], signal.SIGKILL)
        watch_until(supervisor, lambda: len(starts.times) == 3 and supervisor.ready)


def test_all_waits_together_leave_recovery_within_what_is_promised() -> None:
    """The worst: dispatcher and worker are killed together, not for the first time, with a recording in the middle."""
    dispatch, waits = DispatchSettings(), RestartWaits()
    start_seconds = 3.0  # tests/e2e/test_serving.py
    lease = dispatch.lease_seconds + 2 * dispatch.tick_seconds
    election = dispatch.election_seconds + 2 * dispatch.tick_seconds
    back_off = RETRY_RULES[WorkerCrashed].cap_seconds + dispatch.tick_seconds
    assert waits.last_seconds + start_seconds + election + lease + back_off < PROMISED_SECONDS


def test_the_waits_are_scaled_with_all_the_others() -> None:
    assert RestartWaits(1.0, 2.0, 3.0, 4.0).scaled(0.5) == RestartWaits(0.5, 1.0, 1.5, 2.0)


def stand_still(_start: int, _ready: Callable[[], None]) -> None:
    os.kill(os.getpid(), signal.SIGSTOP)
    # Only who is continued comes here.
    time.sleep(PATIENCE_SECONDS)


def test_a_part_that_stands_still_for_too_long_is_ended_and_started_again(tmp_path: Path) -> None:
    starts = Starts(tmp_path, stand_still)
    with supervised(starts, RestartWaits(0.01, 0.01, 60.0, standstill_seconds=1.0)) as supervisor:
        watch_until(supervisor, lambda: len(starts.times) >= 2)
    assert starts.times[1] - starts.times[0] >= 1.0


def test_what_a_part_has_forked_is_ended_when_it_stands_still_too_long(tmp_path: Path) -> None:
    ended = tmp_path / "ended"

    def fork(_start: int, _ready: Callable[[], None]) -> None:
        child = os.fork()
        if child == 0:
            os.kill(os.getpid(), signal.SIGSTOP)
        _, status = os.waitpid(child, 0)
        ended.write_text(str(os.WTERMSIG(status)))
        time.sleep(PATIENCE_SECONDS)

    starts = Starts(tmp_path, fork)
    with supervised(starts, RestartWaits(0.01, 0.01, 60.0, standstill_seconds=1.0)) as supervisor:
        watch_until(supervisor, lambda: ended.exists() and bool(ended.read_text()))
    assert int(ended.read_text()) == signal.SIGKILL
    assert len(starts.times) == 1


def test_a_part_that_is_continued_in_time_lives_on(tmp_path: Path) -> None:
    starts = Starts(tmp_path, stand_still)
    with supervised(starts, RestartWaits(0.01, 0.01, 60.0, standstill_seconds=2.0)) as supervisor:
        for _ in range(3):
            watch_until(supervisor, lambda: bool(starts.pids) and is_stopped(starts.pids[0]))
            stopped_at = time.monotonic()
            watch_until(supervisor, lambda: time.monotonic() - stopped_at > 1.0)  # noqa: B023
            os.kill(starts.pids[0], signal.SIGCONT)
            supervisor.watch(0.0)
            os.kill(starts.pids[0], signal.SIGSTOP)
        os.kill(starts.pids[0], signal.SIGCONT)
    assert len(starts.pids) == 1


def is_stopped(pid: int) -> bool:
    """Whether it stands still."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"
