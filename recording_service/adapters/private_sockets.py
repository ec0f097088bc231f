"""Where processes of one service meet on one machine: unix sockets that only this user can reach."""

import os
import shutil
import tempfile
from pathlib import Path

#: Longest path of a socket, in bytes. The kernel's limit is 107, and some cut a longer one silently.
LONGEST_SOCKET_PATH = 99


class SocketPathTooLong(Exception):
    """Raised where no folder for a socket has a short enough name. The text is for the operator."""

    def __init__(self) -> None:
        super().__init__("the temporary directory has too long a name for a socket: set TMPDIR to a shorter one")


def private_socket_path(name: str) -> Path:
    """A path for a socket, in a new folder that only we can enter (mkdtemp: 0700). Raises SocketPathTooLong.

    Whoever asked gives it back with `remove_private_socket`.
    """
    for parent in (tempfile.gettempdir(), "/tmp"):  # noqa: S108 - mkdtemp makes names that nobody can guess
        path = Path(tempfile.mkdtemp(prefix="recordings-", dir=parent)) / name
        if len(os.fsencode(path)) <= LONGEST_SOCKET_PATH:
            return path
        path.parent.rmdir()
    raise SocketPathTooLong


def remove_private_socket(path: Path) -> None:
    """Removes a socket with its folder. Idempotent."""
    shutil.rmtree(path.parent, ignore_errors=True)
