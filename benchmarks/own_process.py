"""Servers and load clients in processes of their own, which end with the benchmark however that ends."""

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection

from recording_service.adapters.parent_death import die_with_parent

#: Started anew and not forked: grpc does not survive a fork (grpc.md B.5).
_spawn = multiprocessing.get_context("spawn")

#: Longest wait for a server to be there, and to end, in seconds.
START_SECONDS, STOP_SECONDS = 30.0, 15.0


@dataclass(frozen=True, slots=True)
class ServerProcess:
    """A server that serves."""

    pid: int
    port: int


class Serving:
    """What a server in a process of its own has of its benchmark. Handed to the function that serves."""

    def __init__(self, control: Connection) -> None:
        self._control = control

    def until_told_to_stop(self, port: int) -> None:
        """Says where it serves; returns when the benchmark needs it no more."""
        try:
            self._control.send(port)
            self._control.recv()
        except (EOFError, BrokenPipeError):
            return


@contextmanager
def server_process(serve: Callable[..., None], *arguments: object) -> Iterator[ServerProcess]:
    """Runs `serve(serving, *arguments)` in a process of its own, until the end of the block."""
    control, theirs = _spawn.Pipe()
    process = _spawn.Process(target=_serve, args=(theirs, os.getpid(), serve, arguments), daemon=True)
    process.start()
    theirs.close()
    try:
        yield ServerProcess(process.pid or 0, _announced(control))
    finally:
        control.close()
        process.join(STOP_SECONDS)
        if process.exitcode is None:
            process.kill()
            process.join()


@contextmanager
def load_processes(count: int) -> Iterator[ProcessPoolExecutor]:
    """Processes that functions can be handed to; they live until the end of the block, and so import things once."""
    with ProcessPoolExecutor(
        count, mp_context=_spawn, initializer=_follow_parent, initargs=(os.getpid(),)
    ) as processes:
        yield processes


def _serve(control: Connection, parent_pid: int, serve: Callable[..., None], arguments: tuple[object, ...]) -> None:
    _follow_parent(parent_pid)
    serve(Serving(control), *arguments)


def _announced(control: Connection) -> int:
    """The port that a server says it serves on. TimeoutError if it says nothing in time, RuntimeError if it ended."""
    if not control.poll(START_SECONDS):
        raise TimeoutError(f"a server did not start within {START_SECONDS:.0f} s")
    try:
        port: int = control.recv()
    except EOFError:
        raise RuntimeError("a server ended before it served; it has printed why") from None
    return port


def _follow_parent(parent_pid: int) -> None:
    """Ends with the benchmark, and leaves a Ctrl-C to it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    die_with_parent(parent_pid)
