"""What the command ends with, for scripts to branch on."""

from enum import IntEnum


class ExitCode(IntEnum):
    """Stable; clients/python/COMMAND_LINE.md explains each."""

    OK = 0
    ERROR = 1
    USAGE = 2
    NOT_FOUND = 3
    NOT_READY = 4
    FAILED = 5
    UNAVAILABLE = 6
    DENIED = 7
    SOME_REFUSED = 8
    CHANGED = 9
    INTERRUPTED = 130


class CommandFailed(Exception):
    """Raised to end the command with this code, and this one line for people."""

    def __init__(self, code: ExitCode, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text
