"""The messages that ask, made of what Python has: aware datetimes, timedeltas, mappings."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from recordings.v1.enqueue_pb2 import EncryptionDetails, EnqueueRecordingRequest
from recordings.v1.playback_url_pb2 import CreatePlaybackUrlRequest, PlaybackDisposition
from recordings.v1.recording_pb2 import Priority, RecordingJob


def timestamp(name: str, moment: datetime | None) -> Timestamp | None:
    """A moment, as protobuf has it. Raises ValueError for one without a time zone: it is none."""
    if moment is None:
        return None
    if moment.tzinfo is None:
        raise ValueError(f"{name}: has no time zone; datetime.now(timezone.utc) has one")
    stamp = Timestamp()
    stamp.FromDatetime(moment)
    return stamp


def _duration(length: timedelta | None) -> Duration | None:
    """A length of time, as protobuf has it."""
    if length is None:
        return None
    message = Duration()
    message.FromTimedelta(length)
    return message


def enqueue_request(
    recording_sid: str,
    *,
    account_sid: str = "",
    call_sid: str = "",
    conference_sid: str = "",
    source_url: str = "",
    job: RecordingJob = RecordingJob.RECORDING_JOB_UNSPECIFIED,
    priority: Priority = Priority.PRIORITY_UNSPECIFIED,
    source: str = "",
    track: str = "",
    direction: str = "",
    channels: int = 0,
    start_time: datetime | None = None,
    duration: timedelta | None = None,
    from_number: str = "",
    to_number: str = "",
    labels: Mapping[str, str] | None = None,
    encryption_details: EncryptionDetails | None = None,
) -> EnqueueRecordingRequest:
    """Asks for one recording."""
    return EnqueueRecordingRequest(
        account_sid=account_sid,
        recording_sid=recording_sid,
        call_sid=call_sid,
        conference_sid=conference_sid,
        source_url=source_url,
        job=job,
        priority=priority,
        source=source,
        track=track,
        direction=direction,
        channels=channels,
        start_time=timestamp("start_time", start_time),
        duration=_duration(duration),
        from_number=from_number,
        to_number=to_number,
        labels=labels,
        encryption_details=encryption_details,
    )


def playback_url_request(
    recording_sid: str, *, account_sid: str, ttl: timedelta | None, attachment: bool
) -> CreatePlaybackUrlRequest:
    """Asks for a playback URL."""
    how = PlaybackDisposition.PLAYBACK_DISPOSITION_INLINE
    if attachment:
        how = PlaybackDisposition.PLAYBACK_DISPOSITION_ATTACHMENT
    return CreatePlaybackUrlRequest(
        account_sid=account_sid, recording_sid=recording_sid, ttl=_duration(ttl), disposition=how
    )
