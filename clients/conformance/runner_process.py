"""A runner: a process that is asked a line at a time, and killed if it does not answer."""

import json
import os
import queue
import subprocess
import threading
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from clients.conformance.languages import ROOT, Language

#: How long a runner may take to end at the end of its stdin, in seconds.
_END_SECONDS: Final = 10.0


class NoAnswer(Exception):
    """Raised when a runner does not answer in time, or answers with what is none. It has been ended then."""


class RunnerProcess:
    """Started when it is first asked, and again after it had to be ended."""

    def __init__(self, language: Language, log: Path) -> None:
        """`log` takes what it says on stderr."""
        self._language = language
        self._log = log
        self._process: subprocess.Popen[str] | None = None
        self._answers: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._count = 0

    @property
    def pid(self) -> int:
        """Its process; it is started if it doesn't run."""
        return self._started().pid

    def ask(self, request: Mapping[str, Any], within_seconds: float) -> dict[str, Any]:
        """Its answer. Raises NoAnswer."""
        process = self._started()
        assert process.stdin is not None
        self._count += 1
        try:
            process.stdin.write(json.dumps({"id": self._count, **request}) + "\n")
            process.stdin.flush()
            line = self._answers.get(timeout=within_seconds)
        except BrokenPipeError:
            line = ""
        except queue.Empty:
            self.end()
            raise NoAnswer(f"no answer within {within_seconds:.0f} s") from None
        if not line:
            self.end()
            raise NoAnswer(f"it has ended; see {self._log.name}")
        answer: dict[str, Any] = json.loads(line)
        if answer.pop("id") != self._count:
            self.end()
            raise NoAnswer("an answer to another request")
        return answer

    def end(self) -> None:
        """Kills it, if it runs. Idempotent."""
        if self._process is not None:
            self._process.kill()
            self._reap()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()
            try:
                self._process.wait(_END_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
            self._reap()

    def _reap(self) -> None:
        assert self._process is not None
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        self._process = None

    def _started(self) -> "subprocess.Popen[str]":
        if self._process is None:
            python_path = os.pathsep.join((str(ROOT), str(ROOT / "clients" / "python")))
            with self._log.open("ab") as log:
                self._process = subprocess.Popen(
                    list(self._language.command()),
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=log,
                    text=True,
                    cwd=ROOT,
                    env={**os.environ, "PYTHONPATH": python_path},
                )
            self._answers = queue.SimpleQueue()
            threading.Thread(target=_read, args=(self._process, self._answers), daemon=True).start()
        return self._process


def _read(process: "subprocess.Popen[str]", answers: "queue.SimpleQueue[str]") -> None:
    """Takes its answers; an empty one at its end."""
    assert process.stdout is not None
    try:
        for line in process.stdout:
            answers.put(line)
    except ValueError:
        # It was ended, and its pipe closed.
        pass
    answers.put("")
