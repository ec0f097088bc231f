"""The functions that RQ imports by name. No grpc here: work-horses are forked, and grpc does not survive that.

The composition root of a worker process (`processes.worker_process`) installs what they need before the first job.
"""

import logging

from recording_service.core.download import Downloader
from recording_service.core.failpoints import Failpoint, failpoint
from recording_service.core.model import Bell

_log = logging.getLogger(__name__)


class BellUnanswered(Exception):
    """Raised in place of whatever kept a bell from being answered: RQ keeps the traceback in Redis for a day.

    `kind` names the exception's class; its text, which may quote a row of the catalogue, is in the log alone.
    """

    def __init__(self, kind: str) -> None:
        super().__init__(f"a bell could not be answered: {kind}; the log of the worker has more")
        self.kind = kind


class _Installed:
    """What this process downloads with."""

    downloader: Downloader | None = None
    worker_name: str = ""


def install(downloader: Downloader, worker_name: str) -> None:
    """Sets what `download` works with in this process, and in the work-horses it forks."""
    _Installed.downloader = downloader
    _Installed.worker_name = worker_name


def download(job_id: str) -> str | None:
    """The one job there is: answers a bell. The attempt that it saw to an end, by its name; None if nothing was due.

    Raises RuntimeError in a process that nothing was installed in, which RQ then tries again elsewhere; BellUnanswered
    if it could not be answered, before anything was claimed.
    """
    if _Installed.downloader is None:
        raise RuntimeError("this process is not a recording worker: start it with `recording-service worker`")
    bell = Bell.from_job_id(job_id)
    failpoint(Failpoint.WORKER_BELL_HEARD)
    try:
        answered = _Installed.downloader.answer(bell, _Installed.worker_name)
    except Exception as error:
        _log.warning("a bell could not be answered job_id=%s", job_id, exc_info=True)
        raise BellUnanswered(type(error).__name__) from None
    return answered.job_id if answered is not None else None
