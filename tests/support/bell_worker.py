"""A worker in a process of its own: `python -m tests.support.bell_worker <url> <name> [a way to go wrong]`."""

import logging
import os
import signal
import sys
from typing import Any

from recording_service.adapters.redis_client import worker_client
from recording_service.adapters.rq_queue.worker import run_worker
from tests.support.bell_functions import BellJob, note


class TakenJob(BellJob):
    """Has the worker told to stop just when it has taken a bell, and not yet begun with it."""

    @classmethod
    def fetch(cls, *args: Any, **kwargs: Any) -> BellJob:
        os.kill(os.getpid(), signal.SIGTERM)
        return super().fetch(*args, **kwargs)  # type: ignore[return-value]


def log_handlers() -> int:
    """How many there are, at any logger."""
    loggers = [logging.root, *logging.root.manager.loggerDict.values()]
    return sum(len(logger.handlers) for logger in loggers if isinstance(logger, logging.Logger))


def main(url: str, name: str, wrong: str = "") -> int:
    """Hears bells; 0 if it was told to stop."""

    def prepare_horse() -> None:
        note(f"prepared {os.getpid()}")
        if wrong == "prepare":
            raise RuntimeError("as it was told to")

    def on_horse_died(worker_name: str) -> None:
        note(f"died {worker_name}")
        if wrong == "callback":
            raise RuntimeError("as it was told to")

    stopped = run_worker(
        worker_client(url),
        name=name,
        on_horse_died=on_horse_died,
        prepare_horse=prepare_horse,
        job_class=TakenJob if wrong == "stop when taken" else BellJob,
    )
    note(f"handlers {log_handlers()}")
    return 0 if stopped else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
