"""A restored backup: an older catalogue beside a newer shelf, and the other way round, whatever Redis remembers.

Nothing lies, and what can be had again is, by itself and within 75 seconds.
"""

import json
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, closing
from functools import partial
from itertools import takewhile
from pathlib import Path

import grpc
import pytest
import requests

from recording_service.adapters.embedded_redis import EmbeddedRedis
from recording_service.adapters.redis_client import api_client
from recording_service.adapters.sql_catalogue import SqlCatalogue
from recording_service.twilio_stand_in import answers
from recording_service.twilio_stand_in.script import FOREVER
from recording_service.twilio_stand_in.server import TwilioStandIn
from recordings import RecordingsClient
from recordings.errors import RevisionLost
from recordings.v1 import deletion_pb2, enqueue_pb2, recording_pb2
from tests.support.commands import run
from tests.support.databases import DATABASES, postgresql_schema
from tests.support.events import add_events
from tests.support.restoring import (
    back_up,
    date_back,
    forget_redis,
    objects_of,
    restore_catalogue,
    restore_shelf,
    row_of,
)
from tests.support.running_service import (
    ACCOUNT_SID,
    RunningService,
    error_reason,
    running_service,
    seconds_since,
)
from tests.support.waiting import eventually

#: Within what everything that was in flight is READY again (issue 3).
RECOVERY_SECONDS = 75.0

#: How many failures a recording that Twilio does not have is given, but one (core/retry.py).
NEARLY_GIVEN_UP = 35


@pytest.fixture(params=["the old Redis", "an empty Redis"])
def is_redis_empty(request: pytest.FixtureRequest) -> bool:
    return bool(request.param == "an empty Redis")


def serving(folder: Path, twilio: TwilioStandIn, **variables: str) -> AbstractContextManager[RunningService]:
    return running_service(folder, twilio, **{"RECORDING_TIME_SCALE": "0.1", "RECORDING_WORKERS": "1", **variables})


def new(service: RunningService, count: int = 1) -> list[str]:
    """Enqueues recordings that nobody has asked for before."""
    recording_sids = [service.twilio.add_recording(duration=4).recording_sid for _ in range(count)]
    for recording_sid in recording_sids:
        assert service.enqueue(recording_sid).reason == enqueue_pb2.ENQUEUE_REASON_ENQUEUED
    return recording_sids


def delete(service: RunningService, recording_sid: str) -> None:
    request = deletion_pb2.DeleteRecordingRequest(account_sid=ACCOUNT_SID, recording_sid=recording_sid)
    service.stub.DeleteRecording(request, timeout=10)


def assert_whole(service: RunningService, recording_sid: str) -> None:
    """The catalogue, the shelf and both ways of playing agree with Twilio, and there is one object."""
    media = service.twilio.media(recording_sid)
    assert service.stream(recording_sid) == media
    assert requests.get(f"{service.http_url}/recordings/{recording_sid}/stream", timeout=10).content == media
    row = row_of(service.data_dir, recording_sid)
    assert row is not None
    wanted = {Path(row["object_key"]).name: media}
    # What other attempts left behind goes just after the row has become READY.
    eventually(lambda: objects_of(service.data_dir, recording_sid) == wanted, what="one object, and that whole")


def has_moved_on(data_dir: Path, recording_sid: str) -> bool:
    """Whether the walk over the shelf has come to a row that was restored as READY and is not."""
    row = row_of(data_dir, recording_sid)
    return row is not None and row["attempt"] > 1


