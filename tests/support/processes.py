"""The processes of a running `serve`: found by the names that ps shows, signalled without hitting anybody else."""

import os
import select
import signal
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.waiting import eventually

#: Longest wait for a process to end or to stand still after a signal, in seconds.
SIGNAL_SECONDS = 15.0

#: Where state, parent and start stand in /proc/PID/stat, behind the name (proc_pid_stat(5): fields 3, 4 and 22).
_STATE, _PARENT, _START = 0, 1, 19

_GONE = (FileNotFoundError, ProcessLookupError)


@dataclass(frozen=True)
class Memory:
    """What a process has in memory, in bytes."""

    #: What it has alone, and its part of what it shares: those of a family add up to what the family takes.
    proportional_bytes: int
    #: Everything of it, shared or not.
    resident_bytes: int


@dataclass(frozen=True)
class Process:
    """One life of a process: a later process with the same id is another one, and never gets this one's signals."""

    pid: int
    #: When it began, in clock ticks since the machine did.
    started_ticks: int
    #: What ps calls it, as it was when it was looked at: `grpc`, `http`, `dispatcher`, `worker-1`, `redis-server` …
    name: str = field(compare=False)

    @classmethod
    def at(cls, pid: int) -> "Process":
        """The process that has this id now. ProcessLookupError if none has."""
        try:
            return cls(pid, int(_stat(pid)[_START]), Path(f"/proc/{pid}/comm").read_text().rstrip("\n"))
        except _GONE:
            raise ProcessLookupError(f"there is no process {pid}") from None

    def is_alive(self) -> bool:
        """Whether it is there, stopped or not; a zombie is not."""
        try:
            return self._stat_of_this_life()[_STATE] not in "ZX"
        except ProcessLookupError:
            return False

    def stands_still(self) -> bool:
        """Whether SIGSTOP, or a tracer, holds it: all its threads."""
        try:
            tasks = [task.name for task in Path(f"/proc/{self.pid}/task").iterdir()]
            return self.is_alive() and all(_stat(self.pid, task)[_STATE] in "Tt" for task in tasks)
        except _GONE:
            return False

    @property
    def memory(self) -> Memory:
        """What it has in memory. ProcessLookupError if it is gone."""
        self._stat_of_this_life()
        try:
            lines = Path(f"/proc/{self.pid}/smaps_rollup").read_text().splitlines()
        except _GONE:
            raise self._gone() from None
        kibibytes = {words[0]: int(words[1]) for line in lines if len(words := line.split()) == 3}
        return Memory(kibibytes["Pss:"] * 1024, kibibytes["Rss:"] * 1024)

    def children(self) -> list["Process"]:
        """The processes that it has started; none if it is gone."""
        try:
            self._stat_of_this_life()
            pids = list(_started_by(self.pid))
        except _GONE:
            return []
        return [child for pid in pids if (child := _child(pid, self.pid)) is not None]

    def family(self) -> list["Process"]:
        """It, and everything that it and they have started."""
        return [self, *(one for child in self.children() for one in child.family())]

    def send(self, number: signal.Signals) -> None:
        """Sends it a signal. ProcessLookupError if it is gone, whoever has its id now."""
        descriptor = self._opened()
        try:
            signal.pidfd_send_signal(descriptor, number)
        finally:
            os.close(descriptor)

    def kill(self) -> None:
        """Ends it as a crash would (SIGKILL); returns when it has ended. Does nothing to one that has."""
        try:
            self.send(signal.SIGKILL)
        except ProcessLookupError:
            return
        self.wait_for_end()

    def stop(self) -> None:
        """Has it stand still (SIGSTOP) until `go_on`; returns when it does. ProcessLookupError if it is gone."""
        self.send(signal.SIGSTOP)
        eventually(self.stands_still, within=SIGNAL_SECONDS, what=f"the standstill of {self.name}")

    def go_on(self) -> None:
        """Ends `stop`. ProcessLookupError if it is gone."""
        self.send(signal.SIGCONT)

    def wait_for_end(self, *, within: float = SIGNAL_SECONDS) -> None:
        """Returns when it has ended, also where nobody has asked for its exit status. AssertionError if not in time."""
        try:
            descriptor = self._opened()
        except ProcessLookupError:
            return
        try:
            poll = select.poll()
            poll.register(descriptor, select.POLLIN)
            assert poll.poll(within * 1000), f"{self.name} ({self.pid}) did not end within {within:.0f} s"
        finally:
            os.close(descriptor)

    def _opened(self) -> int:
        """A descriptor that stands for this life, whatever becomes of the id. ProcessLookupError if it is gone."""
        descriptor = os.pidfd_open(self.pid)
        try:
            # Now, not before: what has the id now has it as long as the descriptor says that it is alive.
            self._stat_of_this_life()
        except BaseException:
            os.close(descriptor)
            raise
        return descriptor

    def _stat_of_this_life(self) -> list[str]:
        try:
            fields = _stat(self.pid)
        except _GONE:
            raise self._gone() from None
        if int(fields[_START]) != self.started_ticks:
            raise self._gone()
        return fields

    def _gone(self) -> ProcessLookupError:
        return ProcessLookupError(f"{self.name} ({self.pid}) is gone")


