"""Workers in processes of their own, as tests of the worker see them."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from rq.job import Job
from rq.serializers import JSONSerializer

from recording_service.adapters.rq_queue.queue import QUEUE_NAME, RqBellQueue
from recording_service.core.model import Bell, Work
from tests.support import bell_functions
from tests.support.redis_server import RedisServer
from tests.support.waiting import eventually

ROOT = Path(__file__).parents[2]

_numbers = count(1)


def bell(number: int, attempt: int = 1) -> Bell:
    """A bell that rings."""
    return Bell("AC" + "a" * 32, f"RE{number:032x}", attempt)


def is_running(pid: int) -> bool:
    """Whether there is such a process, other than one that only waits to be collected."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


class BellWorker:
    """One worker process."""

    def __init__(self, url: str, folder: Path, wrong: str) -> None:
        self.name = f"worker-{os.getpid()}-{next(_numbers)}"
        self.output = folder / f"{self.name}.output"
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-W", "error", "-m", "tests.support.bell_worker", url, self.name, wrong],
                cwd=ROOT,
                env={**os.environ, "BELL_FOLDER": str(folder)},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def send(self, number: signal.Signals) -> None:
        """Sends a signal to the worker alone."""
        self.process.send_signal(number)

    def wait(self) -> int:
        """How it ended."""
        return self.process.wait(20.0)


class Belfry:
    """A queue, what its workers do, and what they tell."""

    def __init__(self, url: str, client: Redis, folder: Path) -> None:
        self.client = client
        self.folder = folder
        self.url = url
        self.workers: list[BellWorker] = []
        os.mkfifo(folder / "release")

    def start(self, wrong: str = "") -> BellWorker:
        """A worker that waits for bells."""
        worker = BellWorker(self.url, self.folder, wrong)
        self.workers.append(worker)
        return worker

    def ring(self, *bells: Bell, to: str = "answer") -> None:
        """Rings for one of `bell_functions`."""
        functions = dict.fromkeys(Work, f"{bell_functions.__name__}.{to}")
        RqBellQueue(self.client, functions=functions).ring(bells)

    def hang(self, one: Bell, data: str, **fields: str) -> None:
        """Puts a job into the queue that somebody has written by hand."""
        self.ring(one)
        written: dict[Any, Any] = {"data": data, **fields}
        self.client.hset(f"rq:job:{one.job_id}", mapping=written)

    def release(self) -> None:
        """Lets those go on that wait for it."""
        (self.folder / "release").write_bytes(b"go on")

    def notes(self, *words: str) -> list[list[str]]:
        """What was told, in words, of what begins with these."""
        file = self.folder / "notes"
        lines = file.read_text().splitlines() if file.exists() else []
        return [told for told in map(str.split, lines) if told[: len(words)] == list(words)]

    def noted(self, *words: str, times: int = 1) -> list[str]:
        """Waits until that was told so many times; the last of it."""
        eventually(lambda: len(self.notes(*words)) >= times, what=f"{words} told {times} times")
        return self.notes(*words)[times - 1]

    def job(self, one: Bell) -> Job:
        """RQ's job of a bell."""
        return Job.fetch(one.job_id, connection=self.client, serializer=JSONSerializer)

    def reason(self, one: Bell) -> str:
        """Waits until the job has failed; why."""
        eventually(lambda: self.job(one).get_status() == "failed", what="the end of the job")
        result = self.job(one).latest_result()
        return (result.exc_string or "") if result is not None else ""

    def taken(self) -> list[bytes | str]:
        """Names of jobs that a worker has taken from the queue and not begun."""
        return self.client.lrange(f"rq:queue:{QUEUE_NAME}:intermediate", 0, -1)

    def stop(self) -> None:
        """Ends every worker that is left, and its work-horses with it."""
        for worker in self.workers:
            if worker.process.poll() is None:
                worker.process.kill()
            worker.process.wait(20.0)


@pytest.fixture
def belfry(redis_server: RedisServer, flushed: Redis, tmp_path: Path) -> Iterator[Belfry]:
    """An empty queue, and no worker yet."""
    belfry = Belfry(redis_server.url, flushed, tmp_path)
    yield belfry
    belfry.stop()
