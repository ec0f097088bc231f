"""For processes under libfaketime (`tests.support.wall_clocks`): sleeps as Python 3.10 did.

Since 3.11 `time.sleep` calls clock_nanosleep(2) with an absolute monotonic time, which libfaketime 0.9.10 answers with
EINVAL where it is told to leave the monotonic clock alone. The time itself is not touched here.
"""

import select
import time
from typing import SupportsIndex


def _sleep(seconds: float | SupportsIndex, /) -> None:
    select.select([], [], [], float(seconds))


time.sleep = _sleep
