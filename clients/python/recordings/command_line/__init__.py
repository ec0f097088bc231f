"""The command `recordings`: see clients/python/COMMAND_LINE.md."""

from recordings.command_line.app import main

__all__ = ["main"]
