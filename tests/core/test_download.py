"""One attempt: claim, fetch, verify, publish, and only then READY."""

import hashlib
import logging
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta

import pytest

from recording_service.adapters.memory.source import Answer, MemorySource
from recording_service.core.audio import SNIFF_BYTES
from recording_service.core.download import Downloader
from recording_service.core.errors import (
    CatalogueUnavailable,
    ObjectMissing,
    QueueUnavailable,
    RecordingServiceError,
    RedirectRefused,
    SourceEncrypted,
    SourceError,
    SourceNotAudio,
    SourceNotFound,
    SourceOtherFormat,
    SourceRateLimited,
    SourceRefused,
    SourceTimedOut,
    SourceTooLarge,
    SourceTruncated,
    SourceUnauthorized,
    SourceUnavailable,
    StorageUnavailable,
    WorkerCrashed,
)
from recording_service.core.model import (
    Bell,
    FailureReason,
    Priority,
    ProcessingState,
    Recording,
    RecordingJob,
    RecordingState,
    StoredObject,
    UnavailableReason,
    UnavailableReport,
    WaitingReason,
    Work,
)
from recording_service.core.next_bells import AccountLimits
from recording_service.core.ports import Change, MediaSource, Upload
from recording_service.core.requests import Target
from recording_service.core.retry import RETRY_RULES
from tests.support.core_world import ACCOUNT, AUDIO, KEY, OTHER_ACCOUNT, WORKER, World, a_key, a_request
from tests.support.failing_port import Faults, Hook, once, raising
from tests.support.media import ScriptedSource
from tests.support.waiting import eventually

WAV = b"RIFF" + (36).to_bytes(4, "little") + b"WAVEfmt " + bytes(200)
#: Longest wait for what should come about at once, in seconds.
SOON = 10.0


def rung(world: World, number: int = 1, **fields: object) -> Bell:
    """The bell of a recording that is wanted."""
    world.enqueuer().enqueue(a_request(a_key(number), **fields))  # type: ignore[arg-type]
    bell = world.queue.hear()
    assert bell is not None
    return bell


def shelf(world: World) -> list[str]:
    """Everything on the shelf, remains too."""
    return [entry.object_key for entry in world.shelf.entries()]


def object_key(attempt: int = 1, extension: str = "mp3") -> str:
    return f"{KEY.account_sid}/{KEY.recording_sid}/{attempt}.{extension}"


def stored_bytes(world: World, recording: Recording) -> bytes:
    return world.shelf.open(recording.object_key).read_at(0, 10**9)


def take_over(world: World) -> Bell:
    """Ends the attempt that is under way, as the dispatcher does when its lease has expired, and begins the next."""
    attempts = [claimed.bell for claimed in world.catalogue.adapter.claimed()]
    (bell,) = attempts
    assert world.attempts().crashed(bell) is not None
    world.clock.advance(1)
    successor = world.row().bell
    world.catalogue.adapter.mark_rung([successor], world.clock.now())
    taken = world.take(successor)
    assert taken is not None
    assert taken.bell == successor
    return successor


# Success


def test_a_recording_is_stored_whole_and_then_ready(world: World) -> None:
    world.script(AUDIO)
    bell = rung(world)
    world.clock.advance(7)
    assert world.downloader().answer(bell, WORKER) == bell
    row = world.row()
    assert row.state is RecordingState.READY
    assert (row.object_key, row.content_type) == (object_key(), "audio/mpeg")
    assert (row.size_bytes, row.received_bytes) == (len(AUDIO), len(AUDIO))
    assert row.sha256 == row.etag == hashlib.sha256(AUDIO).hexdigest()
    assert (row.ready_time, row.update_time) == (world.clock.now(), world.clock.now())
    assert (row.failures, row.waiting_reason, row.failure_reason) == (0, None, None)
    assert stored_bytes(world, row) == AUDIO
    assert shelf(world) == [object_key()]


def test_ready_is_said_only_of_an_object_that_is_there(world: World) -> None:
    world.script(AUDIO)
    bell = rung(world)
    looks: list[tuple[RecordingState, int | None]] = []
    world.catalogue.before["amend"] = lambda _: looks.append((world.row().state, world.shelf.size(object_key())))
    world.downloader().answer(bell, WORKER)
    assert looks == [(RecordingState.DOWNLOADING, len(AUDIO))]


def test_nothing_is_visible_on_the_shelf_before_the_whole_of_it_came(world: World) -> None:
    sizes: list[int | None] = []

    def pieces() -> Iterator[bytes]:
        for offset in range(0, len(AUDIO), 100):
            yield AUDIO[offset : offset + 100]
            sizes.append(world.shelf.size(object_key()))

    world.source.adapter = ScriptedSource(pieces)
    world.downloader().answer(rung(world), WORKER)
    assert set(sizes) == {None}
    assert stored_bytes(world, world.row()) == AUDIO


def test_everyone_is_told_of_the_claim_and_of_the_end(world: World) -> None:
    world.script(AUDIO)
    world.downloader().answer(rung(world), WORKER)
    revisions = [change.revision for change in world.listening.next(0.0)]
    assert len(revisions) == 2
    # That the bell of its processing has rung since is told to nobody.
    assert revisions[1] + 1 == world.row().revision
    assert revisions[0] < revisions[1]


