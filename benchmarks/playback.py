"""HTTP playback against nginx, which serves the same file: whole files, and how soon a range begins."""

import subprocess
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from pathlib import Path
from statistics import median, quantiles

from benchmarks.http_load import take_whole, time_first_bytes
from benchmarks.nginx import nginx
from benchmarks.own_process import load_processes
from benchmarks.playback_service import PlaybackService, playback_service
from benchmarks.results import RATIO, Result, Say, Target, compare, measure_in_turns, spread

#: Bytes of the recording.
SIZE_BYTES = 64 * 1024 * 1024
#: Whole files: connections at once, how often each takes the file in a measurement, and pairs that count.
CONNECTIONS, TIMES, ROUNDS = 4, 2, 9
WHOLE_TARGET = Target(0.25, RATIO)
#: Client processes that share the connections: one alone is a bottleneck for nginx.
CLIENTS = 2
#: Ranges: bytes of each, how many in a measurement, and pairs that count.
RANGE_BYTES, RANGES, RANGE_ROUNDS = 64 * 1024, 300, 5
RANGE_TARGET = Target(2, "ms", at_most=True)


@dataclass(frozen=True, slots=True)
class _Load:
    """The clients, in processes of their own."""

    processes: ProcessPoolExecutor
    path: str
    #: For which part of the time they used a processor, in % of one, by the port they took from.
    busy: dict[int, list[float]] = field(default_factory=dict)
    #: What each range took until its first byte, in ms, by the port.
    first_bytes: dict[int, list[float]] = field(default_factory=dict)
    _seeds: Iterator[int] = field(default_factory=count)

    def whole(self, port: int) -> float:
        """Takes whole files in; millions of bytes a second."""
        taking = [
            self.processes.submit(take_whole, port, self.path, SIZE_BYTES, CONNECTIONS // CLIENTS, TIMES)
            for _ in range(CLIENTS)
        ]
        taken = [one.result() for one in taking]
        seconds = max(one.ended for one in taken) - min(one.began for one in taken)
        self.busy.setdefault(port, []).append(100 * sum(one.processor_seconds for one in taken) / seconds)
        return sum(one.data_bytes for one in taken) / seconds / 1e6

    def whole_by_curl(self, port: int) -> float:
        """Takes whole files in as people do, a curl for each connection; millions of bytes a second."""
        url = f"http://127.0.0.1:{port}{self.path}"
        command = ["curl", "--silent", "--fail", *(["--output", "/dev/null", url] * TIMES)]
        began = time.monotonic()
        with ThreadPoolExecutor(CONNECTIONS) as pool:
            list(pool.map(partial(subprocess.run, check=True), [command] * CONNECTIONS))
        return CONNECTIONS * TIMES * SIZE_BYTES / (time.monotonic() - began) / 1e6

    def ranges(self, port: int) -> float:
        """Asks for random ranges; the median until the first byte, in ms."""
        asked = self.processes.submit(
            time_first_bytes, port, self.path, SIZE_BYTES, RANGE_BYTES, RANGES, next(self._seeds)
        ).result()
        self.first_bytes.setdefault(port, []).extend(asked)
        return median(asked)


def playback(say: Say) -> Iterator[Result]:
    """serve: MB/s of whole files over HTTP on 4 connections, and ms to a range's first byte, beside nginx."""
    with (
        tempfile.TemporaryDirectory(prefix="recording-bench-") as folder,
        playback_service(Path(folder), SIZE_BYTES) as service,
        nginx(Path(folder), {service.path: service.file}) as nginx_port,
        load_processes(CLIENTS) as processes,
    ):
        load = _Load(processes, service.path)
        yield _whole_by_curl(load, service, nginx_port, say)
        yield _whole(load, service, nginx_port, say)
        yield _ranges(load, service, nginx_port, say)


def _whole(load: _Load, service: PlaybackService, nginx_port: int, say: Say) -> Result:
    before = service.processor_seconds()
    pairs = measure_in_turns(ROUNDS, partial(load.whole, service.http_port), partial(load.whole, nginx_port))
    found = compare(pairs, "MB/s", say)
    mebibytes = (ROUNDS + 1) * CONNECTIONS * TIMES * SIZE_BYTES / 1024**2
    used = {part: 1000 * (now - before[part]) / mebibytes for part, now in service.processor_seconds().items()}
    say("  " + ", ".join(f"{part} {spent:.2f}" for part, spent in used.items()) + " ms of processor a MiB")
    for who, port in (("serve", service.http_port), ("nginx", nginx_port)):
        say(f"  the clients used {spread(load.busy[port], '% of a processor')} with {who}")
    measured = f"{found.first:.0f} MB/s, nginx {found.second:.0f} MB/s"
    what = f"whole files over HTTP, {CONNECTIONS} connections that cost their clients nothing"
    return Result(what, measured, found.ratio, WHOLE_TARGET)


def _whole_by_curl(load: _Load, service: PlaybackService, nginx_port: int, say: Say) -> Result:
    ours, theirs = partial(load.whole_by_curl, service.http_port), partial(load.whole_by_curl, nginx_port)
    found = compare(measure_in_turns(ROUNDS, ours, theirs), "MB/s", say)
    measured = f"{found.first:.0f} MB/s, nginx {found.second:.0f} MB/s"
    return Result(f"whole files over HTTP, {CONNECTIONS} curls", measured, found.ratio, WHOLE_TARGET)


def _ranges(load: _Load, service: PlaybackService, nginx_port: int, say: Say) -> Result:
    pairs = measure_in_turns(RANGE_ROUNDS, partial(load.ranges, service.http_port), partial(load.ranges, nginx_port))
    compare(pairs, "ms", say)
    said = {port: _in_words(asked) for port, asked in load.first_bytes.items()}
    measured = f"{said[service.http_port]}, nginx {said[nginx_port]}"
    figure = median(load.first_bytes[service.http_port])
    return Result("first byte of a random range of 64 KiB", measured, figure, RANGE_TARGET)


def _in_words(milliseconds: list[float]) -> str:
    return f"{median(milliseconds):.2f} ms (99 of 100 within {quantiles(milliseconds, n=100)[-1]:.1f} ms)"
