"""200 clients that listen at once, then 20 more that seek at random: errors, memory, what a processor carries."""

import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median, quantiles

from benchmarks.audience import listen, seek
from benchmarks.own_process import load_processes
from benchmarks.playback_service import PlaybackService, playback_service
from benchmarks.results import Result, Say, Target

#: Bytes of the recording: more than an hour at a listener's pace.
SIZE_BYTES = 64 * 1024 * 1024
LISTENERS, SEEKERS = 200, 20
#: How long listeners may take to fill the buffers on the way, how long they are watched then, and how long beside
#: seekers, in seconds. Buffers are filled anew every eight seconds or so: that should happen a few times in each.
SETTLE_SECONDS, ALONE_SECONDS, TOGETHER_SECONDS = 20.0, 32.0, 32.0
#: Between two looks at memory, in seconds.
LOOK_SECONDS = 0.5
ERROR_TARGET = Target(0, "errors", at_most=True)
WAIT_TARGET = Target(1, "s", at_most=True)
MEMORY_TARGET = Target(1, "MiB a client", at_most=True)
SEEK_TARGET = Target(50, "ms", at_most=True)
CARRIED_TARGET = Target(LISTENERS, "listeners a processor")


@dataclass(frozen=True, slots=True)
class _Watched:
    """What the service took for its audience."""

    #: Processors that were busy, by the part of `serve`.
    busy: dict[str, float]
    #: The most that each part had, in MiB.
    peak: dict[str, float]

    def __str__(self) -> str:
        return ", ".join(f"{part} {100 * share:.1f}" for part, share in self.busy.items()) + " % of a processor"


def listeners(say: Say) -> Iterator[Result]:
    """serve: 200 listeners at 16 KiB/s, then beside 20 who seek: errors, memory, listeners that a processor carries."""
    with (
        tempfile.TemporaryDirectory(prefix="recording-bench-") as folder,
        playback_service(Path(folder), SIZE_BYTES) as service,
        load_processes(2) as load,
    ):
        before = service.memory()
        listening = load.submit(
            partial(listen, service.http_port, service.path, service.file),
            LISTENERS,
            SETTLE_SECONDS + ALONE_SECONDS + TOGETHER_SECONDS,
        )
        time.sleep(SETTLE_SECONDS)
        alone = _watch(service, ALONE_SECONDS)
        say(f"  {LISTENERS} listeners: {alone}")
        seeking = load.submit(partial(seek, service.http_port, service.path, service.file), SEEKERS, TOGETHER_SECONDS)
        together = _watch(service, TOGETHER_SECONDS)
        say(f"  and {SEEKERS} seekers: {together}")
        heard, sought = listening.result(), seeking.result()
    errors = heard.errors + sought.errors
    for error in errors[:3]:
        say(f"  {error}")
    who = f"{LISTENERS} listeners, {SEEKERS} seekers"
    taken = f"{heard.taken_bytes / 1024**2:.0f} MiB and {len(sought.waits)} seeks, each byte compared"
    yield Result(who, taken, len(errors), ERROR_TARGET)
    yield Result(who, "the longest that a listener waited for bytes", max(heard.waits), WAIT_TARGET)
    within = f"99 of 100 within {1000 * quantiles(sought.waits, n=100)[-1]:.0f} ms"
    yield Result(who, f"from connecting to the first byte, median; {within}", 1000 * median(sought.waits), SEEK_TARGET)
    grown = ", ".join(f"{part} {before[part]:.0f} to {peak:.0f} MiB" for part, peak in together.peak.items())
    each = (sum(together.peak.values()) - sum(before.values())) / (LISTENERS + SEEKERS)
    yield Result(who, f"PSS, {grown}", each, MEMORY_TARGET)
    used = sum(alone.busy.values())
    yield Result(f"{LISTENERS} listeners", f"{used:.3f} processors", LISTENERS / used, CARRIED_TARGET)


def _watch(service: PlaybackService, seconds: float) -> _Watched:
    used, began = service.processor_seconds(), time.monotonic()
    peak = service.memory()
    while time.monotonic() < began + seconds:
        time.sleep(LOOK_SECONDS)
        peak = {part: max(peak[part], now) for part, now in service.memory().items()}
    took = time.monotonic() - began
    return _Watched({part: (now - used[part]) / took for part, now in service.processor_seconds().items()}, peak)
