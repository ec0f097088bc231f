"""Dying with one's parent, so that a `kill -9` of a process leaves none of its children behind.

Also a program: `python parent_death.py <parent pid> <program> <arguments …>` becomes that program, bound to its parent.
Code that runs between fork and exec (`preexec_fn`) could do the same, but is not safe in a process with threads.
"""

import ctypes
import os
import signal
import sys
from collections.abc import Sequence

#: prctl(2): the signal that the kernel sends when the parent ends.
_PR_SET_PDEATHSIG = 1

#: Loaded here, not where it is used: a forked child should find everything in place.
_LIBC = ctypes.CDLL(None, use_errno=True)


def die_with_parent(parent_pid: int) -> None:
    """Has the kernel kill this process (SIGKILL) as soon as its parent ends; `parent_pid` is who that should be.

    Strictly, as soon as the *thread* ends that started this process. Survives exec, is not inherited over fork.
    If the parent has ended already, this process ends here. On systems other than Linux nothing happens.
    Raises OSError if the kernel refuses.
    """
    if sys.platform != "linux":
        return
    if _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
        errno = ctypes.get_errno()
        raise OSError(errno, os.strerror(errno))
    if os.getppid() != parent_pid:
        # The parent ended before the kernel was told: nobody is left to send the signal.
        os.kill(os.getpid(), signal.SIGKILL)


def bound_to_this_process(command: Sequence[str]) -> list[str]:
    """The command, wrapped so that it dies with the process that calls this, and starts it.

    It must be started from a thread that lives as long as the process does: the main one.
    """
    return [sys.executable, "-I", "-S", __file__, str(os.getpid()), *command]


def main(arguments: Sequence[str]) -> None:
    """Becomes the program that is named, bound to its parent. Raises OSError if it can't be run."""
    parent_pid, *command = arguments
    die_with_parent(int(parent_pid))
    os.execv(command[0], command)  # noqa: S606 - what to run is our caller's own choice


if __name__ == "__main__":
    main(sys.argv[1:])
