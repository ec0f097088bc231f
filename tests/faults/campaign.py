"""Many turns of many scenarios, each in a process of its own, several at once; the results are kept line by line."""

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any, NamedTuple

from tests.faults.turn_processes import TurnProcesses

#: Longest turn, in seconds: beyond it something hangs, and is ended and reported.
TURN_SECONDS = 900.0


class Turn(NamedTuple):
    """One scenario with one seed and one speed of the clocks."""

    name: str
    seed: int
    time_scale: float

    @property
    def command(self) -> str:
        """What plays it again."""
        return f"python -m tests.faults replay {self.name} {self.seed} --scale {self.time_scale:g}"


class Campaign:
    """Plays turns. Resumable: what has passed before, by the results file, is left out."""

    def __init__(self, turns: Sequence[Turn], results: Path, *, jobs: int, again: bool) -> None:
        self._results = results
        self._jobs = jobs
        passed = set() if again else {_turn(result) for result in self._read() if not result["problems"]}
        self._turns = [turn for turn in turns if turn not in passed]
        self._left_out = len(turns) - len(self._turns)

    def run(self, say: Callable[[str], None]) -> int:
        """Plays them all, a line each; how many failed. Whatever it is left by, no turn runs on."""
        if self._left_out:
            say(f"{self._left_out} turns have passed before ({self._results}); --again plays them too")
        self._results.parent.mkdir(parents=True, exist_ok=True)
        failed = 0
        processes = TurnProcesses()
        with ThreadPoolExecutor(self._jobs) as pool:
            try:
                playing = {pool.submit(_play, turn, processes): turn for turn in self._turns}
                for number, done in enumerate(as_completed(playing), 1):
                    result = done.result()
                    with self._results.open("a", encoding="utf-8") as results:
                        results.write(json.dumps(result) + "\n")
                    say(f"{number:4}/{len(self._turns)}  {_told(playing[done], result)}")
                    failed += bool(result["problems"])
            finally:
                # Else the pool would play all that is left, also after a Ctrl-C.
                pool.shutdown(wait=False, cancel_futures=True)
                processes.end()
        return failed

    def summary(self) -> str:
        """The figures of every turn in the results file: the latest of each."""
        latest = {_turn(result): result for result in self._read()}
        lines = []
        for time_scale in sorted({turn.time_scale for turn in latest}):
            played = [result for turn, result in latest.items() if turn.time_scale == time_scale]
            lines.append(_summed_up(time_scale, played))
        return "\n".join(lines) or "nothing was played"

    def _read(self) -> list[dict[str, Any]]:
        if not self._results.exists():
            return []
        return [json.loads(line) for line in self._results.read_text(encoding="utf-8").splitlines()]


def _turn(result: dict[str, Any]) -> Turn:
    return Turn(result["name"], result["seed"], result["time_scale"])


def _play(turn: Turn, processes: TurnProcesses) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.faults", "replay", turn.name, str(turn.seed), "--json"]
    command += ["--scale", str(turn.time_scale)]
    result: dict[str, Any] = {**turn._asdict(), "recovery_seconds": 0.0, "seconds": 0.0, "figures": None, "folder": ""}
    try:
        done = processes.run(command, within=TURN_SECONDS)
    except subprocess.TimeoutExpired:
        return {**result, "problems": [f"did not end within {TURN_SECONDS:.0f} s"]}
    try:
        return {**result, **json.loads(done.stdout.splitlines()[-1])}
    except (IndexError, ValueError):
        return {**result, "problems": [f"exit status {done.returncode}: {done.stderr.strip()[-2000:]}"]}


def _told(turn: Turn, result: dict[str, Any]) -> str:
    head = f"{turn.name} seed {turn.seed} scale {turn.time_scale:g}"
    if not result["problems"]:
        return f"ok    {head}: recovered in {result['recovery_seconds']:.1f} s, {result['seconds']:.0f} s in all"
    problems = "\n".join(f"          {line}" for problem in result["problems"] for line in problem.splitlines())
    return f"FAIL  {head}\n{problems}\n          again: {turn.command}\n          log and history: {result['folder']}"


def _summed_up(time_scale: float, played: list[dict[str, Any]]) -> str:
    figures = [result["figures"] for result in played if result["figures"]]
    failed = sum(1 for result in played if result["problems"])
    slowest = max(played, key=lambda result: float(result["recovery_seconds"]))

    def total(name: str) -> int:
        return sum(int(figure[name]) for figure in figures)

    return (
        f"clocks times {time_scale:g}: {len(played)} turns of {len({result['name'] for result in played})} scenarios, "
        f"{failed} failed; {total('faults')} faults, {total('recordings')} recordings, {total('answers')} answers "
        f"checked; worst recovery {slowest['recovery_seconds']:.1f} s ({slowest['name']}); "
        f"{total('duplicate_downloads')} duplicate downloads; {total('orphans')} orphans left to the sweep"
    )
