"""The functions that RQ imports by name. No grpc here: work-horses are forked, and grpc does not survive that.

The composition root of a worker process (`processes.worker_process`) installs what they need before the first job.
"""

import logging
from typing import Protocol

from recording_service.core.failpoints import Failpoint, failpoint
from recording_service.core.model import Bell, Work

_log = logging.getLogger(__name__)

_COMMANDS = {Work.DOWNLOAD: "worker", Work.PROCESSING: "process"}


class BellUnanswered(Exception):
    """Raised in place of whatever kept a bell from being answered: RQ keeps the traceback in Redis for a day.

    `kind` names the exception's class; its text, which may quote a row of the catalogue, is in the log alone.
    """

    def __init__(self, kind: str) -> None:
        super().__init__(f"a bell could not be answered: {kind}; the log of the worker has more")
        self.kind = kind


class Answerer(Protocol):
    """Sees an attempt to its end."""

    def answer(self, heard: Bell, claimed_by: str) -> Bell | None:
        """Claims what is most urgent, and does it; the attempt, or None if nothing was due."""


class _Installed:
    """What this process answers bells with."""

    answerer: Answerer | None = None
    work = Work.DOWNLOAD
    worker_name: str = ""


def install(answerer: Answerer, work: Work, worker_name: str) -> None:
    """Sets what bells of that kind are answered with in this process, and in the work-horses it forks."""
    _Installed.answerer = answerer
    _Installed.work = work
    _Installed.worker_name = worker_name


def download(job_id: str) -> str | None:
    """Answers a bell that was rung for a download; the attempt that it saw to an end, by its name, or None.

    Raises RuntimeError in a process that has nothing to do it with, which RQ then tries again elsewhere; BellUnanswered
    if it could not be answered, before anything was claimed.
    """
    return _answer(job_id, Work.DOWNLOAD)


def process(job_id: str) -> str | None:
    """Answers a bell that was rung for a recording's processing; otherwise as `download`."""
    return _answer(job_id, Work.PROCESSING)


def _answer(job_id: str, work: Work) -> str | None:
    if _Installed.answerer is None or _Installed.work is not work:
        raise RuntimeError(f"this process is no worker for this: start it with `recording-service {_COMMANDS[work]}`")
    bell = Bell.from_job_id(job_id)
    failpoint(Failpoint.WORKER_BELL_HEARD)
    try:
        answered = _Installed.answerer.answer(bell, _Installed.worker_name)
    except Exception as error:
        _log.warning("a bell could not be answered job_id=%s", job_id, exc_info=True)
        raise BellUnanswered(type(error).__name__) from None
    return answered.job_id if answered is not None else None