def truthful_reason(service: RunningService, recording_sid: str) -> int:
    """What an enqueue answers, compared with what catalogue and shelf hold then."""
    reason = service.enqueue(recording_sid).reason
    row = row_of(service.data_dir, recording_sid)
    assert row is not None
    if reason == enqueue_pb2.ENQUEUE_REASON_CACHED:
        assert row["state"] == "ready"
        objects = objects_of(service.data_dir, recording_sid)
        assert objects[Path(row["object_key"]).name] == service.twilio.media(recording_sid)
        assert row["processing_state"] == "done"
        return reason
    assert reason in (enqueue_pb2.ENQUEUE_REASON_ENQUEUED, enqueue_pb2.ENQUEUE_REASON_DUPLICATE)
    if row["state"] == "ready":
        # Of what is here only the processing is on its way, or was a moment ago.
        assert row["processing_rung_time"] is not None or row["processing_attempt"] > 1
    else:
        assert row["state"] in ("queued", "downloading")
        assert row["rung_time"] is not None or row["attempt"] > 1
    return reason


class History:
    """A service that was backed up and went on: what had become of each recording at the backup, and since."""

    def __init__(self, folder: Path, twilio: TwilioStandIn) -> None:
        self.folder = folder
        self.backup = folder / "backup"
        self.data_dir = folder / "data"
        with serving(folder, twilio) as service:
            [self.ready, self.deleted_since] = new(service, 2)
            for recording_sid in (self.ready, self.deleted_since):
                service.processed(recording_sid)
            [self.downloading] = held = [twilio.add_recording(duration=4).recording_sid]
            gate = twilio.hold(self.downloading, after=1000)
            service.enqueue(self.downloading)
            gate.wait_reached()
            self.queued = new(service, 4)
            back_up(service, self.backup)
            gate.release()
            for recording_sid in held + self.queued:
                service.ready(recording_sid)
            self.since = new(service, 3)
            for recording_sid in self.since:
                service.ready(recording_sid)
            delete(service, self.deleted_since)
            self.in_flight_since = twilio.add_recording(duration=4).recording_sid
            gate = twilio.hold(self.in_flight_since)
            service.enqueue(self.in_flight_since)
            gate.wait_reached()
            # As the end of a host: nobody gives anything back.
            service.process.kill()
            service.process.wait()
            gate.release()
        date_back(self.data_dir / "recordings")


@pytest.fixture
def history(tmp_path: Path, twilio: TwilioStandIn) -> History:
    return History(tmp_path, twilio)


# An older catalogue beside a newer shelf


def test_what_was_in_flight_at_the_backup_is_ready_again_though_nobody_asks(
    history: History, twilio: TwilioStandIn, is_redis_empty: bool
) -> None:
    restore_catalogue(history.backup, history.data_dir)
    if is_redis_empty:
        forget_redis(history.data_dir)
    assert row_of(history.data_dir, history.queued[0])["state"] == "queued"  # type: ignore[index]

    started = time.monotonic()
    with serving(history.folder, twilio) as service:
        for recording_sid in (history.downloading, *history.queued):
            service.ready(recording_sid, within=RECOVERY_SECONDS - seconds_since(started))
        for recording_sid in (history.ready, history.downloading, *history.queued):
            assert_whole(service, recording_sid)
        assert len(twilio.wait_for_requests(recording_sid=history.ready)) == 1, "what was READY is not fetched again"


def test_every_enqueue_after_a_restore_is_answered_by_what_catalogue_and_shelf_hold(
    history: History, twilio: TwilioStandIn, is_redis_empty: bool
) -> None:
    restore_catalogue(history.backup, history.data_dir)
    if is_redis_empty:
        forget_redis(history.data_dir)
    everything = [
        history.ready,
        history.deleted_since,
        history.downloading,
        *history.queued,
        *history.since,
        history.in_flight_since,
    ]

    with serving(history.folder, twilio, RECORDING_WORKERS="0") as service:
        reasons = {recording_sid: truthful_reason(service, recording_sid) for recording_sid in everything}
        again = {recording_sid: truthful_reason(service, recording_sid) for recording_sid in everything}
    assert reasons[history.ready] == enqueue_pb2.ENQUEUE_REASON_CACHED
    # Its row is not known, nor are its bytes: Redis, which remembers its bell, has no say.
    assert reasons[history.in_flight_since] == enqueue_pb2.ENQUEUE_REASON_ENQUEUED
    assert again[history.in_flight_since] == enqueue_pb2.ENQUEUE_REASON_DUPLICATE
    for recording_sid in (history.downloading, *history.queued):
        assert again[recording_sid] == enqueue_pb2.ENQUEUE_REASON_DUPLICATE

    started = time.monotonic()
    with serving(history.folder, twilio) as service:
        for recording_sid in everything:
            service.ready(recording_sid, within=RECOVERY_SECONDS - seconds_since(started))
            assert_whole(service, recording_sid)


