"""A process may fork while it has a catalogue open, as RQ's workers do; each test forks a process made for it."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from recording_service.adapters.sql_catalogue import SqlCatalogue

ROOT = Path(__file__).parents[3]


def run(url: str, how: str) -> dict[str, Any]:
    SqlCatalogue.open(url).close()
    done = subprocess.run(
        # Python warns of forks while there are threads: they are what is tested here.
        [sys.executable, "-W", "ignore::DeprecationWarning", "-m", "tests.support.forking_process", url, how],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stderr == ""
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def test_parent_and_child_both_go_on(url: str) -> None:
    report = run(url, "idle")
    assert report["error"] is None
    assert report["child"] == [1, 2]
    assert report["parent"] == [1, 2, 3]
    assert report["parent_session"] is None or report["parent_session"] != report["child_session"]


def test_a_child_holds_locks_of_its_own_on_an_sqlite_file(sqlite_url: str) -> None:
    # A child that counted on its parent's, which it does not have, could lose the WAL under its feet.
    assert run(sqlite_url, "idle")["locks"]


def test_a_child_that_inherits_a_connection_to_sqlite_in_use_refuses_to_work(sqlite_url: str) -> None:
    report = run(sqlite_url, "busy")
    assert "forked" in report["error"]
    assert report["next_child"] == [1, 2]
    assert report["parent"] == [1, 2, 3]
