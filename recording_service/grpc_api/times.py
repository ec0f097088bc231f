"""Times of the model as messages of the contract. On the hot path: fields are set one by one."""

from datetime import UTC, datetime, timedelta

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECONDS_A_DAY = 86400
_NANOS_A_MICROSECOND = 1000


def set_timestamp(message: Timestamp, moment: datetime) -> None:
    """Writes a moment into an empty message."""
    since = moment - _EPOCH
    message.seconds = since.days * _SECONDS_A_DAY + since.seconds
    message.nanos = since.microseconds * _NANOS_A_MICROSECOND


def set_duration(message: Duration, length: timedelta) -> None:
    """Writes a length into an empty message."""
    # Both parts of a Duration have the same sign; a timedelta's days alone carry it.
    sign = -1 if length < timedelta(0) else 1
    length *= sign
    message.seconds = sign * (length.days * _SECONDS_A_DAY + length.seconds)
    message.nanos = sign * length.microseconds * _NANOS_A_MICROSECOND
