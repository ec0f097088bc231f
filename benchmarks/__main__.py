"""Runs benchmarks: `python -m benchmarks [NAME …]`. Everything is on loopback and in a temporary folder."""

import os
import platform
import signal
import sys
from pathlib import Path

import click

from benchmarks.enqueueing import enqueueing
from benchmarks.listeners import listeners
from benchmarks.memory import memory
from benchmarks.playback import playback
from benchmarks.results import Benchmark
from benchmarks.sound import sound
from benchmarks.startup import startup
from benchmarks.streaming import streaming
from benchmarks.webhook_to_ready import webhook_to_ready

#: By name, in the order in which they run.
BENCHMARKS: dict[str, Benchmark] = {
    "streaming": streaming,
    "playback": playback,
    "listeners": listeners,
    "enqueueing": enqueueing,
    "webhook-to-ready": webhook_to_ready,
    "sound": sound,
    "memory": memory,
    "startup": startup,
}


def _described() -> str:
    return "\n".join(f"  {name:<18}{benchmark.__doc__}" for name, benchmark in BENCHMARKS.items())


@click.command(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120},
    epilog=f"\b\nBenchmarks:\n{_described()}",
)
@click.argument("names", nargs=-1, type=click.Choice(list(BENCHMARKS)), metavar="[NAME …]")
def main(names: tuple[str, ...]) -> None:
    """Measures the service against what it should reach. All benchmarks, or those that are named.

    Each result is one line: what was measured, its baseline in the same run, the figure, the target, and whether it is
    met. A target that is missed is no error: the exit status is 0 unless a benchmark could not be run.
    """
    # So that processes and folders are put away then, too.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    _say(f"{os.cpu_count()} processors, {_processor()}, Python {platform.python_version()}, load {_load()}")
    results = []
    for name in names or BENCHMARKS:
        _say(f"\n{name}: {BENCHMARKS[name].__doc__}")
        for result in BENCHMARKS[name](_say):
            results.append(result)
            _say(f"  {result}")
        _say(f"  load {_load()}")
    _say("\nResults")
    for result in results:
        _say(f"  {result}")


def _say(line: str) -> None:
    click.echo(line)
    sys.stdout.flush()


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _load() -> str:
    """The load averages of 1 and 5 minutes: above the number of processors, others were at work too."""
    one, five, _ = os.getloadavg()
    return f"{one:.1f} (1 min), {five:.1f} (5 min)"


if __name__ == "__main__":
    main()
