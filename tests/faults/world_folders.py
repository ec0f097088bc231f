"""The folders of worlds: told apart by who made them, kept after a failure, and removed if nobody does it any more."""

import os
import re
import shutil
import tempfile
from pathlib import Path

from tests.support.processes import Process

#: What they are called, and the process that made them.
_NAME = re.compile(r"recording-faults-(\d+)-.*")
#: A file in those that somebody is to look into.
_KEPT = "kept"


def new_folder() -> Path:
    """A folder for a world of this process."""
    return Path(tempfile.mkdtemp(prefix=f"recording-faults-{os.getpid()}-"))


def keep(folder: Path) -> None:
    """Marks a folder as one that only whoever has looked into it removes. Idempotent."""
    (folder / _KEPT).touch()


def remove_abandoned() -> None:
    """Removes the folders whose process is gone without having done so (it was killed), unless they are kept."""
    for folder in Path(tempfile.gettempdir()).iterdir():
        name = _NAME.fullmatch(folder.name)
        if name and not (folder / _KEPT).exists() and not _runs(int(name[1])):
            # Another run may be about to do the same.
            shutil.rmtree(folder, ignore_errors=True)


def _runs(pid: int) -> bool:
    try:
        return Process.at(pid).is_alive()
    except ProcessLookupError:
        return False
