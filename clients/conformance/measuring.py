"""How fast and in how much memory 256 MiB are read, by each reader and by the bare stub beside it."""

import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from clients.conformance.runner_process import RunnerProcess
from clients.conformance.service import ServiceUnderTest
from clients.conformance.shelf import READY, sid_of
from tests.support.callers import token_of

#: What a client may take above its idle state, in MB, and the least share of the pace of a bare stub that does what a
#: reader must, which is to compare all of it with its SHA-256.
MOST_MEGABYTES: Final = 64
LEAST_RATIO: Final = 0.8
#: Rounds of reader and stubs, by turns; those before them let a language make its code fast.
_ROUNDS: Final = 7
_ROUNDS_BEFORE: Final = 3
_ANSWER_SECONDS: Final = 120.0


class Measured(NamedTuple):
    """One language: medians in MB/s, and the most memory above idle, in MB.

    Attributes:
        stub: the generated stub in a loop that counts bytes.
        checked_stub: the same, with the SHA-256 of all.
    """

    language: str
    reader: float
    stub: float
    checked_stub: float
    megabytes: float

    @property
    def ratio(self) -> float:
        """The reader's pace as a share of that of a stub that does the same."""
        return self.reader / self.checked_stub


def measure(language: str, runner: RunnerProcess, service: ServiceUnderTest) -> Measured:
    """Measures one language, without the proxy. AssertionError for a wrong byte."""
    options = {"target": service.address, "token": token_of("all")}
    sid = sid_of("large")

    def ask(operation: str, **arguments: Any) -> dict[str, Any]:
        request = {
            "operation": operation,
            "options": options,
            "arguments": {"recording_sid": sid, **arguments},
        }
        answer = runner.ask(request, _ANSWER_SECONDS)
        assert answer["result"]["bytes"] == READY["large"], answer
        result: dict[str, Any] = answer["result"]
        return result

    memory = Path(f"/proc/{runner.pid}")
    # Idle: what a language does once it has done by then, but it has read nothing large.
    runner.ask({"operation": "read", "options": options, "arguments": {"recording_sid": sid_of("thousand")}}, 10)
    idle = _kibibytes(memory, "VmRSS")
    ask("read", read_bytes=65536)
    ask("read", read_bytes=65536)
    peak = _kibibytes(memory, "VmHWM")
    paces: dict[str, list[float]] = {"reader": [], "stub": [], "checked_stub": []}
    for _ in range(_ROUNDS_BEFORE + _ROUNDS):
        for how, found in paces.items():
            result = ask("measure", **{"with": how})
            found.append(result["bytes"] / result["seconds"] / 1e6)
    medians = {how: statistics.median(found[_ROUNDS_BEFORE:]) for how, found in paces.items()}
    return Measured(language, **medians, megabytes=(peak - idle) * 1024 / 1e6)


def table_of(found: Sequence[Measured]) -> str:
    """The figures as a table."""
    lines = [
        "| language | reader, MB/s | bare stub | ratio | bare stub with SHA-256 | ratio | memory above idle, MB |",
        "|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {each.language} | {each.reader:.0f} | {each.stub:.0f} | {each.reader / each.stub:.2f} "
        f"| {each.checked_stub:.0f} | {each.ratio:.2f} | {each.megabytes:.0f} |"
        for each in found
    ]
    return "\n".join(lines)


def _kibibytes(process: Path, field: str) -> int:
    for line in (process / "status").read_text(encoding="utf-8").splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1])
    raise AssertionError(f"the kernel says nothing of {field}")
