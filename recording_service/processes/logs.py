"""One log for all processes: a line an event, on standard error, with no secret in it whatever is logged."""

import logging
import sys
import threading
import time
from types import TracebackType

from recording_service.config import Settings
from recording_service.processes.redaction import Redaction, secrets_of

_log = logging.getLogger(__name__)

#: Libraries whose everyday chatter is of no use to an operator.
_QUIET = ("alembic", "rq", "urllib3", "uvicorn", "asyncio", "grpc")


class _Formatter(logging.Formatter):
    """`2026-11-23T14:47:36.012Z INFO grpc recording_service.core.download: ready recording_sid=…`, times in UTC."""

    converter = staticmethod(time.gmtime)
    default_time_format = "%Y-%m-%dT%H:%M:%S"
    default_msec_format = "%s.%03dZ"
    #: This process's, and that of those that it forks.
    redaction = Redaction()

    def format(self, record: logging.LogRecord) -> str:
        """The line, and the traceback if there is one, redacted as a whole."""
        return self.redaction(super().format(record))


def conceal_secrets(settings: Settings) -> None:
    """Has the log of this process, and of those it forks, conceal what the configuration has of secrets.

    Raises ConfigurationError.
    """
    _Formatter.redaction = Redaction(secrets_of(settings))


def configure_logging(level: str, part: str) -> None:
    """Sends this process's log to standard error, under the name of its part. May be called again, as after a fork."""
    handler = logging.StreamHandler()
    handler.setFormatter(_Formatter(f"%(asctime)s %(levelname)s {part} %(name)s: %(message)s"))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    logging.captureWarnings(True)
    # Else Python would print tracebacks past the log, unredacted.
    sys.excepthook = _log_unexpected
    threading.excepthook = _log_unexpected_in_thread
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))


def _log_unexpected(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, traceback)
        return
    _log.critical("ended by an unexpected exception", exc_info=(kind, error, traceback))


def _log_unexpected_in_thread(unexpected: threading.ExceptHookArgs) -> None:
    name = unexpected.thread.name if unexpected.thread is not None else "?"
    error = unexpected.exc_value
    _log.critical("a thread was ended by an unexpected exception thread=%s", name, exc_info=error)