def test_what_was_deleted_since_the_backup_comes_back_until_it_is_deleted_again(
    history: History, twilio: TwilioStandIn
) -> None:
    restore_catalogue(history.backup, history.data_dir)

    with serving(history.folder, twilio) as service:
        # The restored row says READY until the walk over the shelf comes to it; then it is fetched again.
        eventually(lambda: objects_of(history.data_dir, history.deleted_since), what="the recording's return")
        service.ready(history.deleted_since)
        assert_whole(service, history.deleted_since)

        delete(service, history.deleted_since)
        with pytest.raises(grpc.RpcError) as refused:
            service.get(history.deleted_since)
        assert error_reason(refused.value) == (grpc.StatusCode.NOT_FOUND, "RECORDING_NOT_FOUND")
        assert objects_of(history.data_dir, history.deleted_since) == {}


def test_deletions_can_be_repeated_before_anything_is_fetched(history: History, twilio: TwilioStandIn) -> None:
    restore_catalogue(history.backup, history.data_dir)
    asked_before = len(twilio.requests)

    with serving(history.folder, twilio, RECORDING_WORKERS="0") as service:
        delete(service, history.deleted_since)
    with serving(history.folder, twilio) as service:
        service.ready(history.queued[-1])
        with pytest.raises(grpc.RpcError):
            service.get(history.deleted_since)
    assert history.deleted_since not in {request.recording_sid for request in twilio.requests[asked_before:]}


def test_what_the_restored_catalogue_does_not_know_is_playable_again_by_itself(
    history: History, twilio: TwilioStandIn, is_redis_empty: bool
) -> None:
    restore_catalogue(history.backup, history.data_dir)
    if is_redis_empty:
        forget_redis(history.data_dir)
    for recording_sid in history.since:
        twilio.set_status(recording_sid, "absent")  # the shelf has the only bytes there are
    started = time.monotonic()

    with serving(history.folder, twilio) as service:

        def known(recording_sid: str) -> bool:
            row = row_of(history.data_dir, recording_sid)
            return row is not None and row["state"] == "ready"

        for recording_sid in history.since:
            within = RECOVERY_SECONDS - seconds_since(started)
            eventually(partial(known, recording_sid), within=within, what="the row")
            assert_whole(service, recording_sid)
            playable = service.enqueue(recording_sid, job=recording_pb2.RECORDING_JOB_DOWNLOAD_ONLY)
            assert playable.reason == enqueue_pb2.ENQUEUE_REASON_CACHED


def test_attempts_that_meet_objects_of_their_names_end_with_whole_bytes(
    history: History, twilio: TwilioStandIn
) -> None:
    restore_catalogue(history.backup, history.data_dir)
    rotten, short, foreign, whole = history.queued
    for recording_sid in history.queued:
        folder = history.data_dir / "recordings" / ACCOUNT_SID / recording_sid
        media = twilio.media(recording_sid)
        [found] = folder.iterdir()
        assert found.read_bytes() == media
        found.unlink()
        body = {rotten: media[:-1] + b"?", short: media[:-1], foreign: b"another recording", whole: media}
        # Whichever numbers the attempts will have.
        for attempt in (1, 2, 3):
            (folder / f"{attempt}.mp3").write_bytes(body[recording_sid])
    started = time.monotonic()

    with serving(history.folder, twilio) as service:
        for recording_sid in history.queued:
            recording = service.ready(recording_sid, within=RECOVERY_SECONDS - seconds_since(started))
            assert_whole(service, recording_sid)
            assert (recording.attempt > 3) == (recording_sid != whole)


