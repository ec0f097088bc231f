"""Recordings that are there already: rows that are READY, and their objects on the shelf."""

import os
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from recording_service.core.model import (
    CallDetails,
    EnqueueRequest,
    Priority,
    Recording,
    RecordingJob,
    RecordingKey,
    RecordingState,
    StoredObject,
)
from recording_service.core.ports import Catalogue, Storage
from recording_service.core.transitions import enqueued

ACCOUNT_SID = "AC" + "b" * 32
#: An MP3, as far as its first bytes say.
_MAGIC = bytes.fromhex("fff340c4")


def recording_sid(number: int) -> str:
    """The SID of one of many recordings."""
    return f"RE{number:032x}"


def prepare(catalogue: Catalogue, storage: Storage, recording_sids: Sequence[str], size_bytes: int) -> None:
    """Puts recordings of that size on the shelf, all with the same bytes, and says so in the catalogue."""
    data = _MAGIC + os.urandom(size_bytes - len(_MAGIC))
    for sid in recording_sids:
        key = RecordingKey(ACCOUNT_SID, sid)
        with storage.create(f"{ACCOUNT_SID}/{sid}/1.mp3") as upload:
            upload.write(data)
            stored = upload.publish()
        row = _ready(key, stored)
        catalogue.amend([(key, lambda _, row=row: row)])  # type: ignore[misc]  # bound now, not when it is called


def _ready(key: RecordingKey, stored: StoredObject) -> Recording:
    now = datetime.now(UTC)
    queued = enqueued(None, EnqueueRequest(key, RecordingJob.FULL, Priority.NORMAL, CallDetails()), now)
    assert queued is not None
    return replace(
        queued,
        state=RecordingState.READY,
        rung_time=now,
        received_bytes=stored.size_bytes,
        object_key=stored.object_key,
        size_bytes=stored.size_bytes,
        sha256=stored.sha256,
        content_type="audio/mpeg",
        ready_time=now,
    )