@pytest.mark.parametrize(
    ("body", "extension", "content_type"),
    [(AUDIO, "mp3", "audio/mpeg"), (b"ID3" + bytes(2000), "mp3", "audio/mpeg"), (WAV, "wav", "audio/wav")],
)
def test_an_object_is_called_what_its_bytes_are(world: World, body: bytes, extension: str, content_type: str) -> None:
    world.script(body)
    world.downloader().answer(rung(world), WORKER)
    assert (world.row().object_key, world.row().content_type) == (object_key(1, extension), content_type)


@pytest.mark.parametrize("piece_bytes", [1, 3, SNIFF_BYTES, SNIFF_BYTES + 1, 65536])
def test_however_the_body_is_cut_into_pieces_it_is_the_same(world: World, piece_bytes: int) -> None:
    world.source.adapter = MemorySource({KEY: AUDIO}, piece_bytes=piece_bytes)
    world.downloader().answer(rung(world), WORKER)
    assert stored_bytes(world, world.row()) == AUDIO


def test_a_body_shorter_than_the_head_is_whole_all_the_same(world: World) -> None:
    world.script(AUDIO[:5])
    world.downloader().answer(rung(world), WORKER)
    assert stored_bytes(world, world.row()) == AUDIO[:5]


def test_a_length_that_is_not_announced_is_not_missed(world: World) -> None:
    world.script(Answer(AUDIO, announced=False))
    world.downloader().answer(rung(world), WORKER)
    assert stored_bytes(world, world.row()) == AUDIO


# What is due, and to whom


def test_where_nothing_is_due_nothing_is_done(world: World) -> None:
    world.script(AUDIO)
    bell = rung(world)
    downloader = world.downloader()
    downloader.answer(bell, WORKER)
    row = world.row()
    assert downloader.answer(bell, WORKER) is None
    assert downloader.answer(Bell(*a_key(99), 1), WORKER) is None
    assert (world.row(), world.twilio.asked) == (row, [KEY])


def test_a_bell_brings_the_most_urgent_recording_whoever_it_was_rung_for(world: World) -> None:
    world.twilio.script(a_key(1), [AUDIO])
    world.twilio.script(a_key(2), [AUDIO])
    for number, job in ((1, RecordingJob.FULL), (2, RecordingJob.DOWNLOAD_ONLY)):
        world.enqueuer().enqueue(a_request(a_key(number), job))
    assert [bell.recording_sid for bell in world.work() if bell] == [a_key(2).recording_sid, a_key(1).recording_sid]


def test_a_recording_that_becomes_urgent_overtakes_the_others(world: World) -> None:
    for number in (1, 2, 3):
        world.twilio.script(a_key(number), [AUDIO])
        world.enqueuer().enqueue(a_request(a_key(number), priority=Priority.BULK))
    world.enqueuer().enqueue(a_request(a_key(3), RecordingJob.DOWNLOAD_ONLY))
    world.work()
    assert world.twilio.asked == [a_key(3), a_key(1), a_key(2)]


