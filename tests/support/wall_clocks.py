"""A wall clock that tests set for real processes: libfaketime under everything they ask the system."""

import os
from pathlib import Path

#: Where Debian's package `faketime` has the library, on any processor.
_LIBRARIES = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
#: Where the `sitecustomize` is that libfaketime needs.
_SITE = Path(__file__).parent / "under_a_wall_clock"


class WallClock:
    """The wall clock of the processes that are started with its `environment`. The monotonic one goes on as it is."""

    def __init__(self, folder: Path) -> None:
        """Right at first. AssertionError where libfaketime is not installed."""
        assert _LIBRARIES, "libfaketime is not installed: it is in Debian's package `faketime`"
        self._file = folder / "wall-clock"
        self.set(0)

    @property
    def environment(self) -> dict[str, str]:
        """What a process needs to go by this clock; its children inherit it."""
        return {
            "LD_PRELOAD": str(_LIBRARIES[0]),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            # Looked at each time: the clock is set while they run.
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            # Has Python sleep so that this does not break it.
            "PYTHONPATH": os.pathsep.join(filter(None, (str(_SITE), os.environ.get("PYTHONPATH")))),
            # A file keeps its time when the clock is set.
            "NO_FAKE_STAT": "1",
        }

    def set(self, seconds: int) -> None:
        """Sets the clock that far before (or, negative, behind) the right time, at once and for all of them."""
        new = self._file.with_suffix(".new")
        new.write_text(f"{seconds:+d}s\n", encoding="ascii")
        new.replace(self._file)
