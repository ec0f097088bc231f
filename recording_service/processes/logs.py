"""One log for all processes: a line an event, on standard error."""

import logging
import time

#: Libraries whose everyday chatter is of no use to an operator.
_QUIET = ("alembic", "rq", "urllib3", "uvicorn", "asyncio", "grpc")


class _Formatter(logging.Formatter):
    """`2026-11-23T14:47:36.012Z INFO grpc recording_service.core.download: ready recording_sid=…`, times in UTC."""

    converter = staticmethod(time.gmtime)
    default_time_format = "%Y-%m-%dT%H:%M:%S"
    default_msec_format = "%s.%03dZ"


def configure_logging(level: str, part: str) -> None:
    """Sends this process's log to standard error, under the name of its part. May be called again, as after a fork."""
    handler = logging.StreamHandler()
    handler.setFormatter(_Formatter(f"%(asctime)s %(levelname)s {part} %(name)s: %(message)s"))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    logging.captureWarnings(True)
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
