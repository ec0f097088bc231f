"""Objects without a row, or with a FAILED one, are evidence: none is thrown away, and what is whole is adopted."""

import hashlib
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace

import pytest

from recording_service.core import adoption as adoption_module
from recording_service.core.errors import CatalogueUnavailable, RecordingNotFound, SourceNotFound, StorageUnavailable
from recording_service.core.model import (
    CallDetails,
    EnqueueReason,
    FailureReason,
    Recording,
    RecordingFilter,
    RecordingJob,
    RecordingKey,
    RecordingState,
    UnavailableReason,
    UnavailableReport,
)
from recording_service.core.requests import MAX_LABELS, Target
from recording_service.core.sweep import ShelfSweep, SweepSettings
from recording_service.core.transitions import ADOPTED_LABEL
from tests.support.core_world import AUDIO, KEY, World, a_key, a_request
from tests.support.failing_port import once

SETTINGS = SweepSettings(interval_seconds=600.0, orphan_age_seconds=3600.0)
OLD_SECONDS = SETTINGS.orphan_age_seconds + 1
OTHER_AUDIO = AUDIO + b"other"
WAV = b"RIFF\0\0\0\0WAVE" + bytes(100)
ABSENT = UnavailableReport(KEY, UnavailableReason.ABSENT)
GONE = SourceNotFound("Twilio has no such recording (404)")


def put(world: World, data: bytes = AUDIO, attempt: int = 1, key: RecordingKey = KEY) -> str:
    """An object that no row names; as a restored shelf has it, older than the catalogue."""
    object_key = f"{key.account_sid}/{key.recording_sid}/{attempt}.mp3"
    with world.shelf.create(object_key) as upload:
        upload.write(data)
        upload.publish()
    return object_key


def shelf(world: World) -> set[str]:
    return {entry.object_key for entry in world.shelf.entries()}


def walk(world: World, sweep: ShelfSweep | None = None) -> ShelfSweep:
    """A whole round, of objects that have come to rest."""
    world.clock.advance(OLD_SECONDS)
    sweep = sweep or world.sweep(SETTINGS)
    for _ in range(10):
        sweep.advance()
    return sweep


def ready(world: World) -> Recording:
    world.script(AUDIO)
    world.enqueuer().enqueue(a_request())
    world.work()
    return world.row()


def fail_for_good(world: World) -> None:
    """Twilio has it no more, and says so until the recording is given up."""
    world.script(GONE)
    dispatcher = world.dispatcher()
    for _ in range(100):
        world.let_pass(7200.0, dispatcher, tick_seconds=1200.0)
        world.work()
    assert (world.row().state, world.row().failure_reason) == (RecordingState.FAILED, FailureReason.SOURCE_NOT_FOUND)


# No row at all


