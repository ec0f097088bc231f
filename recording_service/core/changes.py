"""Telling other processes that a recording has changed."""

import logging

from recording_service.core.errors import QueueUnavailable
from recording_service.core.model import Recording
from recording_service.core.ports import Change, ChangeFeed

_log = logging.getLogger(__name__)


def tell(changes: ChangeFeed, recording: Recording) -> None:
    """Publishes a change. Losing it only costs time: watches look for themselves every few seconds."""
    try:
        changes.publish([Change(recording.account_sid, recording.recording_sid, recording.revision)])
    except QueueUnavailable:
        _log.info("nobody was told of a change recording_sid=%s", recording.recording_sid)
    except Exception:
        # What the change is part of is committed, or must go on: a hint is not worth an attempt.
        _log.exception("telling of a change failed unexpectedly recording_sid=%s", recording.recording_sid)