class ServeProcesses:
    """The processes of one `serve`, as they are whenever it is asked."""

    def __init__(self, serve_pid: int) -> None:
        """ProcessLookupError if there is no such process."""
        self.supervisor = Process.at(serve_pid)

    def parts(self, name: str = "") -> list[Process]:
        """Those that it has started and whose names begin so (`worker-`), its embedded Redis included."""
        # A part that was forked a moment ago still has its parent's name: it is none yet.
        started = [one for one in self.supervisor.children() if one.is_alive() and one.name != self.supervisor.name]
        return [one for one in started if one.name.startswith(name)]

    def part(self, name: str) -> Process:
        """The one part of this name; waits for it if it is just being started. AssertionError if it does not come."""
        found = eventually(lambda: self._found(name), within=SIGNAL_SECONDS, what=f"a part named {name}")
        assert found is not None
        return found

    def workers(self) -> list[Process]:
        """The workers, without their work-horses."""
        return self.parts("worker-")

    def work_horses(self) -> list[Process]:
        """What the workers have forked, each for one bell."""
        return [horse for worker in self.workers() for horse in worker.children() if horse.is_alive()]

    def everything(self) -> list[Process]:
        """The supervisor, the parts, and the work-horses."""
        return self.supervisor.family()

    def restarted(self, former: Process, *, within: float = 60.0) -> Process:
        """The part that has taken a former one's place, once it is there; AssertionError if it is not in time."""

        def successor() -> Process | None:
            found = self._found(former.name)
            return found if found != former else None

        found = eventually(successor, within=within, what=f"the restart of {former.name}")
        assert found is not None
        return found

    def proportional_bytes(self) -> int:
        """What all of it takes of memory. Of a process that ends meanwhile nothing is counted."""
        total = 0
        for process in self.everything():
            try:
                total += process.memory.proportional_bytes
            except ProcessLookupError:
                continue
        return total

    def _found(self, name: str) -> Process | None:
        return next((one for one in self.parts(name) if one.name == name), None)


def _started_by(pid: int) -> Iterator[int]:
    """What the threads of a process have started. One of _GONE if it is gone."""
    for task in Path(f"/proc/{pid}/task").iterdir():
        # A thread may end meanwhile: what it has started is another one's then.
        with suppress(*_GONE):
            yield from map(int, (task / "children").read_text().split())


def _child(pid: int, parent: int) -> Process | None:
    """That process, if it is there and this parent's; None otherwise."""
    try:
        child = Process.at(pid)
        return child if int(_stat(pid)[_PARENT]) == parent else None
    except _GONE:
        return None


def _stat(pid: int, task: str = "") -> list[str]:
    """What /proc says of a process or thread, from its state on: the name before may hold anything."""
    file = Path(f"/proc/{pid}/task/{task}/stat" if task else f"/proc/{pid}/stat")
    return file.read_text().rpartition(")")[2].split()
