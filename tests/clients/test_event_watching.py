"""Watching events, in both flavours, over a real connection to the real core, through breaks and restarts."""

import asyncio
import dataclasses
import threading
from collections.abc import Iterator

import pytest

from recordings import RecordingsClient, _resuming_watch, errors
from recordings._defaults import DEFAULTS
from recordings._watched_events import EventPlace
from recordings.aio import RecordingsClient as AsyncRecordingsClient
from recordings.aio import resuming_watch
from recordings.v1.event_pb2 import EventType
from recordings.v1.recording_pb2 import RecordingState
from recordings.v1.watch_pb2 import WatchRecordingsRequest, WatchRecordingsResponse
from tests.clients.python.aio.in_loop import in_loop
from tests.support.event_service import EventService
from tests.support.events import DELETED, add_events, forget_oldest
from tests.support.recordings import another, change

#: Streams that end by their own deadline after a moment, and how long nothing happens: many of them.
QUICKLY_OVER = dataclasses.replace(DEFAULTS, watch_timeout=0.1)
QUIET_SECONDS = 1.5
READY_STATE = RecordingState.RECORDING_STATE_READY


@pytest.fixture
def service() -> Iterator[EventService]:
    with EventService() as service:
        yield service


@pytest.fixture
def client(service: EventService) -> Iterator[RecordingsClient]:
    with quick(service) as client:
        yield client


def quick(service: EventService) -> RecordingsClient:
    """A client that is quick to try again."""
    return RecordingsClient(
        service.target, resume_initial_backoff=0.01, resume_max_backoff=0.05, resume_attempts=1000, stall_timeout=10.0
    )


def happens(service: EventService, count: int, *, first: int) -> None:
    add_events(service.world.catalogue.adapter, count, first=first)


def revision(message: WatchRecordingsResponse) -> int:
    assert message.HasField("event")
    assert message.event.revision == message.after_revision
    return message.event.revision


def test_what_matches_comes_first_and_then_each_event(service: EventService, client: RecordingsClient) -> None:
    happens(service, 2, first=1)
    with client.watch_events() as watch:
        snapshot = [next(watch), next(watch)]
        assert all(message.recording.state == READY_STATE and not message.HasField("event") for message in snapshot)
        assert next(watch).snapshot_complete
        # Numbered by the feed's first reader: what the snapshot has comes once more, and nothing is missed.
        assert [revision(next(watch)) for _ in range(2)] == [1, 2]
        happens(service, 1, first=3)
        assert revision(next(watch)) == 3


def test_it_goes_on_where_it_was_through_restarts_of_the_service(
    service: EventService, client: RecordingsClient
) -> None:
    with client.watch_events(after_revision=0) as watch:
        for number in range(1, 10, 3):
            happens(service, 1, first=number)
            assert revision(next(watch)) == number
            service.stop()
            happens(service, 2, first=number + 1)
            service.start()
            assert [revision(next(watch)) for _ in range(2)] == [number + 1, number + 2]


def test_a_client_that_starts_again_goes_on_after_what_it_has_kept(service: EventService) -> None:
    happens(service, 6, first=1)
    kept, seen = 0, []
    for _ in range(3):
        with quick(service) as client, client.watch_events(after_revision=kept) as watch:
            for _ in range(2):
                message = next(watch)
                seen.append(revision(message))
                kept = message.after_revision
    assert seen == [1, 2, 3, 4, 5, 6]


def test_only_what_is_asked_for_comes(service: EventService, client: RecordingsClient) -> None:
    happens(service, 2, first=1)
    change(service.world.catalogue.adapter, another(1), state=DELETED)
    with client.watch_events(after_revision=0, states=[RecordingState.RECORDING_STATE_DELETED]) as watch:
        message = next(watch)
    assert message.event.type == EventType.EVENT_TYPE_RECORDING_DELETED
    assert (message.after_revision, message.recording.recording_sid) == (3, another(1).recording_sid)


