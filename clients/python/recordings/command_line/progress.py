"""How far it is, on stderr, for whoever looks at a terminal."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

import click


class Progress(Protocol):
    """Takes note of what is done."""

    def update(self, n_steps: int) -> None:
        """So many bytes more."""


class _Unseen:
    def update(self, n_steps: int) -> None:
        """Nobody looks."""


@contextmanager
def progress(label: str, total: int, *, wanted: bool = True) -> Iterator[Progress]:
    """A bar over so many bytes until the block ends; none where stderr is no terminal."""
    if not wanted or not total or not sys.stderr.isatty():
        yield _Unseen()
        return
    with click.progressbar(length=total, label=label, file=sys.stderr, width=0, show_pos=True) as bar:
        # It shows the first bytes at once: a bar that waits for its end looks like a hang.
        bar.update(0)
        yield bar
