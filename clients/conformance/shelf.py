"""What the service under test has: recordings of every size and state, by the names that scenarios call them by."""

import hashlib
import random
from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from recording_service.adapters.disk_storage.storage import DiskStorage
from recording_service.adapters.sql_catalogue import SqlCatalogue
from recording_service.core.model import (
    CallDetails,
    EnqueueRequest,
    Priority,
    Processing,
    ProcessingState,
    Recording,
    RecordingJob,
    RecordingKey,
    RecordingState,
    Step,
    StepEnd,
    StepReason,
)
from recording_service.core.transitions import enqueued

#: The account whose recordings are prepared, and one that the limited callers may not touch.
ACCOUNT_SID: Final = "AC" + "b" * 32
OTHER_ACCOUNT_SID: Final = "AC" + "c" * 32
#: The call of the recordings that are listed.
LISTED_CALL_SID: Final = "CA" + "1" * 32
#: An MP3, as far as its first bytes say.
_MAGIC: Final = bytes.fromhex("fff340c4")

#: What a content is made of, in bytes.
_PIECE_BYTES: Final = 4 * 1024 * 1024

#: Sizes in bytes of the recordings that are READY.
READY: Final[Mapping[str, int]] = {
    "one": 1,
    "thousand": 1000,
    "five_mebibytes": 5 * 1024 * 1024 + 3,
    "sixty_four_mebibytes": 64 * 1024 * 1024,
    "large": 256 * 1024 * 1024,
    "changing": 5 * 1024 * 1024,
    "of_the_other_account": 1000,
    **{f"listed_{number}": 10 for number in range(7)},
}
#: Nothing is to be done with them any more: what is not sound could not be probed.
PROCESSED: Final = Processing(
    ProcessingState.DONE,
    attempt=1,
    ends={step: StepEnd(ProcessingState.SKIPPED, StepReason.PROBE_FAILED) for step in Step},
)
#: Those that have no bytes, or none yet. `fresh` is nothing but a SID: whoever uses it gets another one each time.
OTHERS: Final = ("unknown", "held", "arriving", "absent", "deleted", "fresh")
#: Every name that a scenario may use.
NAMES: Final = frozenset((*READY, *OTHERS))


def sid_of(name: str) -> str:
    """The RecordingSid of a recording by its name; any text will do, but scenarios use NAMES alone."""
    return "RE" + hashlib.sha256(name.encode()).hexdigest()[:32]


class Shelf:
    """The data of a service, prepared before it starts; and what it may be compared with."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self._contents = {name: _content(name, size) for name, size in READY.items() if name != "large"}
        self._etags: dict[str, str] = {}

    def prepare(self) -> None:
        """Puts everything that is READY on the shelf."""
        self._data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        with closing(self._catalogue()) as catalogue, closing(self._storage()) as storage:
            for name in READY:
                self._put(catalogue, storage, name, attempt=1)

    def replace(self, name: str) -> None:
        """Makes the recording another version of itself, as fetching it again does."""
        with closing(self._catalogue()) as catalogue, closing(self._storage()) as storage:
            row = catalogue.get(_key(name))
            assert row is not None
            self._contents[name] = _content(f"{name} {row.attempt + 1}", READY[name])
            self._put(catalogue, storage, name, attempt=row.attempt + 1)

    def content(self, name: str) -> bytes:
        """The bytes of a recording."""
        return self._contents[name] if name in self._contents else _content(name, READY[name])

    def etag(self, name: str) -> str:
        """The etag of its current version."""
        return self._etags[name]

    def _put(self, catalogue: SqlCatalogue, storage: DiskStorage, name: str, *, attempt: int) -> None:
        key = _key(name)
        with storage.create(f"{key.account_sid}/{key.recording_sid}/{attempt}.mp3") as upload:
            upload.write(self.content(name))
            stored = upload.publish()

        def ready(row: Recording | None) -> Recording:
            now = datetime.now(UTC)
            call = CallDetails(call_sid=LISTED_CALL_SID) if name.startswith("listed") else CallDetails()
            queued = row or enqueued(None, EnqueueRequest(key, RecordingJob.FULL, Priority.NORMAL, call), now)
            assert queued is not None
            return replace(
                queued,
                state=RecordingState.READY,
                attempt=attempt,
                processing=PROCESSED,
                revision=queued.revision + 1,
                rung_time=now,
                received_bytes=stored.size_bytes,
                object_key=stored.object_key,
                size_bytes=stored.size_bytes,
                sha256=stored.sha256,
                content_type="audio/mpeg",
                ready_time=now,
            )

        ((now_there, _),) = catalogue.amend([(key, ready)])
        assert now_there is not None
        self._etags[name] = now_there.etag

    def _catalogue(self) -> SqlCatalogue:
        return SqlCatalogue.open(f"sqlite:///{self._data_dir / 'catalogue.sqlite3'}")

    def _storage(self) -> DiskStorage:
        return DiskStorage.at(self._data_dir / "recordings")


def _key(name: str) -> RecordingKey:
    return RecordingKey(OTHER_ACCOUNT_SID if name == "of_the_other_account" else ACCOUNT_SID, sid_of(name))


def _content(name: str, size: int) -> bytes:
    # By pieces: randbytes makes no more than 256 MiB at once.
    begins = range(0, size, _PIECE_BYTES)
    pieces = [random.Random(f"{name} {begin}").randbytes(_PIECE_BYTES) for begin in begins]  # noqa: S311 - no secret
    return b"".join((_MAGIC, *pieces))[:size]
