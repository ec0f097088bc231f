"""The examples of clients/python/README.md, word for word, as programs of their own."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.http_api.fake_recordings import FakeRecordings, FakeServer

ROOT = Path(__file__).parents[3]
EXAMPLES = re.findall(
    r"```python\n(.*?)```", (ROOT / "clients/python/README.md").read_text(encoding="utf-8"), re.DOTALL
)
SID = "RE0123456789abcdef0123456789abcdef"


def test_there_are_examples_of_both_flavours() -> None:
    assert ["recordings.aio" in example for example in EXAMPLES] == [False, True]


@pytest.mark.parametrize("example", EXAMPLES, ids=["synchronous", "asyncio"])
def test_an_example_does_what_it_says(
    tmp_path: Path, server: FakeServer, recordings: FakeRecordings, example: str
) -> None:
    recordings.add(bytes(5000), SID)
    program = tmp_path / "example.py"
    # Nothing else is changed: the port is this test's own.
    assert '"127.0.0.1:50051"' in example
    program.write_text(example.replace("127.0.0.1:50051", server.target), encoding="utf-8")
    ran = subprocess.run(
        [sys.executable, "-W", "error", program],
        env={"PYTHONPATH": str(ROOT / "clients/python")},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert ran.stderr == ""
    assert ran.stdout.split()[-1] in {"1000", "5000"}
