"""A PostgreSQL of a test's own, to be stopped, killed and hung: `.ci/postgresql` started in a folder."""

import os
import signal
import subprocess
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType

from tests.support.processes import Process

_SCRIPT = Path(__file__).parents[2] / ".ci" / "postgresql"

#: Longest wait for the server to be made, started or stopped, in seconds.
CONTROL_SECONDS = 120.0


class PostgresqlServer:
    """A server with an empty database, in a folder of its own, until the end of the block. Context manager.

    What was committed outlives a crash of the server where it was committed with synchronous_commit, as the service
    has it; it would not outlive one of the machine.
    """

    def __init__(self) -> None:
        # The path of a socket must be short, which that of a test's folder is not.
        self._parent = TemporaryDirectory(prefix="recording-pg-", dir="/tmp")
        self._folder = Path(self._parent.name, "cluster")
        #: Where it is reached; empty outside of the block.
        self.url = ""

    def __enter__(self) -> "PostgresqlServer":
        """Makes and starts it. RuntimeError if PostgreSQL is not installed."""
        # It does not run as root, and whoever it runs as must get to its folder.
        self._folder.parent.chmod(0o711)
        try:
            self.url = self._scripted("start")
        except BaseException:
            self._parent.cleanup()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            self._scripted("stop")
        finally:
            self.url = ""
            self._parent.cleanup()

    def signal(self, number: signal.Signals) -> None:
        """Sends a signal to every process of it."""
        for process in self._postmaster().family():
            with suppress(ProcessLookupError):
                process.send(number)

    def kill(self) -> None:
        """Ends every process of it at once, as a crash does."""
        postmaster = self._postmaster()
        postmaster.stop()  # else it would see its children die, and start others
        family = postmaster.family()
        self.signal(signal.SIGKILL)
        for process in family:
            process.wait_for_end()
        # In a container nobody may collect it, and then it would be taken for a server that runs.
        for file in (self._folder / "data" / "postmaster.pid", *self._folder.glob(".s.PGSQL.*.lock")):
            file.unlink()

    def start(self) -> None:
        """Starts it again after `kill`, as an operator would; it recovers from its log."""
        self._control("start")

    def crash_and_restart(self) -> None:
        """`kill`, and `start` again."""
        self.kill()
        self.start()

    def restart(self) -> None:
        """Restarts it in order, cutting every connection."""
        self._control("restart", "--mode", "fast")

    def _postmaster(self) -> Process:
        return Process.at(int((self._folder / "data" / "postmaster.pid").read_text().splitlines()[0]))

    def _control(self, *command: str) -> None:
        data = self._folder / "data"
        # The first word is the server's program, as it was started.
        program = Path((data / "postmaster.opts").read_text().split()[0]).with_name("pg_ctl")
        unprivileged = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []
        log = str(self._folder / "server.log")
        subprocess.run(
            [*unprivileged, str(program), *command, "--wait", "--silent", "--pgdata", str(data), "--log", log],
            check=True,
            timeout=CONTROL_SECONDS,
            cwd=self._folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )

    def _scripted(self, command: str) -> str:
        done = subprocess.run(
            [_SCRIPT, command, self._folder], capture_output=True, text=True, timeout=CONTROL_SECONDS, check=False
        )
        if done.returncode:
            raise RuntimeError(f"{_SCRIPT.name} {command}: {done.stderr.strip()}")
        return done.stdout.strip()