def test_an_object_that_no_row_knows_is_adopted_as_if_it_had_been_downloaded(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    object_key = put(world, attempt=3)
    walk(world)
    row = world.row()
    assert (row.state, row.object_key, row.attempt) == (RecordingState.READY, object_key, 3)
    assert (row.etag, row.size_bytes) == (hashlib.sha256(AUDIO).hexdigest(), len(AUDIO))
    assert (row.content_type, row.ready_time, row.received_bytes) == ("audio/mpeg", world.clock.now(), len(AUDIO))
    assert "adopted" in caplog.text
    assert row.recording_sid in caplog.text
    assert world.service().open_range(Target(*KEY), 0, 0, row.etag).read(10**6) == AUDIO
    assert world.enqueuer().enqueue(a_request(job=RecordingJob.DOWNLOAD_ONLY)).reason is EnqueueReason.CACHED


def test_what_was_adopted_without_proof_can_be_listed(world: World) -> None:
    put(world)
    walk(world)
    world.script(AUDIO, key=a_key(2))
    world.enqueuer().enqueue(a_request(a_key(2)))
    world.work()
    listed = world.catalogue.adapter.page(RecordingFilter(labels={ADOPTED_LABEL: "true"}), 10, None)
    assert [row.key for row in listed] == [KEY]


def test_the_content_type_is_what_the_bytes_say(world: World) -> None:
    put(world, WAV)
    walk(world)
    assert world.row().content_type == "audio/wav"


def test_the_latest_attempt_wins_and_the_others_go_when_it_is_ready(world: World) -> None:
    earlier, latest, middle = put(world, attempt=2), put(world, OTHER_AUDIO, 10), put(world, attempt=9)
    sweep = walk(world)
    assert world.row().object_key == latest
    assert shelf(world) == {earlier, latest, middle}
    walk(world, sweep)
    assert shelf(world) == {latest}


def test_where_the_latest_is_no_audio_the_one_before_it_is_adopted(world: World) -> None:
    whole = put(world, attempt=1)
    put(world, b"<html>", 2)
    walk(world)
    assert world.row().object_key == whole


@pytest.mark.parametrize("data", [b"<html>not found</html>", b"", b"{"])
def test_what_is_no_audio_is_kept_and_not_adopted(world: World, data: bytes) -> None:
    object_key = put(world, data)
    walk(world, walk(world))
    assert world.catalogue.adapter.get(KEY) is None
    assert shelf(world) == {object_key}


def test_nothing_is_adopted_while_anything_of_the_recording_is_young(world: World) -> None:
    put(world, attempt=1)
    world.clock.advance(OLD_SECONDS)
    put(world, OTHER_AUDIO, attempt=2)
    sweep = world.sweep(SETTINGS)
    for _ in range(10):
        sweep.advance()
    assert world.catalogue.adapter.get(KEY) is None
    walk(world, sweep)
    assert world.row().attempt == 2


def test_an_adopted_object_that_is_lost_is_fetched_under_another_name_and_vouched_for(world: World) -> None:
    world.shelf.lose(adopted := _adopted(world, attempt=4))
    world.sweep(SETTINGS).advance()
    world.script(AUDIO)
    world.let_pass(10.0, world.dispatcher())
    world.work()
    row = world.row()
    assert (row.state, row.attempt, row.call.labels) == (RecordingState.READY, 5, {})
    assert row.object_key != adopted


def _adopted(world: World, attempt: int) -> str:
    object_key = put(world, attempt=attempt)
    walk(world)
    assert world.row().object_key == object_key
    return object_key


# FAILED rows


def test_bytes_that_were_lost_and_turn_up_again_are_adopted_without_a_doubt(world: World) -> None:
    before = ready(world)
    world.shelf.lose(before.object_key)
    walk(world)
    fail_for_good(world)
    assert world.row().etag == ""
    put(world, AUDIO, attempt=1)
    walk(world)
    row = world.row()
    assert (row.state, row.etag, row.object_key) == (RecordingState.READY, before.etag, before.object_key)
    assert (row.failures, row.failure_reason, row.failure_message) == (0, None, "")
    assert row.call.labels == {}


def test_nobody_has_rung_for_the_processing_of_what_was_adopted(world: World) -> None:
    world.shelf.lose(ready(world).object_key)
    walk(world)
    fail_for_good(world)
    put(world, AUDIO, attempt=1)
    walk(world)
    reasons = [world.enqueuer().enqueue(a_request()).reason for _ in range(2)]
    assert reasons == [EnqueueReason.ENQUEUED, EnqueueReason.DUPLICATE]


def test_damaged_bytes_are_kept_but_never_ready(world: World, caplog: pytest.LogCaptureFixture) -> None:
    before = ready(world)
    world.shelf.alter(before.object_key, 50)
    scrub = world.scrub()
    world.clock.advance(1.0)
    scrub.scrub()
    assert world.row().state is RecordingState.QUEUED
    fail_for_good(world)
    caplog.clear()
    sweep = walk(world)
    assert world.row().state is RecordingState.FAILED
    assert shelf(world) == {before.object_key}
    assert [KEY.recording_sid in record.getMessage() for record in caplog.records] == [True]
    walk(world, sweep)
    assert len(caplog.records) == 2, "it is to be said once a round"


def test_of_several_objects_the_one_with_the_bytes_that_the_recording_had_is_adopted(world: World) -> None:
    before = ready(world)
    world.shelf.lose(before.object_key)
    walk(world)
    fail_for_good(world)
    whole = put(world, AUDIO, attempt=1)
    put(world, OTHER_AUDIO, attempt=99)
    walk(world)
    assert (world.row().state, world.row().object_key) == (RecordingState.READY, whole)


def test_a_failed_recording_that_never_was_ready_takes_what_is_there(world: World) -> None:
    world.service().report_unavailable(ABSENT)
    put(world)
    walk(world)
    row = world.row()
    assert (row.state, row.failure_reason) == (RecordingState.READY, None)
    assert row.call.labels == {ADOPTED_LABEL: "true"}


def test_what_was_refused_is_not_read_again_until_it_is_touched(world: World) -> None:
    refused = put(world, b"no audio")
    sweep = walk(world)
    assert world.storage.calls["open"] == 1
    walk(world, walk(world, sweep))
    assert world.storage.calls["open"] == 1
    world.shelf.lose(refused)
    put(world, AUDIO)
    walk(world, sweep)
    assert world.row().state is RecordingState.READY


# Something happens meanwhile


def enqueue(world: World) -> None:
    world.enqueuer().enqueue(a_request())


def download(world: World) -> None:
    """Twice: the name of the first attempt is taken by what is to be adopted."""
    world.script(OTHER_AUDIO)
    enqueue(world)
    for _ in range(200):
        world.let_pass(1.0, world.dispatcher())
        world.work()
        if world.row().state is RecordingState.READY:
            return


def delete(world: World) -> None:
    enqueue(world)
    world.service().delete(Target(*KEY), allow_missing=False)


@pytest.mark.parametrize(
    ("what", "state"),
    [(enqueue, RecordingState.QUEUED), (download, RecordingState.READY), (delete, RecordingState.DELETED)],
)
def test_who_comes_before_the_adoption_wins(world: World, what: Callable[[World], None], state: RecordingState) -> None:
    put(world)
    seen: list[Recording] = []

    def first(_: object) -> None:
        what(world)
        seen.append(world.row())

    world.storage.before["open"] = once(first)
    walk(world)
    assert world.row().state is state
    assert world.row() == seen[0]


def test_an_adoption_before_a_download_is_claimed_leaves_nothing_to_download(world: World) -> None:
    put(world)
    walk(world)
    world.script(OTHER_AUDIO)
    enqueue(world)
    world.work()
    assert world.row().etag == hashlib.sha256(AUDIO).hexdigest()
    assert world.twilio.asked == []


def test_two_who_walk_at_once_adopt_once(world: World) -> None:
    put(world)
    other = world.sweep(SETTINGS)

    def be_done_first(_: object) -> None:
        other.advance()
        assert world.row().state is RecordingState.READY

    world.storage.before["open"] = once(be_done_first)
    walk(world)
    assert world.storage.calls["open"] == 2
    assert (world.row().state, world.row().revision) == (RecordingState.READY, 1)


# Trouble


def test_an_object_that_can_not_be_read_is_left_for_the_next_round_and_holds_nobody_up(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    unreadable = put(world, key=a_key(1))
    put(world, key=a_key(2))

    def fail(object_key: str) -> None:
        if object_key == unreadable:
            raise StorageUnavailable

    world.storage.before["open"] = fail
    sweep = walk(world)
    assert world.catalogue.adapter.get(a_key(1)) is None
    assert a_key(1).recording_sid in caplog.text
    assert world.row(a_key(2)).state is RecordingState.READY
    world.storage.mend()
    walk(world, sweep)
    assert world.row(a_key(1)).state is RecordingState.READY


def test_an_adoption_that_could_not_be_noted_is_made_in_the_next_round(world: World) -> None:
    put(world)
    sweep = world.sweep(SETTINGS)
    world.catalogue.fail(CatalogueUnavailable(), "amend")
    with pytest.raises(CatalogueUnavailable):
        walk(world, sweep)
    world.catalogue.mend()
    walk(world, sweep)
    assert world.row().state is RecordingState.READY


def test_a_large_object_is_read_in_pieces_between_other_work(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adoption_module, "PIECE_BYTES", 100)
    put(world)
    world.clock.advance(OLD_SECONDS)
    slow_seconds = SETTINGS.busy_seconds * 0.4
    world.storage.before["open"] = lambda _: world.clock.advance(slow_seconds)
    sweep = world.sweep(SETTINGS)
    opened = []
    while world.catalogue.adapter.get(KEY) is None:
        before = world.storage.calls["open"]
        sweep.advance()
        opened.append(world.storage.calls["open"] - before)
        assert len(opened) < 100
    assert max(opened) <= 3
    assert sum(opened) == len(AUDIO) // 100 + 1
    assert world.row().etag == hashlib.sha256(AUDIO).hexdigest()


def test_what_was_written_by_a_clock_that_was_far_ahead_is_adopted_all_the_same(world: World) -> None:
    world.clock.jump(365 * 86400.0)
    put(world)
    world.clock.jump(-365 * 86400.0)
    walk(world)
    assert world.row().state is RecordingState.READY


def test_an_older_object_is_not_adopted_while_a_newer_one_can_not_be_read(world: World) -> None:
    older, newer = put(world, OTHER_AUDIO, attempt=1), put(world, attempt=2)

    def unreadable(object_key: str) -> None:
        if object_key == newer:
            raise StorageUnavailable

    world.storage.before["open"] = unreadable
    sweep = walk(world)
    assert world.catalogue.adapter.get(KEY) is None
    assert shelf(world) == {older, newer}
    world.storage.mend()
    world.clock.advance(SETTINGS.interval_seconds + 1)
    walk(world, sweep)
    assert (world.row().state, world.row().object_key) == (RecordingState.READY, newer)


@pytest.mark.parametrize("allow_missing", [True, False])
def test_a_deletion_of_what_no_row_knows_is_not_undone_by_adoption(world: World, allow_missing: bool) -> None:
    put(world)
    with closing(world.service()) as service:
        if allow_missing:
            assert service.delete(Target(*KEY), allow_missing=True) is None
        else:
            with pytest.raises(RecordingNotFound):
                service.delete(Target(*KEY), allow_missing=False)
    walk(world)
    assert world.catalogue.adapter.get(KEY) is None
    assert shelf(world) == set()


def test_the_label_of_the_adopted_takes_no_place_of_the_callers(world: World) -> None:
    labels = {f"label-{number}": "x" for number in range(MAX_LABELS)}
    put(world)
    walk(world)
    request = replace(a_request(job=RecordingJob.DOWNLOAD_ONLY), call=CallDetails(labels=labels))
    assert world.enqueuer().enqueue(request).reason is EnqueueReason.CACHED
    assert world.row().call.labels == {**labels, ADOPTED_LABEL: "true"}


def test_a_recording_with_all_the_labels_it_may_have_is_labelled_as_adopted(world: World) -> None:
    labels = {f"label-{number}": "x" for number in range(MAX_LABELS)}
    world.script(GONE)
    world.enqueuer().enqueue(replace(a_request(), call=CallDetails(labels=labels)))
    with closing(world.service()) as service:
        service.report_unavailable(ABSENT)
    put(world)
    walk(world)
    assert world.row().state is RecordingState.READY
    assert world.row().call.labels == {**labels, ADOPTED_LABEL: "true"}
