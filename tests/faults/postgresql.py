"""A PostgreSQL of a scenario's own, to be killed and started again."""

import subprocess
import tempfile
from pathlib import Path
from types import TracebackType

import sqlalchemy as sa

#: The script by which CI starts one as well.
SCRIPT = Path(__file__).parents[2] / ".ci" / "postgresql"
#: Longest wait for the script, in seconds.
SCRIPT_SECONDS = 120.0


class PostgresqlProcess:
    """One cluster in a folder of its own. Context manager."""

    def __init__(self) -> None:
        self._parent = tempfile.TemporaryDirectory(prefix="recording-faults-pg-")
        self._folder = f"{self._parent.name}/cluster"
        self.url = ""

    def start(self) -> None:
        """Starts it. RuntimeError if PostgreSQL is not installed."""
        # initdb refuses root, and the folder's parent must be open to whoever it runs as.
        Path(self._parent.name).chmod(0o711)
        self.url = self._run("start")
        # What was committed must outlive a crash of the server; the script's clusters need not.
        engine = sa.create_engine(self.url, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(sa.text("ALTER SYSTEM SET synchronous_commit = on"))
            connection.execute(sa.text("SELECT pg_reload_conf()"))
        engine.dispose()

    def crash_and_restart(self) -> None:
        """Ends every server process at once, as a crash does, and starts it again; it recovers from its log."""
        self._run("restart")

    @property
    def postmaster(self) -> int:
        """The process all others belong to."""
        return int(next(Path(self._folder).rglob("postmaster.pid")).read_text().split()[0])

    def stop(self) -> None:
        """Stops it and removes its folder. Idempotent."""
        if self.url:
            self._run("stop")
            self.url = ""
        self._parent.cleanup()

    def __enter__(self) -> "PostgresqlProcess":
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def _run(self, command: str) -> str:
        done = subprocess.run(
            [SCRIPT, command, self._folder], capture_output=True, text=True, timeout=SCRIPT_SECONDS, check=False
        )
        if done.returncode:
            raise RuntimeError(f"PostgreSQL could not be {command}ed: {done.stderr.strip()}")
        return done.stdout.strip()
