"""What the feed promises while several processes write and read at once: every reader sees all of it, in one order."""

import json
import subprocess
import sys
from collections import defaultdict
from contextlib import ExitStack
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]

#: How many processes write, and read, at once; how many changes each writer makes.
WRITERS, READERS, CHANGES = 4, 3, 60


def started(stack: ExitStack, url: str, deed: str, seed: int, count: int) -> "subprocess.Popen[str]":
    return stack.enter_context(
        subprocess.Popen(
            [sys.executable, "-m", "tests.support.event_process", url, deed, str(seed), str(count)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
    )


def said(process: "subprocess.Popen[str]") -> Any:
    assert process.stdout is not None
    return json.loads(process.stdout.readline())


def test_every_reader_sees_every_event_once_in_one_order_while_others_write(catalogue_url: str) -> None:
    with ExitStack() as stack:
        writers = [started(stack, catalogue_url, "write", seed, CHANGES) for seed in range(WRITERS)]
        readers = [started(stack, catalogue_url, "read", 0, WRITERS * CHANGES) for _ in range(READERS)]
        for process in (*writers, *readers):
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        for process in (*readers, *writers):
            assert process.stdin is not None
            process.stdin.write("begin\n")
            process.stdin.flush()
        made = sorted((sid, revision) for process in writers for sid, revision in said(process))
        seen = [said(process) for process in readers]

    first = seen[0]
    assert [revision for revision, _, _ in first] == list(range(1, WRITERS * CHANGES + 1))
    assert sorted((sid, revision) for _, sid, revision in first) == made
    assert all(other == first for other in seen[1:])
    of_each = defaultdict(list)
    for _, sid, revision in first:
        of_each[sid].append(revision)
    assert all(revisions == sorted(revisions) for revisions in of_each.values())