def test_many_workers_fetch_every_recording_once(world: World) -> None:
    keys = [a_key(number) for number in range(1, 61)]
    for key in keys:
        world.twilio.script(key, [AUDIO])
        world.enqueuer().enqueue(a_request(key))
    threads = [threading.Thread(target=world.work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(SOON)
    assert Counter(world.twilio.asked) == Counter(keys)
    assert {world.row(key).state for key in keys} == {RecordingState.READY}


def test_without_the_catalogue_nothing_is_claimed_and_the_queue_may_try_again(world: World) -> None:
    bell = rung(world)
    world.catalogue.fail(CatalogueUnavailable(), "claim")
    with pytest.raises(CatalogueUnavailable):
        world.downloader().answer(bell, WORKER)
    assert world.row().state is RecordingState.QUEUED
    world.catalogue.mend()
    world.script(AUDIO)
    assert world.downloader().answer(bell, WORKER) == bell


# Whatever may go wrong between us and Twilio


def fetched_for(world: World, longest: timedelta) -> int:
    """Has the recording fetched, minute by minute, until it comes to an end; how many minutes that took."""
    world.enqueuer().enqueue(a_request())
    dispatcher = world.dispatcher()
    end = world.clock.now() + longest
    minutes = 0
    while world.clock.now() < end:
        world.work()
        if world.row().state is not RecordingState.QUEUED:
            break
        world.let_pass(60.0, dispatcher, tick_seconds=60.0)
        minutes += 1
    return minutes


FAILURES: list[tuple[SourceError, WaitingReason | FailureReason, int]] = [
    (SourceNotFound("404"), WaitingReason.RETRY, 1),
    (SourceUnavailable("503"), WaitingReason.RETRY, 1),
    (SourceTimedOut("slow"), WaitingReason.RETRY, 1),
    (SourceTruncated("cut"), WaitingReason.RETRY, 1),
    (SourceNotAudio("html"), WaitingReason.RETRY, 1),
    (SourceRefused("400"), WaitingReason.RETRY, 1),
    (SourceEncrypted("16109"), WaitingReason.RETRY, 1),
    (SourceOtherFormat("mp3"), WaitingReason.RETRY, 1),
    (SourceTooLarge("too large"), FailureReason.SOURCE_TOO_LARGE, 1),
    (RedirectRefused("elsewhere"), FailureReason.SOURCE_REDIRECT_REFUSED, 1),
    (SourceRateLimited("429", None), WaitingReason.RATE_LIMITED, 0),
    (SourceUnauthorized("401"), WaitingReason.ACCOUNT_UNAUTHORIZED, 0),
]


@pytest.mark.parametrize(("error", "follows", "failures"), FAILURES, ids=lambda value: getattr(value, "message", None))
def test_every_kind_of_failure_is_written_to_the_row(
    world: World, error: SourceError, follows: WaitingReason | FailureReason, failures: int
) -> None:
    world.script(error)
    bell = rung(world)
    assert world.downloader().answer(bell, WORKER) == bell
    row = world.row()
    assert (row.waiting_reason or row.failure_reason, row.failures) == (follows, failures)
    assert row.failure_message == error.message
    assert row.claimed_by == ""
    if isinstance(follows, WaitingReason):
        assert (row.state, row.attempt, row.rung_time) == (RecordingState.QUEUED, 2, None)
    else:
        assert (row.state, row.attempt) == (RecordingState.FAILED, 1)
    assert shelf(world) == []


def test_every_kind_of_failure_is_tried_here() -> None:
    assert {type(error) for error, _, _ in FAILURES} == {
        *SourceError.__subclasses__(),
        SourceEncrypted,
        SourceOtherFormat,
    }


def test_what_twilio_asks_to_wait_is_waited(world: World) -> None:
    world.script(SourceRateLimited("429", 120.0))
    world.downloader().answer(rung(world), WORKER)
    wait = world.row().next_attempt_time - world.clock.now()
    assert timedelta(seconds=120) <= wait <= timedelta(seconds=122)


def test_a_recording_that_comes_later_is_fetched_then(world: World) -> None:
    world.script(SourceNotFound("404"), SourceNotFound("404"), SourceUnavailable("503"), AUDIO)
    world.enqueuer().enqueue(a_request())
    dispatcher = world.dispatcher()
    for _ in range(40):
        world.work()
        world.let_pass(1.0, dispatcher)
    assert (world.row().state, world.row().attempt) == (RecordingState.READY, 4)
    assert len(world.twilio.asked) == 4


@pytest.mark.parametrize("cut", [0, 1, SNIFF_BYTES - 1, SNIFF_BYTES, len(AUDIO) // 2, len(AUDIO) - 1])
def test_a_truncated_body_is_never_published(world: World, cut: int) -> None:
    world.script(Answer(AUDIO, cut_after_bytes=cut), Answer(AUDIO, cut_after_bytes=cut, announced=False))
    dispatcher = world.dispatcher()
    for _ in range(2):
        world.enqueuer().enqueue(a_request())
        world.work()
        assert (world.row().state, shelf(world)) == (RecordingState.QUEUED, [])
        assert world.row().failure_message == "the connection ended before the recording did"
        world.let_pass(5.0, dispatcher)


@pytest.mark.parametrize("announced", [0, 1, len(AUDIO) - 1, len(AUDIO) + 1])
def test_a_body_of_another_length_than_announced_is_never_published(world: World, announced: int) -> None:
    world.source.adapter = ScriptedSource(lambda: [AUDIO], content_length=announced)
    world.downloader().answer(rung(world), WORKER)
    assert (world.row().state, shelf(world)) == (RecordingState.QUEUED, [])
    assert world.row().failure_message == f"{announced} bytes were announced, {len(AUDIO)} came"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "Twilio's answer is empty"),
        (b'{"code": 20404, "message": "not found"}', "Twilio's answer is not audio"),
        (b"<?xml version='1.0'?><TwilioResponse/>", "Twilio's answer is not audio"),
        (b"<!DOCTYPE html><html></html>", "Twilio's answer is not audio"),
        (bytes(5000), "Twilio's answer is not audio"),
    ],
)
def test_what_is_no_audio_is_never_published_and_ends_after_hours(world: World, body: bytes, message: str) -> None:
    world.script(body)
    minutes = fetched_for(world, timedelta(hours=12))
    row = world.row()
    assert (row.state, row.failure_reason) == (RecordingState.FAILED, FailureReason.SOURCE_NOT_AUDIO)
    assert row.failure_message == message
    assert len(world.twilio.asked) == RETRY_RULES[SourceNotAudio].budget
    # Four hours are four deviations less than the mean (core/retry.py).
    assert minutes > 4 * 60
    assert shelf(world) == []


@pytest.mark.parametrize("page", [b"<!DOCTYPE html><html>Back soon</html>", SourceRefused("407"), SourceTimedOut("")])
def test_a_recording_that_comes_by_during_an_hours_maintenance_is_fetched_after_it(
    world: World, page: bytes | SourceError
) -> None:
    world.script(page)
    assert fetched_for(world, timedelta(hours=1)) == 60
    assert (world.row().state, world.row().waiting_reason) == (RecordingState.QUEUED, WaitingReason.RETRY)
    assert shelf(world) == []
    world.script(AUDIO)
    # The longest back-off, and a minute for the clock's step.
    assert fetched_for(world, timedelta(hours=1)) <= 16
    assert world.row().state is RecordingState.READY


def test_a_crash_after_a_long_outage_is_a_first_crash(world: World) -> None:
    world.script(SourceTimedOut("slow"))
    fetched_for(world, timedelta(hours=1))
    spent = world.row().failures_by_reason
    budget = RETRY_RULES[WorkerCrashed].budget
    assert budget is not None
    assert spent[FailureReason.SOURCE_UNAVAILABLE] == world.row().failures > budget
    dispatcher = world.dispatcher()
    while (bell := world.queue.hear()) is None:
        world.let_pass(60.0, dispatcher, tick_seconds=60.0)
    claimed = world.take(bell)
    assert claimed is not None
    world.attempts().crashed(claimed.bell)
    assert world.row().state is RecordingState.QUEUED
    assert world.row().failures_by_reason == {**spent, FailureReason.WORKER_CRASHED: 1}


def test_an_error_that_nobody_expected_ends_the_attempt_and_is_logged(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.source.fail(ZeroDivisionError("secret-inside"), "open")
    world.downloader().answer(rung(world), WORKER)
    row = world.row()
    assert (row.state, row.failures, row.waiting_reason) == (RecordingState.QUEUED, 1, WaitingReason.RETRY)
    assert "secret-inside" not in row.failure_message
    assert any(record.exc_info for record in caplog.records)


# The shelf


class FailingUpload:
    """An upload that can't be written, or not be published."""

    def __init__(self, upload: Upload, step: str) -> None:
        self._upload, self._step = upload, step

    @property
    def received_bytes(self) -> int:
        return self._upload.received_bytes

    def write(self, data: bytes) -> None:
        if self._step == "write":
            raise StorageUnavailable
        self._upload.write(data)

    def publish(self) -> StoredObject:
        raise StorageUnavailable


@pytest.mark.parametrize("step", ["create", "write", "publish"])
def test_a_full_shelf_is_waited_for_and_spends_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    create = world.shelf.create

    @contextmanager
    def failing(key: str) -> Iterator[FailingUpload]:
        if step == "create":
            raise StorageUnavailable
        with create(key) as upload:
            yield FailingUpload(upload, step)

    world.script(AUDIO)
    dispatcher = world.dispatcher()
    world.enqueuer().enqueue(a_request())
    monkeypatch.setattr(world.shelf, "create", failing)
    for _ in range(100):
        world.work()
        world.let_pass(5.0, dispatcher)
    row = world.row()
    assert (row.state, row.failures) == (RecordingState.QUEUED, 0)
    assert row.waiting_reason is WaitingReason.STORAGE_UNAVAILABLE
    assert row.failure_message == "the storage is unavailable; try again"
    assert shelf(world) == []
    monkeypatch.undo()
    world.let_pass(65.0, dispatcher)
    world.work()
    assert world.row().state is RecordingState.READY


def leave_remains(world: World) -> None:
    """What two earlier attempts may have left behind."""
    with world.shelf.create(object_key(7)) as upload:
        upload.write(b"published by an attempt whose last word came too late")
        upload.publish()


def test_remains_of_other_attempts_are_removed_once_it_is_ready(world: World) -> None:
    leave_remains(world)
    world.script(AUDIO)
    world.downloader().answer(rung(world), WORKER)
    assert shelf(world) == [object_key()]


def on_the_shelf(world: World, attempt: int, body: bytes) -> None:
    """An object that a newer catalogue knew than the one that was restored."""
    with world.shelf.create(object_key(attempt)) as upload:
        upload.write(body)
        upload.publish()


def test_an_attempt_whose_very_object_is_on_the_shelf_already_is_ready_with_it(world: World) -> None:
    world.script(AUDIO)
    on_the_shelf(world, 1, AUDIO)
    rung(world)
    world.downloader().answer(Bell(*KEY, 1), WORKER)
    row = world.row()
    assert (row.state, row.attempt, row.object_key) == (RecordingState.READY, 1, object_key())
    assert (row.size_bytes, row.sha256) == (len(AUDIO), hashlib.sha256(AUDIO).hexdigest())
    assert shelf(world) == [object_key()]


def test_an_attempt_that_meets_other_bytes_under_its_name_leaves_them_and_the_next_one_is_ready(world: World) -> None:
    world.script(AUDIO)
    for attempt in (1, 2):
        on_the_shelf(world, attempt, AUDIO[:-1] + b"?")
    dispatcher = world.dispatcher()
    rung(world)
    world.downloader().answer(Bell(*KEY, 1), WORKER)
    assert (world.row().state, world.row().attempt, world.row().failures) == (RecordingState.QUEUED, 2, 0)
    for _ in range(2):
        world.let_pass(10.0, dispatcher)
        world.work()
    row = world.row()
    assert (row.state, row.attempt) == (RecordingState.READY, 3)
    assert stored_bytes(world, row) == AUDIO
    assert shelf(world) == [object_key(3)]


def test_it_is_ready_though_remains_could_not_be_removed(world: World) -> None:
    leave_remains(world)
    world.script(AUDIO)
    world.storage.fail(StorageUnavailable(), "remove_others")
    world.downloader().answer(rung(world), WORKER)
    assert world.row().state is RecordingState.READY
    assert set(shelf(world)) == {object_key(), object_key(7)}


# Another attempt takes over


def test_a_result_that_comes_too_late_changes_nothing_and_its_object_stays_until_there_is_another(world: World) -> None:
    world.script(AUDIO)
    bell = rung(world)
    world.catalogue.before["amend"] = once(lambda _: take_over(world))
    assert world.downloader().answer(bell, WORKER) == bell
    row = world.row()
    assert (row.state, row.attempt, row.object_key) == (RecordingState.DOWNLOADING, 2, "")
    assert shelf(world) == [object_key(1)]


def test_an_object_that_is_published_as_twilio_reports_absence_is_not_thrown_away(world: World) -> None:
    world.script(AUDIO)
    bell = rung(world)
    report = UnavailableReport(KEY, UnavailableReason.ABSENT)
    with closing(world.service()) as service:
        world.catalogue.before["amend"] = once(lambda _: service.report_unavailable(report))
        world.downloader().answer(bell, WORKER)
    assert world.row().failure_reason is FailureReason.SOURCE_ABSENT
    assert shelf(world) == [object_key(1)]


def test_an_object_that_is_published_as_its_recording_is_deleted_is_removed(world: World) -> None:
    world.script(AUDIO)
    bell = rung(world)
    with closing(world.service()) as service:
        world.catalogue.before["amend"] = once(lambda _: service.delete(Target(*KEY), allow_missing=False))
        world.downloader().answer(bell, WORKER)
    assert world.row().state is RecordingState.DELETED
    assert shelf(world) == []


def test_a_late_attempt_removes_its_own_object_and_not_its_successors(world: World) -> None:
    world.script(AUDIO)
    bell, downloader = rung(world), world.downloader()

    def be_overtaken(_: object) -> None:
        (claimed,) = world.catalogue.adapter.claimed()
        world.attempts().crashed(claimed.bell)
        world.clock.advance(1)
        successor = world.row().bell
        world.catalogue.adapter.mark_rung([successor], world.clock.now())
        assert downloader.answer(successor, "worker-2") == successor

    world.catalogue.before["amend"] = once(be_overtaken)
    downloader.answer(bell, WORKER)
    row = world.row()
    assert (row.state, row.attempt, row.object_key) == (RecordingState.READY, 2, object_key(2))
    assert shelf(world) == [object_key(2)]
    assert stored_bytes(world, row) == AUDIO


@pytest.mark.parametrize("error", [StorageUnavailable(), OSError("a bug")])
def test_a_late_attempt_raises_nothing_though_its_object_could_not_be_removed(world: World, error: Exception) -> None:
    world.script(AUDIO)
    bell = rung(world)
    world.catalogue.before["amend"] = once(lambda _: take_over(world))
    world.storage.fail(error, "remove")
    assert world.downloader().answer(bell, WORKER) == bell
    assert world.row().attempt == 2


def test_a_recording_that_is_deleted_meanwhile_leaves_nothing_behind(world: World) -> None:
    world.script(AUDIO)
    bell = rung(world)
    world.catalogue.before["amend"] = once(lambda _: world.service().delete(Target(*KEY), allow_missing=False))
    world.downloader().answer(bell, WORKER)
    assert (world.row().state, shelf(world)) == (RecordingState.DELETED, [])


def test_an_attempt_that_was_taken_over_stops_in_the_middle_and_publishes_nothing(world: World) -> None:
    deadline = threading.Timer(SOON, lambda: ended.set())
    ended = threading.Event()

    def pieces() -> Iterator[bytes]:
        yield AUDIO
        take_over(world)
        while not ended.wait(0.001):
            yield bytes(100)

    world.source.adapter = ScriptedSource(pieces)
    deadline.start()
    try:
        world.downloader(lease_interval_seconds=0.01).answer(rung(world), WORKER)
        assert not ended.is_set()
    finally:
        deadline.cancel()
        deadline.join()
    assert (world.row().attempt, shelf(world)) == (2, [])


# The lease


class SilentSource(ScriptedSource):
    """Sends the head of the recording, and the rest when it is told to."""

    def __init__(self) -> None:
        self.go_on = threading.Event()
        super().__init__(self._two_halves, content_length=len(AUDIO))

    def _two_halves(self) -> Iterator[bytes]:
        yield AUDIO[:500]
        assert self.go_on.wait(SOON)
        yield AUDIO[500:]


@contextmanager
def downloading(world: World, downloader: Downloader) -> Iterator[SilentSource]:
    """A download that is stuck after its first 500 bytes, and goes on to its end on leaving."""
    source = SilentSource()
    world.source.adapter = source
    bell = rung(world)
    thread = threading.Thread(target=downloader.answer, args=(bell, WORKER))
    thread.start()
    try:
        yield source
    finally:
        source.go_on.set()
        thread.join(SOON)


def test_the_lease_is_raised_and_progress_is_noted_while_twilio_is_silent(world: World) -> None:
    with downloading(world, world.downloader(lease_interval_seconds=0.005)):
        eventually(lambda: world.row().lease >= 3, within=SOON)
        eventually(lambda: world.row().received_bytes == 500, within=SOON)
        lease = world.row().lease
        eventually(lambda: world.row().lease > lease, within=SOON)
    assert (world.row().state, world.row().attempt) == (RecordingState.READY, 1)


@pytest.mark.parametrize("error", [CatalogueUnavailable(), RuntimeError("a bug")])
def test_a_lease_that_can_not_be_raised_now_is_raised_later(world: World, error: Exception) -> None:
    world.catalogue.fail(error, "raise_lease")
    with downloading(world, world.downloader(lease_interval_seconds=0.005)):
        eventually(lambda: world.catalogue.calls["raise_lease"] >= 2, within=SOON)
        assert world.row().lease == 0
        world.catalogue.mend()
        eventually(lambda: world.row().lease >= 1, within=SOON)
    assert world.row().state is RecordingState.READY


def test_the_lease_is_let_go_with_the_attempt(world: World) -> None:
    world.script(AUDIO)
    world.downloader(lease_interval_seconds=0.001).answer(rung(world), WORKER)
    assert [thread for thread in threading.enumerate() if thread.name == "lease-keeper"] == []


# The last word


def test_an_end_that_can_not_be_noted_keeps_the_object_and_raises_nothing(world: World) -> None:
    world.script(AUDIO)
    bell, dispatcher = rung(world), world.dispatcher()
    world.catalogue.fail(CatalogueUnavailable(), "amend")
    assert world.downloader().answer(bell, WORKER) == bell
    assert (world.row().state, shelf(world)) == (RecordingState.DOWNLOADING, [object_key()])
    world.catalogue.mend()
    world.let_pass(40.0, dispatcher)
    world.work()
    assert (world.row().state, world.row().attempt) == (RecordingState.READY, 2)
    assert shelf(world) == [object_key(2)]


def test_an_end_that_was_noted_though_the_answer_got_lost_keeps_its_object(world: World) -> None:
    world.script(AUDIO)
    bell = rung(world)
    world.catalogue.lose_answer(CatalogueUnavailable(), "amend")
    world.downloader().answer(bell, WORKER)
    assert (world.row().state, shelf(world)) == (RecordingState.READY, [object_key()])


def failing(times: int) -> Hook:
    """A hook that fails that many times."""
    left = iter(range(times))

    def hook(*_: object) -> None:
        if next(left, None) is not None:
            raise CatalogueUnavailable

    return hook


@pytest.mark.parametrize("answer_lost", [False, True])
def test_an_end_is_told_again_until_the_catalogue_answers_and_nothing_is_fetched_twice(
    world: World, answer_lost: bool
) -> None:
    world.script(AUDIO)
    bell = rung(world)
    (world.catalogue.after if answer_lost else world.catalogue.before)["amend"] = failing(4)
    world.downloader(note_tries=5).answer(bell, WORKER)
    assert (world.row().state, world.row().attempt, shelf(world)) == (RecordingState.READY, 1, [object_key()])
    assert len(world.twilio.asked) == 1


@pytest.mark.parametrize("answer_lost", [False, True])
@pytest.mark.parametrize("method", ["amend", "pause"])
def test_a_failure_is_told_again_until_the_catalogue_answers_and_counts_once(
    world: World, method: str, answer_lost: bool
) -> None:
    error = SourceNotFound("404") if method == "amend" else SourceUnauthorized("401")
    world.script(error)
    bell = rung(world)
    (world.catalogue.after if answer_lost else world.catalogue.before)[method] = failing(4)
    world.downloader(note_tries=5).answer(bell, WORKER)
    row = world.row()
    assert (row.state, row.attempt, row.failures) == (RecordingState.QUEUED, 2, int(method == "amend"))


def test_an_end_that_is_told_again_changes_nothing_for_an_attempt_that_has_taken_over(world: World) -> None:
    world.script(AUDIO)
    bell = rung(world)
    fail = failing(1)

    def fail_and_take_over(*_: object) -> None:
        world.catalogue.before["amend"] = once(lambda *_: take_over(world))
        fail()

    world.catalogue.before["amend"] = fail_and_take_over
    world.downloader(note_tries=5).answer(bell, WORKER)
    assert (world.row().attempt, shelf(world)) == (2, [object_key(1)])


@pytest.mark.parametrize("error", [CatalogueUnavailable(), RuntimeError("a bug"), ObjectMissing("x")])
@pytest.mark.parametrize("outcome", [AUDIO, SourceNotFound("404"), SourceUnauthorized("401")])
def test_after_the_claim_nothing_is_raised_and_the_lease_ends_what_could_not_be_noted(
    world: World, error: Exception, outcome: bytes | SourceError
) -> None:
    world.script(outcome)
    bell, dispatcher = rung(world), world.dispatcher()
    world.catalogue.fail(error, "amend", "pause", "paused", "resume")
    assert world.downloader().answer(bell, WORKER) == bell
    assert world.row().state is RecordingState.DOWNLOADING
    world.catalogue.mend()
    world.let_pass(40.0, dispatcher)
    assert (world.row().state, world.row().attempt) == (RecordingState.QUEUED, 2)


@pytest.mark.parametrize("error", [QueueUnavailable(), RuntimeError("a bug")])
@pytest.mark.parametrize("outcome", [AUDIO, SourceNotFound("404")])
def test_an_attempt_goes_on_though_nobody_can_be_told(
    world: World, error: RecordingServiceError, outcome: bytes | SourceError
) -> None:
    world.script(outcome)
    world.changes.fail(error, "publish")
    world.downloader().answer(rung(world), WORKER)
    expected = RecordingState.READY if outcome == AUDIO else RecordingState.QUEUED
    assert (world.row().state, world.row().claimed_by if expected is RecordingState.QUEUED else "") == (expected, "")


def test_what_a_failure_of_the_last_word_may_end_is_a_thread_and_not_the_recording(world: World) -> None:
    class BeingEnded(BaseException):
        pass

    world.script(AUDIO)
    bell, dispatcher = rung(world), world.dispatcher()
    world.catalogue.before["amend"] = once(raising(BeingEnded()))
    with pytest.raises(BeingEnded):
        world.downloader().answer(bell, WORKER)
    world.let_pass(40.0, dispatcher)
    world.work()
    assert world.row().state is RecordingState.READY


# Accounts


def paused(world: World) -> list[str]:
    return [account.account_sid for account in world.catalogue.adapter.paused()]


def test_a_refused_account_is_paused_and_its_recordings_wait_and_spend_nothing(world: World) -> None:
    world.script(SourceUnauthorized("401"))
    for number in (1, 2):
        world.enqueuer().enqueue(a_request(a_key(number)))
    world.enqueuer().enqueue(a_request(a_key(3, OTHER_ACCOUNT)))
    world.twilio.script(a_key(3, OTHER_ACCOUNT), [AUDIO])
    world.work()
    assert paused(world) == [ACCOUNT]
    for number in (1, 2):
        row = world.row(a_key(number))
        assert (row.state, row.failures) == (RecordingState.QUEUED, 0)
        assert row.waiting_reason is WaitingReason.ACCOUNT_UNAUTHORIZED
    assert world.row(a_key(3, OTHER_ACCOUNT)).state is RecordingState.READY
    assert world.twilio.asked == [a_key(1), a_key(3, OTHER_ACCOUNT)]


def test_the_account_is_paused_before_the_attempt_ends(world: World) -> None:
    world.script(SourceUnauthorized("401"))
    bell = rung(world)
    looks: list[list[str]] = []
    world.catalogue.before["amend"] = lambda _: looks.append(paused(world))
    world.downloader().answer(bell, WORKER)
    assert looks == [[ACCOUNT]]


def a_probe(world: World, outcome: bytes | SourceError) -> None:
    """An account is paused; a minute later one recording finds out whether it is accepted again."""
    world.twilio.script(a_key(1), [SourceUnauthorized("401"), outcome])
    world.enqueuer().enqueue(a_request(a_key(1)))
    world.work()
    assert paused(world) == [ACCOUNT]
    world.clock.advance(61)
    world.catalogue.adapter.mark_rung([world.row().bell], world.clock.now())
    assert world.downloader().answer(world.row().bell, WORKER) is not None


@pytest.mark.parametrize(
    "outcome",
    [
        AUDIO,
        SourceNotFound("404"),
        SourceRateLimited("429", None),
        SourceNotAudio("html"),
        SourceTruncated("cut"),
        SourceTooLarge("too large"),
    ],
)
def test_an_answer_that_shows_that_the_account_is_accepted_resumes_it(
    world: World, outcome: bytes | SourceError
) -> None:
    a_probe(world, outcome)
    assert paused(world) == []


@pytest.mark.parametrize(
    "outcome",
    [SourceUnauthorized("401"), SourceUnavailable("503"), SourceTimedOut("slow"), SourceRefused("400")],
)
def test_an_answer_that_says_nothing_of_the_account_leaves_it_paused(world: World, outcome: SourceError) -> None:
    a_probe(world, outcome)
    assert paused(world) == [ACCOUNT]


def test_one_probe_a_minute_is_let_through(world: World) -> None:
    world.script(SourceUnauthorized("401"))
    a_probe(world, SourceUnauthorized("401"))
    asked = len(world.twilio.asked)
    world.catalogue.adapter.mark_rung([world.row().bell], world.clock.now())
    world.clock.advance(58)
    assert world.downloader().answer(world.row().bell, WORKER) is None
    world.clock.advance(3)
    assert world.downloader().answer(world.row().bell, WORKER) is not None
    assert len(world.twilio.asked) == asked + 1


def test_an_account_that_could_not_be_resumed_is_tried_again_and_the_recording_is_ready(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.catalogue.fail(CatalogueUnavailable(), "resume")
    a_probe(world, AUDIO)
    assert (world.row().state, paused(world)) == (RecordingState.READY, [ACCOUNT])
    assert [record.getMessage() for record in caplog.records if "could not be noted" in record.getMessage()] == []


def test_the_log_follows_the_request_and_tells_no_number(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    world.script(AUDIO)
    world.downloader().answer(rung(world, request_id="request-7"), WORKER)
    lines = [record.getMessage() for record in caplog.records]
    assert [line.split()[0] for line in lines if "request_id=request-7" in line] == ["downloading", "ready"]


def test_changes_name_the_recording(world: World) -> None:
    world.script(AUDIO)
    world.downloader().answer(rung(world), WORKER)
    assert {Change(*change[:2], 0) for change in world.listening.next(0.0)} == {Change(*KEY, 0)}


# A full shelf (reliability.md B3 #15)


def test_twilio_is_not_asked_for_what_there_is_no_room_for(world: World) -> None:
    world.script(AUDIO)
    bell = rung(world)
    world.shelf.room_bytes = 0
    world.downloader().answer(bell, WORKER)
    row = world.row()
    assert (row.state, row.waiting_reason) == (RecordingState.QUEUED, WaitingReason.STORAGE_UNAVAILABLE)
    assert (row.attempt, row.failures, row.failure_message) == (2, 0, "the storage is full; try again")
    assert world.twilio.asked == []
    assert shelf(world) == []


def test_a_recording_that_does_not_fit_is_put_off_unwritten_and_a_smaller_one_is_kept(world: World) -> None:
    world.script(AUDIO * 2)
    world.script(AUDIO, key=a_key(2))
    bells = [rung(world, number) for number in (1, 2)]
    world.shelf.room_bytes = len(AUDIO)
    for bell in bells:
        world.downloader().answer(bell, WORKER)
    assert world.row().waiting_reason is WaitingReason.STORAGE_UNAVAILABLE
    assert world.storage.calls["create"] == 1
    assert world.row(a_key(2)).state is RecordingState.READY


def test_a_shelf_that_fills_in_mid_download_spends_nothing_and_keeps_no_half_object(world: World) -> None:
    def body() -> Iterator[bytes]:
        yield AUDIO[:1000]
        world.shelf.room_bytes = 0
        yield AUDIO[1000:]

    world.source = Faults[MediaSource](ScriptedSource(body, len(AUDIO)))
    world.downloader().answer(rung(world), WORKER)
    row = world.row()
    assert (row.state, row.waiting_reason) == (RecordingState.QUEUED, WaitingReason.STORAGE_UNAVAILABLE)
    assert (row.attempt, row.failures) == (2, 0)
    assert shelf(world) == []


# What follows


def test_a_recording_that_is_ready_is_rung_for_to_be_processed(world: World) -> None:
    world.script(AUDIO)
    world.downloader().answer(rung(world), WORKER)
    processing = world.row().processing
    assert (processing.state, processing.rung_time) == (ProcessingState.PENDING, world.clock.now())
    assert world.queue.hear(Work.PROCESSING) == world.row().processing_bell


def test_a_recording_is_rung_for_once_it_is_ready_and_not_before(world: World) -> None:
    world.script(AUDIO)
    bell = rung(world)
    looks: list[RecordingState] = []
    world.bells.before["ring"] = lambda bells: looks.append(world.row().state)
    world.downloader().answer(bell, WORKER)
    assert looks == [RecordingState.READY]


@pytest.mark.parametrize("error", [QueueUnavailable(), RuntimeError("a bug")])
def test_a_download_is_whole_though_nobody_can_be_rung_for(
    world: World, caplog: pytest.LogCaptureFixture, error: Exception
) -> None:
    world.script(AUDIO)
    bell = rung(world)
    world.bells.fail(error, "ring", "waiting")
    assert world.downloader().answer(bell, WORKER) == bell
    row = world.row()
    assert (row.state, row.processing.state, row.processing.rung_time) == (
        RecordingState.READY,
        ProcessingState.PENDING,
        None,
    )
    assert "could not be noted" not in caplog.text
    assert world.storage.calls["remove_others"] == 1


def test_a_recording_whose_end_was_noted_though_the_answer_got_lost_is_rung_for(world: World) -> None:
    world.script(AUDIO)
    bell = rung(world)
    world.catalogue.after["amend"] = failing(1)
    world.downloader(note_tries=2).answer(bell, WORKER)
    assert world.queue.hear(Work.PROCESSING) == world.row().processing_bell


def test_with_a_limit_recordings_of_an_account_are_fetched_one_after_the_other() -> None:
    world = World(limits=AccountLimits(downloads=1))
    most: list[int] = []

    def pieces() -> Iterator[bytes]:
        # Another worker hears a bell meanwhile, in vain.
        bell = world.queue.hear()
        if bell is not None:
            assert world.downloader().answer(bell, "worker-2") is None
        most.append(len(world.catalogue.adapter.claimed()))
        yield AUDIO

    world.source.adapter = ScriptedSource(pieces)
    for number in range(1, 8):
        world.enqueuer().enqueue(a_request(a_key(number)))
    world.work()
    assert {world.row(a_key(number)).state for number in range(1, 8)} == {RecordingState.READY}
    assert most == [1] * 7
