"""A RecordingService whose answers a test decides, and values for it."""

import threading
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from recording_service.adapters.memory.catalogue import MemoryCatalogue
from recording_service.core.enqueueing import EnqueueResult
from recording_service.core.errors import RevisionPruned
from recording_service.core.model import (
    CallDetails,
    EncryptionDetails,
    EnqueueReason,
    EnqueueRequest,
    FailureReason,
    Priority,
    Recording,
    RecordingFilter,
    RecordingJob,
    RecordingState,
    UnavailableReport,
)
from recording_service.core.playback import OpenRange
from recording_service.core.ranges import ByteRange, resolve_range
from recording_service.core.requests import Target
from recording_service.core.service import Page, RecordingService, ServiceHealth
from recording_service.core.sound import WaveformLevel
from recording_service.core.watching import Watch, WatchHub, WatchUntil
from recording_service.core.watching_lists import ListWatch
from recording_service.transcripts.transcript import Transcript

ACCOUNT = "AC" + "0a" * 16
RECORDING = "RE" + "1b" * 16
NOW = datetime(2026, 3, 4, 5, 6, 7, 89, UTC)

#: How long a test waits for what should be there at once, in seconds.
DEADLINE_SECONDS = 10.0


def recording(**changes: Any) -> Recording:
    """A READY recording with every field that a proto Recording can show."""
    full = Recording(
        account_sid=ACCOUNT,
        recording_sid=RECORDING,
        call=CallDetails(
            call_sid="CA" + "2c" * 16,
            conference_sid="CF" + "3d" * 16,
            source_url=f"https://api.twilio.com/2010-04-01/Accounts/{ACCOUNT}/Recordings/{RECORDING}",
            source="DialVerb",
            track="both",
            direction="inbound",
            channels=2,
            start_time=NOW - timedelta(minutes=5),
            duration=timedelta(seconds=61),
            from_number="+4915112345678",
            to_number="+493012345678",
            labels={"team": "sales", "tenant": "42"},
        ),
        job=RecordingJob.FULL,
        priority=Priority.NORMAL,
        state=RecordingState.READY,
        create_time=NOW - timedelta(minutes=3),
        update_time=NOW,
        next_attempt_time=NOW - timedelta(minutes=2),
        attempt=2,
        failures_by_reason={FailureReason.SOURCE_NOT_FOUND: 1},
        received_bytes=10,
        object_key=f"{ACCOUNT}/{RECORDING}/2.mp3",
        size_bytes=10,
        sha256="4e" * 32,
        content_type="audio/mpeg",
        stored_channels=2,
        encryption_details=EncryptionDetails("CR" + "5f" * 16, "A" * 344, "B" * 16),
        revision=7,
        ready_time=NOW,
    )
    return replace(full, **changes)


class FakeRange:
    """Bytes in memory, opened as a range; `reads` are the sizes that were asked for."""

    def __init__(self, content: bytes, byte_range: ByteRange) -> None:
        self.recording = recording(size_bytes=byte_range.complete_length)
        self.start, self.end, self.complete_length = byte_range
        self.closed = threading.Event()
        self.reads: list[int] = []
        self._content = content
        self._position = self.start

    def read(self, size: int) -> bytes:
        self.reads.append(size)
        data = self._content[self._position : min(self._position + size, self.end)]
        self._position += len(data)
        return data

    def close(self) -> None:
        self.closed.set()


class _Hub:
    """What a Watch needs of its hub."""

    def forget(self, watch: Watch) -> None:
        """Nothing to forget."""


class FakeWatch(Watch):
    """The core's own watch, which a test feeds by `offer`."""

    def __init__(self) -> None:
        super().__init__(cast(WatchHub, _Hub()), recording().key, WatchUntil.READY)
        self.closed = threading.Event()

    def close(self) -> None:
        super().close()
        self.closed.set()


class FakeListWatch(ListWatch):
    """The core's own watch of a list, empty at the beginning, which a test feeds by `offer`."""

    def __init__(self, matching: RecordingFilter, snapshot_size: int) -> None:
        super().__init__(MemoryCatalogue(), matching, snapshot_size, lambda _: None, max_pending=3)
        self.closed = threading.Event()

    def close(self) -> None:
        super().close()
        self.closed.set()


