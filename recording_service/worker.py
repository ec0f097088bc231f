"""The functions that RQ imports by name. No grpc here: work-horses are forked, and grpc does not survive that.

The composition root of a worker process (`processes.worker`) installs what they need before the first job.
"""

from recording_service.core.download import Downloader
from recording_service.core.failpoints import Failpoint, failpoint
from recording_service.core.model import Bell


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

    Raises RuntimeError in a process that nothing was installed in, which RQ then tries again elsewhere.
    """
    if _Installed.downloader is None:
        raise RuntimeError("this process is not a recording worker: start it with `recording-service worker`")
    failpoint(Failpoint.WORKER_BELL_HEARD)
    answered = _Installed.downloader.answer(Bell.from_job_id(job_id), _Installed.worker_name)
    return answered.job_id if answered is not None else None
