"""How a process learns that it is to stop."""

import signal
import threading
from types import FrameType


def stop_on_signals(*signals: signal.Signals) -> threading.Event:
    """An event that is set by SIGTERM and SIGINT (or the given signals). To be called in the main thread."""
    stop = threading.Event()

    def set_stop(_signal: int, _frame: FrameType | None) -> None:
        stop.set()

    for number in signals or (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, set_stop)
    return stop