class FakeRecordingService:
    """Answers as `answers` says, by method name: a value, an exception to raise, or a function of the arguments."""

    def __init__(self) -> None:
        self.answers: dict[str, Any] = {
            "enqueue": EnqueueResult(EnqueueReason.DUPLICATE, recording()),
            "enqueue_batch": lambda requests: [EnqueueResult(EnqueueReason.ENQUEUED, recording()) for _ in requests],
            "report_unavailable": recording(state=RecordingState.FAILED),
            "get": recording(),
            "list": Page([recording()], "next"),
            "waveform": (recording(), WaveformLevel(400, 8000, 1, 2, bytes(4))),
            "transcript": (recording(), Transcript("en")),
            "delete": recording(state=RecordingState.DELETED, delete_time=NOW),
            "health": ServiceHealth(serving=True, queued=3, oldest_due_seconds=1.25),
            "watch": self._watch,
            "watch_many": self._watch_many,
            "watch_events": RevisionPruned(0, 2),
            "open_range": self._open_range,
        }
        self.calls: list[tuple[str, tuple[Any, ...]]] = []
        #: What open_range reads from; where it is shorter than `size_bytes`, the bytes are truncated.
        self.content = b""
        self.size_bytes: int | None = None
        self.watches: list[FakeWatch] = []
        self.list_watches: list[FakeListWatch] = []
        self.ranges: list[FakeRange] = []

    @property
    def facade(self) -> RecordingService:
        """This fake, as the type whose place it takes."""
        return cast(RecordingService, self)

    def asked(self, method: str) -> list[tuple[Any, ...]]:
        """The arguments of every call of that method."""
        return [arguments for name, arguments in self.calls if name == method]

    def enqueue(self, request: EnqueueRequest) -> Any:
        return self._answer("enqueue", request)

    def enqueue_batch(self, requests: Sequence[EnqueueRequest]) -> Any:
        return self._answer("enqueue_batch", requests)

    def report_unavailable(self, report: UnavailableReport) -> Any:
        return self._answer("report_unavailable", report)

    def get(self, target: Target) -> Any:
        return self._answer("get", target)

    def list(self, matching: RecordingFilter, page_size: int, page_token: str) -> Any:
        return self._answer("list", matching, page_size, page_token)

    def watch(self, target: Target, until: WatchUntil) -> Any:
        return self._answer("watch", target, until)

    def watch_many(self, matching: RecordingFilter, snapshot_size: int) -> Any:
        return self._answer("watch_many", matching, snapshot_size)

    def watch_events(self, matching: RecordingFilter, after_revision: int) -> Any:
        return self._answer("watch_events", matching, after_revision)

    def open_range(self, target: Target, offset: int, length: int, etag: str) -> Any:
        return self._answer("open_range", target, offset, length, etag)

    def waveform(self, target: Target, samples_per_pixel: int) -> Any:
        return self._answer("waveform", target, samples_per_pixel)

    def transcript(self, target: Target) -> Any:
        return self._answer("transcript", target)

    def delete(self, target: Target, allow_missing: bool) -> Any:
        return self._answer("delete", target, allow_missing)

    def health(self) -> Any:
        return self._answer("health")

    def _answer(self, method: str, *arguments: Any) -> Any:
        self.calls.append((method, arguments))
        answer = self.answers[method]
        if isinstance(answer, Exception):
            raise answer
        return answer(*arguments) if callable(answer) else answer

    def _watch(self, target: Target, until: WatchUntil) -> Watch:
        watch = FakeWatch()
        watch.offer(recording(state=RecordingState.QUEUED, revision=1))
        self.watches.append(watch)
        return watch

    def _watch_many(self, matching: RecordingFilter, snapshot_size: int) -> ListWatch:
        watch = FakeListWatch(matching, snapshot_size)
        self.list_watches.append(watch)
        return watch

    def _open_range(self, target: Target, offset: int, length: int, etag: str) -> OpenRange:
        size = len(self.content) if self.size_bytes is None else self.size_bytes
        opened = FakeRange(self.content, resolve_range(offset, length, size))
        self.ranges.append(opened)
        return cast(OpenRange, opened)