# A newer catalogue beside an older shelf


def test_ready_rows_without_their_objects_are_fetched_again_by_themselves(
    tmp_path: Path, twilio: TwilioStandIn, is_redis_empty: bool
) -> None:
    backup, data_dir = tmp_path / "backup", tmp_path / "data"
    with serving(tmp_path, twilio) as service:
        [kept, shortened, deleted] = before = new(service, 3)
        for recording_sid in before:
            service.ready(recording_sid)
        back_up(service, backup)
        [lost, read_early] = since = new(service, 2)
        for recording_sid in since:
            service.ready(recording_sid)
        delete(service, deleted)
    restore_shelf(backup, data_dir)
    [cut] = (data_dir / "recordings").glob(f"AC*/{shortened}/*")
    os.truncate(cut, 1000)
    date_back(data_dir / "recordings")
    if is_redis_empty:
        forget_redis(data_dir)
    gates = [twilio.hold(recording_sid) for recording_sid in (lost, shortened, read_early)]
    started = time.monotonic()

    with serving(tmp_path, twilio, RECORDING_WORKERS="3") as service:
        for recording_sid in (read_early, shortened):
            with pytest.raises(grpc.RpcError) as refused:
                service.stream(recording_sid)
            assert error_reason(refused.value) in (
                (grpc.StatusCode.DATA_LOSS, "RECORDING_TRUNCATED"),
                (grpc.StatusCode.FAILED_PRECONDITION, "RECORDING_NOT_READY"),
            )
            played = requests.get(f"{service.http_url}/recordings/{recording_sid}/stream", timeout=10)
            assert played.status_code in (202, 500)
            assert truthful_reason(service, recording_sid) != enqueue_pb2.ENQUEUE_REASON_CACHED
        for gate in gates:
            gate.release()

        for recording_sid in (lost, read_early, shortened):
            eventually(partial(has_moved_on, data_dir, recording_sid), what="the walk over the shelf")
            service.ready(recording_sid, within=RECOVERY_SECONDS - seconds_since(started))
            assert_whole(service, recording_sid)
        assert_whole(service, kept)
        assert len(twilio.wait_for_requests(recording_sid=kept)) == 1
        # The shelf has its bytes back, the catalogue knows better.
        eventually(lambda: objects_of(data_dir, deleted) == {}, what="the end of what was deleted")
        with pytest.raises(grpc.RpcError):
            service.get(deleted)


def test_a_lost_object_that_twilio_has_no_more_ends_failed_with_a_reason(tmp_path: Path, twilio: TwilioStandIn) -> None:
    backup, data_dir = tmp_path / "backup", tmp_path / "data"
    with serving(tmp_path, twilio) as service:
        back_up(service, backup)
        [gone] = new(service)
        service.ready(gone)
    restore_shelf(backup, data_dir)
    twilio.behave(gone, answers.not_found(), times=FOREVER)

    with serving(tmp_path, twilio) as service:

        def is_tried() -> bool:
            row = row_of(data_dir, gone)
            return row is not None and row["state"] == "queued" and row["failures_by_reason"] != "{}"

        eventually(is_tried, within=RECOVERY_SECONDS, what="the first attempt")
    # A 404 is given a day: all of it but the last attempt is taken for passed.
    with closing(sqlite3.connect(data_dir / "catalogue.sqlite3")) as connection, connection:
        spent = json.dumps({"source_not_found": NEARLY_GIVEN_UP})
        changed = connection.execute("UPDATE recordings SET failures_by_reason = ? WHERE state = 'queued'", (spent,))
        assert changed.rowcount == 1

    with serving(tmp_path, twilio) as service:
        [*_, last] = service.watch(gone)
        assert last.state == recording_pb2.RECORDING_STATE_FAILED
        assert last.failure_reason == recording_pb2.FAILURE_REASON_SOURCE_NOT_FOUND
        with pytest.raises(grpc.RpcError) as refused:
            service.stream(gone)
        assert error_reason(refused.value) == (grpc.StatusCode.FAILED_PRECONDITION, "RECORDING_FAILED")
        assert requests.get(f"{service.http_url}/recordings/{gone}/stream", timeout=10).status_code == 424


