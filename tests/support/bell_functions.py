"""What bells do in tests of the worker, in its work-horses. They tell of it in files of the folder BELL_FOLDER."""

import os
from pathlib import Path

from recording_service.adapters.rq_queue.job import RecordingJob


class BellJob(RecordingJob):
    """May run the functions of this module."""

    allowed_functions = frozenset(f"{__name__}.{name}" for name in ("answer", "answer_when_released", "fail"))


def note(text: str) -> None:
    """Adds a line to `notes`; lines of several processes don't mix."""
    file = os.open(Path(os.environ["BELL_FOLDER"]) / "notes", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(file, f"{text}\n".encode())
    os.close(file)


def answer(job_id: str) -> None:
    """Is done at once."""
    note(f"answered {job_id} {os.getpid()}")


def answer_when_released(job_id: str) -> None:
    """Is done when somebody has written to the pipe `release`."""
    note(f"began {job_id} {os.getpid()}")
    with (Path(os.environ["BELL_FOLDER"]) / "release").open("rb") as pipe:
        pipe.read()
    answer(job_id)


def fail(job_id: str) -> None:
    """Raises."""
    note(f"failed {job_id} {os.getpid()}")
    raise RuntimeError("as it was told to")
