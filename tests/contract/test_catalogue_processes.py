"""What the port promises of simultaneous calls, kept between processes too."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support.catalogue_process import LIMIT, NUMBER

ROOT = Path(__file__).parents[2]

#: How many processes use the catalogue at once.
PROCESSES = 3

Process = subprocess.Popen[str]


@pytest.fixture
def processes(catalogue_url: str) -> Iterator[list[Process]]:
    with ExitStack() as stack:
        started = [
            stack.enter_context(
                subprocess.Popen(
                    [sys.executable, "-m", "tests.support.catalogue_process", catalogue_url, f"process {number}"],
                    cwd=ROOT,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                )
            )
            for number in range(PROCESSES)
        ]
        yield started
        for process in started:
            process.communicate()
            assert process.returncode == 0


def all_do(processes: list[Process], what: str) -> list[list[str]]:
    """Tells all to do it at once; which recordings each did it for."""
    for process in processes:
        assert process.stdin is not None
        process.stdin.write(f"{what}\n")
        process.stdin.flush()
    done = []
    for process in processes:
        assert process.stdout is not None
        done.append(json.loads(process.stdout.readline()))
    return done


def test_each_recording_is_inserted_rung_for_and_claimed_by_exactly_one_process(processes: list[Process]) -> None:
    everything = [f"RE{number:032x}" for number in range(NUMBER)]
    all_do(processes, "open")
    for what in ("insert", "ring", "claim"):
        done = all_do(processes, what)
        assert sorted(sid for each in done for sid in each) == everything


def test_processes_together_keep_to_the_limit_of_an_account_and_leave_nothing_undone(processes: list[Process]) -> None:
    everything = [f"RE{number:032x}" for number in range(NUMBER)]
    for what in ("open", "insert", "ring"):
        all_do(processes, what)
    for what in ("download", "process"):
        done = all_do(processes, what)
        assert max(int(each[-1]) for each in done) <= LIMIT
        assert sorted(sid for each in done for sid in each[:-1]) == everything
