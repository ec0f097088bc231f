"""The use cases, as the gRPC servicer calls them."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta

import pytest

from recording_service.core.errors import (
    CatalogueUnavailable,
    EtagMismatch,
    InvalidRequest,
    QueueUnavailable,
    RecordingDeleted,
    RecordingNotFound,
    SourceTooLarge,
    StorageFull,
    StorageUnavailable,
)
from recording_service.core.model import (
    CallDetails,
    EnqueueReason,
    FailureReason,
    Recording,
    RecordingFilter,
    RecordingKey,
    RecordingState,
    UnavailableReason,
    UnavailableReport,
)
from recording_service.core.ports import Change
from recording_service.core.requests import Target
from recording_service.core.service import RecordingService
from recording_service.core.watching import WatchUntil
from tests.support.core_world import ACCOUNT, AUDIO, KEY, OTHER_ACCOUNT, WORKER, World, a_key, a_request

FOREIGN = KEY._replace(account_sid=OTHER_ACCOUNT)
TARGET = Target(*KEY)
EVERYTHING = RecordingFilter()


@pytest.fixture
def service(world: World) -> Iterator[RecordingService]:
    with closing(world.service()) as service:
        yield service


def brought_to(world: World, state: RecordingState, key: RecordingKey = KEY) -> Recording:
    """A recording in that state."""
    world.twilio.script(key, [SourceTooLarge("too large") if state is RecordingState.FAILED else AUDIO])
    world.enqueuer().enqueue(a_request(key))
    if state is RecordingState.DOWNLOADING:
        world.claim(key)
    elif state is not RecordingState.QUEUED:
        world.work()
    if state is RecordingState.DELETED:
        world.service().delete(Target(*key), allow_missing=False)
    assert world.row(key).state is state
    return world.row(key)


def told(world: World) -> list[Change]:
    return list(world.listening.next(0.0))


# Enqueue


def test_an_enqueue_and_a_batch_are_answered_by_the_same_rules(service: RecordingService) -> None:
    assert service.enqueue(a_request()).reason is EnqueueReason.ENQUEUED
    first, second = service.enqueue_batch([a_request(), a_request(a_key(2))])
    assert not isinstance(first, Exception)
    assert not isinstance(second, Exception)
    assert (first.reason, second.reason) == (EnqueueReason.DUPLICATE, EnqueueReason.ENQUEUED)


# ReportRecordingUnavailable


@pytest.mark.parametrize(
    ("reason", "failure_reason"),
    [
        (UnavailableReason.ABSENT, FailureReason.SOURCE_ABSENT),
        (UnavailableReason.FAILED, FailureReason.SOURCE_FAILED),
    ],
)
@pytest.mark.parametrize("state", [None, RecordingState.QUEUED, RecordingState.DOWNLOADING, RecordingState.FAILED])
def test_what_twilio_says_is_not_there_is_failed_and_everyone_is_told(
    world: World,
    service: RecordingService,
    state: RecordingState | None,
    reason: UnavailableReason,
    failure_reason: FailureReason,
) -> None:
    if state is not None:
        brought_to(world, state)
    told(world)
    row = service.report_unavailable(UnavailableReport(KEY, reason))
    assert row == world.row()
    assert (row.state, row.failure_reason) == (RecordingState.FAILED, failure_reason)
    assert told(world) == [Change(*KEY, row.revision)]
    assert service.report_unavailable(UnavailableReport(KEY, reason)) == row
    assert told(world) == []


@pytest.mark.parametrize("state", [RecordingState.READY, RecordingState.DELETED])
def test_what_is_here_or_deleted_stays_so_whatever_twilio_says(
    world: World, service: RecordingService, state: RecordingState
) -> None:
    row = brought_to(world, state)
    assert service.report_unavailable(UnavailableReport(KEY, UnavailableReason.ABSENT)) == row
    assert world.row() == row


def test_a_worker_that_is_at_it_when_twilio_says_it_is_absent_changes_nothing_any_more(
    world: World, service: RecordingService
) -> None:
    claimed = brought_to(world, RecordingState.DOWNLOADING)
    row = service.report_unavailable(UnavailableReport(KEY, UnavailableReason.ABSENT))
    assert world.attempts().crashed(claimed.bell) is None
    assert not world.catalogue.adapter.raise_lease(claimed.bell, 0, world.clock.now())
    assert world.row() == row


# Get


@pytest.mark.parametrize("state", [state for state in RecordingState if state is not RecordingState.DELETED])
def test_a_recording_is_shown_as_it_is(world: World, service: RecordingService, state: RecordingState) -> None:
    row = brought_to(world, state)
    assert service.get(TARGET) == row == service.get(Target("", KEY.recording_sid))


@pytest.mark.parametrize("damage", ["gone", "short"])
@pytest.mark.parametrize("how", ["get", "watch"])
def test_ready_is_not_said_of_an_object_that_is_not_whole(
    world: World, service: RecordingService, how: str, damage: str
) -> None:
    ready = brought_to(world, RecordingState.READY)
    if damage == "gone":
        world.shelf.lose(ready.object_key)
    else:
        world.shelf.truncate(ready.object_key, len(AUDIO) - 1)
    if how == "get":
        seen = service.get(Target(*KEY))
    else:
        with closing(service.watch(Target(*KEY), WatchUntil.READY)) as watch:
            looked = watch.next(1.0)
        assert looked is not None
        seen = looked
    assert seen.state is RecordingState.QUEUED
    assert world.row() == seen
    service.enqueue(a_request())
    world.work()
    assert service.get(Target(*KEY)).state is RecordingState.READY


@pytest.mark.parametrize("target", [TARGET, Target("", KEY.recording_sid)])
def test_an_unknown_recording_and_a_tombstone_are_not_found(
    world: World, service: RecordingService, target: Target
) -> None:
    with pytest.raises(RecordingNotFound):
        service.get(target)
    brought_to(world, RecordingState.DELETED)
    with pytest.raises(RecordingNotFound) as missed:
        service.get(target)
    assert missed.value.recording_sid == KEY.recording_sid


def test_another_accounts_recording_is_not_found(world: World, service: RecordingService) -> None:
    brought_to(world, RecordingState.READY)
    for ask in (
        lambda: service.get(Target(*FOREIGN)),
        lambda: service.open_range(Target(*FOREIGN), 0, 0, ""),
        lambda: service.watch(Target(*FOREIGN), WatchUntil.READY),
        lambda: service.delete(Target(*FOREIGN), allow_missing=False),
    ):
        with pytest.raises(RecordingNotFound):
            ask()
    assert world.row().state is RecordingState.READY


@pytest.mark.parametrize("state", [RecordingState.QUEUED, RecordingState.FAILED, RecordingState.DELETED])
def test_of_one_sid_under_two_accounts_the_one_that_can_be_played_is_meant(
    world: World, service: RecordingService, state: RecordingState
) -> None:
    brought_to(world, RecordingState.READY)
    brought_to(world, state, FOREIGN)
    assert service.get(Target("", KEY.recording_sid)).account_sid == ACCOUNT


# List


def test_pages_are_newest_first_and_hold_everything_once(world: World, service: RecordingService) -> None:
    for number in range(1, 26):
        world.clock.advance(0 if number % 5 else 1)
        service.enqueue(a_request(a_key(number)))
    seen: list[Recording] = []
    token = ""
    sizes = []
    while True:
        page = service.list(EVERYTHING, 7, token)
        seen += page.recordings
        sizes.append(len(page.recordings))
        token = page.next_page_token
        if not token:
            break
    assert sizes == [7, 7, 7, 4]
    assert len({row.key for row in seen}) == 25
    order = [(row.create_time, row.recording_sid) for row in seen]
    assert order == sorted(order, reverse=True)


@pytest.mark.parametrize("count", [0, 7, 14])
def test_there_is_no_token_at_the_end(service: RecordingService, count: int) -> None:
    for number in range(1, count + 1):
        service.enqueue(a_request(a_key(number)))
    pages, token = 0, ""
    while True:
        page = service.list(EVERYTHING, 7, token)
        pages, token = pages + 1, page.next_page_token
        if not token:
            break
        assert page.recordings
    assert pages == max(1, count // 7)


def test_what_is_enqueued_meanwhile_moves_no_later_page(world: World, service: RecordingService) -> None:
    for number in range(1, 11):
        world.clock.advance(1)
        service.enqueue(a_request(a_key(number)))
    first = service.list(EVERYTHING, 5, "")
    world.clock.advance(1)
    service.enqueue(a_request(a_key(99)))
    second = service.list(EVERYTHING, 5, first.next_page_token)
    listed = [row.key for row in (*first.recordings, *second.recordings)]
    assert listed == [a_key(number) for number in range(10, 0, -1)]


def test_tombstones_are_listed_only_where_they_are_asked_for(world: World, service: RecordingService) -> None:
    brought_to(world, RecordingState.DELETED, a_key(1))
    brought_to(world, RecordingState.READY, a_key(2))
    assert [row.key for row in service.list(EVERYTHING, 0, "").recordings] == [a_key(2)]
    deleted = RecordingFilter(states=frozenset({RecordingState.DELETED}))
    assert [row.key for row in service.list(deleted, 0, "").recordings] == [a_key(1)]


def test_a_list_is_narrowed(world: World, service: RecordingService) -> None:
    tenant = CallDetails(labels={"tenant": "7"})
    service.enqueue(a_request(a_key(1), call=tenant))
    service.enqueue(a_request(a_key(2), call=replace(tenant, labels={"tenant": "8"})))
    matching = RecordingFilter(labels={"tenant": "7"})
    assert [row.key for row in service.list(matching, 0, "").recordings] == [a_key(1)]


def test_a_token_of_another_list_is_refused(service: RecordingService) -> None:
    for number in (1, 2):
        service.enqueue(a_request(a_key(number)))
    token = service.list(EVERYTHING, 1, "").next_page_token
    with pytest.raises(InvalidRequest):
        service.list(RecordingFilter(labels={"tenant": "7"}), 1, token)
    with pytest.raises(InvalidRequest):
        service.list(EVERYTHING, -1, "")


# StreamRecording


def test_a_range_is_opened_by_its_target(world: World, service: RecordingService) -> None:
    row = brought_to(world, RecordingState.READY)
    with closing(service.open_range(Target("", KEY.recording_sid), 10, 5, row.etag)) as range_:
        assert (range_.read(100), range_.recording) == (AUDIO[10:15], row)
    with pytest.raises(EtagMismatch):
        service.open_range(TARGET, 0, 0, "another")


# WatchRecording


def test_a_watch_of_what_is_not_there_is_refused_and_leaves_nothing_open(
    world: World, service: RecordingService
) -> None:
    brought_to(world, RecordingState.DELETED)
    for target in (TARGET, Target("", KEY.recording_sid), Target(*a_key(99))):
        with pytest.raises(RecordingNotFound):
            service.watch(target, WatchUntil.READY)


# DeleteRecording


@pytest.mark.parametrize("state", [state for state in RecordingState if state is not RecordingState.DELETED])
def test_a_deletion_leaves_a_tombstone_and_nothing_else(
    world: World, service: RecordingService, state: RecordingState
) -> None:
    before = brought_to(world, state)
    told(world)
    row = service.delete(TARGET, allow_missing=False)
    assert row == world.row()
    assert (row.state, row.delete_time) == (RecordingState.DELETED, world.clock.now())
    assert (row.create_time, row.attempt, row.object_key) == (before.create_time, before.attempt + 1, "")
    assert list(world.shelf.entries()) == []
    assert told(world) == [Change(*KEY, row.revision)]
    with pytest.raises(RecordingDeleted):
        service.enqueue(a_request())


def test_a_deletion_may_be_repeated_where_missing_is_allowed(world: World, service: RecordingService) -> None:
    assert service.delete(TARGET, allow_missing=True) is None
    brought_to(world, RecordingState.READY)
    tombstone = service.delete(TARGET, allow_missing=True)
    assert service.delete(TARGET, allow_missing=True) == tombstone == world.row()
    with pytest.raises(RecordingNotFound):
        service.delete(TARGET, allow_missing=False)
    with pytest.raises(RecordingNotFound):
        service.delete(Target(*a_key(99)), allow_missing=False)


def test_the_row_says_deleted_before_the_bytes_go(world: World, service: RecordingService) -> None:
    brought_to(world, RecordingState.READY)
    states: list[RecordingState] = []
    world.storage.before["remove_others"] = lambda key, keep: states.append(world.row().state)
    service.delete(TARGET, allow_missing=False)
    assert states == [RecordingState.DELETED]


def test_bytes_that_can_not_be_removed_are_no_success_and_asking_again_removes_them(
    world: World, service: RecordingService
) -> None:
    brought_to(world, RecordingState.READY)
    world.storage.fail(StorageUnavailable(), "remove_others")
    with pytest.raises(StorageUnavailable):
        service.delete(TARGET, allow_missing=False)
    assert world.row().state is RecordingState.DELETED
    world.storage.mend()
    service.delete(TARGET, allow_missing=True)
    assert list(world.shelf.entries()) == []


def test_bytes_of_a_deleted_recording_can_not_be_had(world: World, service: RecordingService) -> None:
    brought_to(world, RecordingState.READY)
    world.storage.fail(StorageUnavailable(), "remove_others")
    with pytest.raises(StorageUnavailable):
        service.delete(TARGET, allow_missing=False)
    with pytest.raises(RecordingNotFound):
        service.open_range(TARGET, 0, 0, "")


def test_pending_work_of_a_deleted_recording_is_not_done(world: World, service: RecordingService) -> None:
    brought_to(world, RecordingState.QUEUED)
    service.delete(TARGET, allow_missing=False)
    assert world.work() == [None]
    assert world.twilio.asked == []


# Health


def test_health_tells_how_much_is_waiting_and_since_when(world: World, service: RecordingService) -> None:
    health = service.health()
    assert (health.serving, health.queued, health.oldest_due_seconds) == (True, 0, 0.0)
    service.enqueue(a_request(a_key(1)))
    world.clock.advance(5)
    service.enqueue(a_request(a_key(2)))
    world.clock.advance(7)
    health = service.health()
    assert (health.serving, health.queued, health.oldest_due_seconds) == (True, 2, 12.0)


def test_a_clock_that_jumps_back_makes_no_negative_age(world: World, service: RecordingService) -> None:
    service.enqueue(a_request())
    world.clock.jump(-3600.0)
    assert service.health().oldest_due_seconds == 0.0


def test_redis_has_no_say_in_health(world: World, service: RecordingService) -> None:
    world.queue.fail_with = QueueUnavailable()
    world.changes.fail(QueueUnavailable(), "publish", "subscribe")
    assert service.health().serving


def test_a_full_shelf_is_told_and_has_no_say_in_health(world: World, service: RecordingService) -> None:
    assert service.health().storage_full is False
    world.shelf.room_bytes = 0
    assert service.health() == (True, 0, 0.0, True)
    world.shelf.room_bytes = None
    # So full that not even the check's own file can be written.
    world.storage.fail(StorageFull(), "check")
    assert service.health() == (True, 0, 0.0, True)
    world.storage.mend()
    assert service.health() == (True, 0, 0.0, False)


def test_reading_goes_on_while_the_shelf_is_full(world: World, service: RecordingService) -> None:
    row = brought_to(world, RecordingState.READY)
    world.shelf.room_bytes = 0
    assert service.get(TARGET) == row
    with closing(service.open_range(TARGET, 0, 0, "")) as range_:
        assert range_.read(10**6) == AUDIO
    service.delete(TARGET, allow_missing=False)
    assert list(world.shelf.entries()) == []


def test_without_the_catalogue_or_the_shelf_nothing_is_served(world: World, service: RecordingService) -> None:
    world.catalogue.fail(CatalogueUnavailable(), "check")
    assert service.health() == (False, None, None, None)
    world.catalogue.mend()
    world.storage.fail(StorageUnavailable(), "check")
    assert service.health() == (False, None, None, None)
    world.storage.mend()
    world.catalogue.fail(CatalogueUnavailable(), "backlog")
    assert service.health() == (False, None, None, None)


def test_reading_goes_on_without_redis(world: World, service: RecordingService) -> None:
    row = brought_to(world, RecordingState.READY)
    world.queue.fail_with = QueueUnavailable()
    world.changes.fail(QueueUnavailable(), "publish")
    assert service.get(TARGET) == row
    with closing(service.open_range(TARGET, 0, 0, "")) as range_:
        assert range_.read(10**6) == AUDIO
    deleted = service.delete(TARGET, allow_missing=False)
    assert deleted is not None
    assert deleted.state is RecordingState.DELETED


def test_a_report_on_a_recording_in_back_off_ends_its_waiting(world: World, service: RecordingService) -> None:
    brought_to(world, RecordingState.QUEUED)
    claimed = world.claim()
    world.attempts().release(WORKER)
    row = service.report_unavailable(UnavailableReport(KEY, UnavailableReason.ABSENT))
    assert row.attempt == claimed.attempt + 2
    world.let_pass(timedelta(minutes=5).total_seconds(), world.dispatcher())
    assert world.queue.waiting() == 0
