"""A PostgreSQL of a test's own, to be stopped, killed and hung: `.ci/postgresql` started in a folder."""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

from tests.support.running_service import children_of, is_alive
from tests.support.waiting import eventually

_SCRIPT = Path(__file__).parents[2] / ".ci" / "postgresql"


class PostgresqlServer:
    """One running server."""

    def __init__(self, folder: Path, url: str) -> None:
        self._folder = folder
        self.url = url

    def signal(self, number: signal.Signals) -> None:
        """Sends a signal to every process of it."""
        postmaster = self._postmaster()
        for pid in [postmaster, *children_of(postmaster)]:
            os.kill(pid, number)

    def kill(self) -> None:
        """Ends it as a power cut would."""
        postmaster = self._postmaster()
        self.signal(signal.SIGSTOP)  # else the postmaster would see its children die, and start others
        self.signal(signal.SIGKILL)
        eventually(lambda: not is_alive(postmaster), what="the end of the server")
        # In a container nobody may collect it, and then it would be taken for a server that runs.
        for file in (self._folder / "data" / "postmaster.pid", *self._folder.glob(".s.PGSQL.*.lock")):
            file.unlink()

    def start(self) -> None:
        """Starts it again after `kill`, as an operator would."""
        self._control("start", "--log", str(self._folder / "server.log"))

    def restart(self) -> None:
        """Restarts it, cutting every connection."""
        self._control("restart", "--mode", "fast", "--log", str(self._folder / "server.log"))

    def _postmaster(self) -> int:
        return int((self._folder / "data" / "postmaster.pid").read_text().splitlines()[0])

    def _control(self, *command: str) -> None:
        found = [*Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"), Path("/usr/local/bin/pg_ctl")]
        program = next(path for path in sorted(found, reverse=True) if path.exists())
        unprivileged = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []
        subprocess.run(
            [*unprivileged, str(program), *command, "--wait", "--silent", "--pgdata", str(self._folder / "data")],
            check=True,
            timeout=60,
            cwd=self._folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )


@contextmanager
def postgresql_server() -> Iterator[PostgresqlServer]:
    """A server with an empty database, until the end of the block."""
    folder = Path(mkdtemp(prefix="pg-", dir="/tmp"))  # a socket's path must be short
    folder.rmdir()
    started = subprocess.run([_SCRIPT, "start", folder], check=True, capture_output=True, text=True, timeout=60)
    server = PostgresqlServer(folder, started.stdout.strip())
    try:
        yield server
    finally:
        subprocess.run([_SCRIPT, "stop", folder], check=True, capture_output=True, timeout=60)