def test_how_far_the_feed_has_come_is_told_and_gone_on_from(
    service: EventService, client: RecordingsClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recording_service.core.watching_events.PROGRESS_SECONDS", 0.05)
    happens(service, 4, first=1)
    with client.watch_events(after_revision=0, account_sids=["AC" + "c" * 32]) as watch:
        message = next(watch)
        assert not message.HasField("event")
        assert message.after_revision == 4
        service.stop()
        forget_oldest(service.world.catalogue.adapter, 4)
        service.start()
        happens(service, 1, first=5)
        # Asked for after 4, which is kept as a place though nothing before it is.
        assert next(watch).after_revision == 5


def test_a_revision_that_is_not_kept_is_told_with_the_oldest(service: EventService, client: RecordingsClient) -> None:
    happens(service, 3, first=1)
    service.world.catalogue.adapter.number_events()
    forget_oldest(service.world.catalogue.adapter, 2)
    with pytest.raises(errors.RevisionLost) as lost:
        next(client.watch_events(after_revision=1))
    assert lost.value.oldest_revision == 3
    with pytest.raises(errors.RevisionLost) as ahead:
        next(client.watch_events(after_revision=9))
    assert ahead.value.oldest_revision is None


def test_closing_ends_a_watch_that_somebody_reads(service: EventService, client: RecordingsClient) -> None:
    watch = client.watch_events(after_revision=0)
    closing = threading.Timer(0.1, watch.close)
    closing.start()
    assert list(watch) == []
    closing.join()


def test_a_watch_has_its_time(client: RecordingsClient) -> None:
    with pytest.raises(errors.DeadlineExceeded):
        next(client.watch_events(after_revision=0, timeout=0.2))


def test_a_quiet_feed_is_no_setback(service: EventService, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_resuming_watch, "DEFAULTS", QUICKLY_OVER)
    with (
        RecordingsClient(service.target, resume_attempts=1, resume_max_backoff=0.01) as client,
        client.watch_events(after_revision=0) as watch,
    ):
        happening = threading.Timer(QUIET_SECONDS, happens, (service, 1), {"first": 1})
        happening.start()
        assert revision(next(watch)) == 1
        happening.join()


@in_loop
async def test_nor_is_it_for_the_asynchronous_flavour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resuming_watch, "DEFAULTS", QUICKLY_OVER)
    with EventService() as service:
        async with (
            AsyncRecordingsClient(service.target, resume_attempts=1, resume_max_backoff=0.01) as client,
            client.watch_events(after_revision=0) as watch,
        ):
            happening = threading.Timer(QUIET_SECONDS, happens, (service, 1), {"first": 1})
            happening.start()
            assert revision(await anext(watch)) == 1
            happening.join()


@in_loop
async def test_the_asynchronous_flavour_goes_on_where_it_was_as_well() -> None:
    with EventService() as service:
        happens(service, 1, first=1)
        async with AsyncRecordingsClient(
            service.target, resume_initial_backoff=0.01, resume_max_backoff=0.05, resume_attempts=1000
        ) as client:
            async with client.watch_events() as watch:
                first = await anext(watch)
                assert first.recording.state == READY_STATE
                assert (await anext(watch)).snapshot_complete
                assert revision(await anext(watch)) == 1
                await asyncio.to_thread(service.stop)
                happens(service, 2, first=2)
                await asyncio.to_thread(service.start)
                assert [revision(await anext(watch)) for _ in range(2)] == [2, 3]
            forget_oldest(service.world.catalogue.adapter, 3)
            with pytest.raises(errors.RevisionLost):
                await anext(client.watch_events(after_revision=0))
            with pytest.raises(errors.DeadlineExceeded):
                await anext(client.watch_events(after_revision=3, timeout=0.2))


def test_a_service_that_knows_no_events_is_not_mistaken_for_one_that_does() -> None:
    place = EventPlace(WatchRecordingsRequest(after_revision=3))
    for message in (WatchRecordingsResponse(matches=True), WatchRecordingsResponse(after_revision=3)):
        with pytest.raises(errors.ContractBroken):
            place.take(message)
    assert not place.take(WatchRecordingsResponse(after_revision=5))
    assert place.request().after_revision == 5
