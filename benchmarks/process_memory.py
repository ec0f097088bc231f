"""What processes take of memory, as Linux counts it, in MiB."""

from collections.abc import Iterator
from pathlib import Path

_KIB_A_MIB = 1024


def family(pid: int) -> Iterator[int]:
    """A process and everything it has started, and they have started."""
    yield pid
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            yield from family(int(child))


def name(pid: int) -> str:
    """What `ps` calls it: `serve` names its parts."""
    return Path(f"/proc/{pid}/comm").read_text().strip()


def proportional(pid: int) -> float:
    """PSS: what it has alone, and its part of what it shares. Those of a family add up to what the family takes."""
    return _read(Path(f"/proc/{pid}/smaps_rollup"), "Pss:")


def resident(pid: int) -> float:
    """RSS: everything of it that is in memory."""
    return _read(Path(f"/proc/{pid}/status"), "VmRSS:")


def _read(file: Path, field: str) -> float:
    for line in file.read_text().splitlines():
        if line.startswith(field):
            return int(line.split()[1]) / _KIB_A_MIB
    raise ValueError(f"{file} has no {field}")
