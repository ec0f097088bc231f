"""The command in a process of its own, as a shell runs it: with pipes, or at a terminal."""

import errno
import json
import os
import pty
import select
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

#: Longest run of a command, in seconds.
COMMAND_SECONDS = 60.0


class Ended(NamedTuple):
    """How a command has ended, and what it has said."""

    code: int
    stdout: bytes
    stderr: str

    @property
    def text(self) -> str:
        """What it has printed."""
        return self.stdout.decode()

    @property
    def objects(self) -> list[dict[str, Any]]:
        """What it has printed, as `jq` reads it: an object a line."""
        return [json.loads(line) for line in self.stdout.splitlines()]


class RunningCommand:
    """Runs `recordings` with the address of one service, in one folder."""

    def __init__(self, target: str, folder: Path, **variables: str) -> None:
        inherited = {
            name: value for name, value in os.environ.items() if not name.startswith(("RECORDING_", "NO_COLOR"))
        }
        self.folder = folder
        self.environment = {**inherited, "TERM": "xterm", "RECORDING_GRPC_TARGET": target, **variables}

    def start(self, *arguments: str, **streams: Any) -> "subprocess.Popen[bytes]":
        """Starts it; whoever does so waits for its end."""
        command = [sys.executable, "-m", "recordings.command_line", *arguments]
        return subprocess.Popen(command, env=self.environment, cwd=self.folder, **streams)

    def __call__(self, *arguments: str, stdin: bytes = b"") -> Ended:
        """Runs it to its end."""
        pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
        with self.start(*arguments, **pipes) as process:
            try:
                stdout, stderr = process.communicate(stdin, COMMAND_SECONDS)
            except BaseException:
                process.kill()
                raise
        return Ended(process.returncode, stdout, stderr.decode())

    def at_a_terminal(self, *arguments: str, typed: bytes = b"") -> Ended:
        """Runs it to its end with a terminal for all three streams; what was shown is in `stdout`."""
        ours, theirs = pty.openpty()
        try:
            with self.start(*arguments, stdin=theirs, stdout=theirs, stderr=theirs) as process:
                os.close(theirs)
                os.write(ours, typed)
                try:
                    shown = _all_of(ours)
                    return Ended(process.wait(COMMAND_SECONDS), shown, "")
                except BaseException:
                    process.kill()
                    raise
        finally:
            os.close(ours)


def _all_of(terminal: int) -> bytes:
    """What is shown until nobody has the terminal any more."""
    deadline = time.monotonic() + COMMAND_SECONDS
    shown = b""
    while True:
        ready, _, _ = select.select([terminal], [], [], max(deadline - time.monotonic(), 0))
        assert ready, f"the command did not end: {shown!r}"
        try:
            piece = os.read(terminal, 65536)
        except OSError as error:
            if error.errno != errno.EIO:
                raise
            return shown
        shown += piece


Command = Callable[..., Ended]