# The feed of events


def test_a_reader_who_has_read_beyond_the_backup_begins_anew_and_misses_nothing(
    tmp_path: Path, twilio: TwilioStandIn
) -> None:
    with serving(tmp_path, twilio) as service, RecordingsClient(service.grpc_address) as client:
        back_up(service, tmp_path / "backup")
        [lost] = new(service)
        service.ready(lost)
        kept = next(client.watch_events(after_revision=0)).after_revision
    restore_catalogue(tmp_path / "backup", tmp_path / "data")

    with serving(tmp_path, twilio) as service, RecordingsClient(service.grpc_address) as client:
        # The feed comes further than it had before the reader is back.
        since = new(service, 2)
        for recording_sid in since:
            service.processed(recording_sid)
        with pytest.raises(RevisionLost):
            next(client.watch_events(after_revision=kept))
        with client.watch_events() as watch:
            snapshot = list(takewhile(lambda message: not message.snapshot_complete, watch))
            assert {message.recording.recording_sid for message in snapshot} == set(since)
            delete(service, since[0])
            told = next(message for message in watch if message.HasField("event"))
            assert told.recording.recording_sid == since[0]


@pytest.mark.parametrize("database", DATABASES)
def test_whoever_says_that_a_catalogue_was_restored_has_its_feed_begin_anew(tmp_path: Path, database: str) -> None:
    with ExitStack() as stack:
        is_sqlite = database == "sqlite"
        url = f"sqlite:///{tmp_path}/catalogue.sqlite3" if is_sqlite else stack.enter_context(postgresql_schema())
        catalogue = stack.enter_context(closing(SqlCatalogue.open(url)))
        add_events(catalogue, 2)
        before = catalogue.number_events()
        variables = {"RECORDING_DATA_DIR": str(tmp_path / "data"), "RECORDING_DATABASE_URL": url}
        said = run("restored", variables=variables)
        assert said.returncode == 0, said.stderr
        position = catalogue.feed_position()
        assert position.pruned_revision == position.revision > before.revision
        assert str(position.revision) in said.stdout


# What Redis remembers


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[EmbeddedRedis]:
    """A Redis that goes on while the service is restored."""
    with EmbeddedRedis(tmp_path / "redis of its own", append_only=False) as running:
        yield running


def test_bells_whose_names_redis_remembers_are_rung_under_others(
    tmp_path: Path, twilio: TwilioStandIn, redis: EmbeddedRedis
) -> None:
    with serving(tmp_path, twilio, RECORDING_REDIS_URL=redis.url, RECORDING_WORKERS="0") as service:
        waiting = new(service, 3)
        back_up(service, tmp_path / "backup")
    restore_catalogue(tmp_path / "backup", tmp_path / "data")
    client = api_client(redis.url)
    client.delete("rq:queue:recordings")
    for recording_sid in waiting:
        for attempt in range(1, 5):
            # A job that has failed is remembered for a day, and its name is not rung again.
            client.hset(f"rq:job:{ACCOUNT_SID}-{recording_sid}-{attempt}", "status", "failed")
    client.close()
    started = time.monotonic()

    with serving(tmp_path, twilio, RECORDING_REDIS_URL=redis.url) as service:
        for recording_sid in waiting:
            recording = service.ready(recording_sid, within=RECOVERY_SECONDS - seconds_since(started))
            assert recording.attempt > 4
            assert_whole(service, recording_sid)
