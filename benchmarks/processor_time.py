"""What processes use of the processors, as Linux counts it."""

import os
from pathlib import Path


def processor_seconds(pid: int) -> float:
    """Of all its threads since its start, in the kernel too."""
    # The name, in parentheses, may have spaces.
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    user, system = fields[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")
