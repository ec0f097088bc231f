"""The server over the real core: what a client lives through with one recording."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import grpc
import pytest

from recording_service.core.model import Step
from recording_service.core.processor import Made
from recording_service.core.requests import RequestChecker
from recording_service.core.sound import WaveformLevel
from recording_service.core.steps import waveform_content
from recording_service.grpc_api.server import RecordingGrpcServer
from recording_service.grpc_api.settings import GrpcServerSettings
from recordings.v1 import (
    deletion_pb2,
    enqueue_pb2,
    event_pb2,
    lookup_pb2,
    recording_pb2,
    recording_service_pb2_grpc,
    results_pb2,
    stream_pb2,
    watch_pb2,
)
from tests.support.core_world import ACCOUNT, AUDIO, KEY, World
from tests.support.events import add_events, forget_oldest
from tests.support.grpc_server import refused, signer
from tests.support.steps import RUNNERS, Doing

RECORDING = KEY.recording_sid
ENQUEUE = enqueue_pb2.EnqueueRecordingRequest(recording_sid=RECORDING)
DOWNLOAD = enqueue_pb2.EnqueueRecordingRequest(recording_sid=RECORDING, job=recording_pb2.RECORDING_JOB_DOWNLOAD_ONLY)
STREAM = stream_pb2.StreamRecordingRequest(recording_sid=RECORDING)

WAVEFORM = results_pb2.GetWaveformRequest(recording_sid=RECORDING)
DRAWN = WaveformLevel(400, 8000, 1, 2, b"\xff\x01\xfe\x02")


@contextmanager
def served(world: World) -> Iterator[tuple[Any, RecordingGrpcServer]]:
    """A server over the world's core, and a client of it."""
    with closing(world.service()) as service:
        checker = RequestChecker(account_sids={ACCOUNT}, source_hosts=())
        server = RecordingGrpcServer(service, checker, signer(), GrpcServerSettings(address="127.0.0.1:0"))
        port = server.start()
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            yield recording_service_pb2_grpc.RecordingServiceStub(channel), server
        server.stop(0)


def test_a_recording_is_enqueued_watched_streamed_and_deleted() -> None:
    world = World()
    world.script(AUDIO)
    with served(world) as (stub, _):
        assert stub.EnqueueRecording(ENQUEUE).reason == enqueue_pb2.ENQUEUE_REASON_ENQUEUED
        assert stub.EnqueueRecording(ENQUEUE).reason == enqueue_pb2.ENQUEUE_REASON_DUPLICATE
        not_ready = refused(lambda: stub.StreamRecording(STREAM))
        assert (not_ready.code, not_ready.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "RECORDING_NOT_READY")
        watch = stub.WatchRecording(watch_pb2.WatchRecordingRequest(recording_sid=RECORDING))
        assert next(watch).recording.state == recording_pb2.RECORDING_STATE_QUEUED

        world.work()

        assert [look.recording.state for look in watch][-1] == recording_pb2.RECORDING_STATE_READY
        assert stub.EnqueueRecording(ENQUEUE).reason == enqueue_pb2.ENQUEUE_REASON_DUPLICATE
        assert refused(lambda: stub.GetWaveform(WAVEFORM)).reason == "STEP_NOT_DONE"

        drawing = Doing(lambda *_: Made(waveform_content([DRAWN])))
        world.process(world.processor({**RUNNERS, Step.WAVEFORM: drawing}))

        assert stub.GetWaveform(WAVEFORM).peaks == DRAWN.peaks
        assert stub.EnqueueRecording(ENQUEUE).reason == enqueue_pb2.ENQUEUE_REASON_CACHED
        assert b"".join(chunk.data for chunk in stub.StreamRecording(STREAM)) == AUDIO
        listed = stub.ListRecordings(lookup_pb2.ListRecordingsRequest())
        assert [one.recording_sid for one in listed.recordings] == [RECORDING]
        stub.DeleteRecording(deletion_pb2.DeleteRecordingRequest(recording_sid=RECORDING))
        assert refused(lambda: stub.StreamRecording(STREAM)).reason == "RECORDING_NOT_FOUND"
        assert refused(lambda: stub.GetWaveform(WAVEFORM)).reason == "RECORDING_NOT_FOUND"
        assert refused(lambda: stub.EnqueueRecording(ENQUEUE)).reason == "RECORDING_DELETED"


def test_a_list_is_watched_while_a_recording_comes_and_goes() -> None:
    world = World()
    world.script(AUDIO)
    shown = {recording_pb2.RECORDING_STATE_QUEUED, recording_pb2.RECORDING_STATE_READY}
    with served(world) as (stub, _):
        stub.EnqueueRecording(ENQUEUE)
        watch = stub.WatchRecordings(watch_pb2.WatchRecordingsRequest(states=shown, account_sids=[ACCOUNT]), timeout=30)
        first = next(watch)
        assert (first.matches, first.recording.state) == (True, recording_pb2.RECORDING_STATE_QUEUED)
        assert next(watch).snapshot_complete

        def comes(state: int) -> bool:
            look = next(watch)
            assert look.matches is (look.recording.state in shown)
            return bool(look.recording.state == state)

        world.work()
        while not comes(recording_pb2.RECORDING_STATE_READY):
            pass
        stub.DeleteRecording(deletion_pb2.DeleteRecordingRequest(recording_sid=RECORDING))
        while not comes(recording_pb2.RECORDING_STATE_DELETED):
            pass
        watch.cancel()


def test_events_are_watched_from_a_snapshot_on_and_gone_on_with_after_a_break() -> None:
    world = World()
    world.script(AUDIO)
    with served(world) as (stub, _):
        listed = stub.WatchRecordings(watch_pb2.WatchRecordingsRequest(), timeout=30)
        complete = next(listed)
        listed.cancel()
        assert complete.snapshot_complete
        stub.EnqueueRecording(DOWNLOAD)
        world.work()
        asked = watch_pb2.WatchRecordingsRequest(after_revision=complete.after_revision)
        feed = stub.WatchRecordings(asked, timeout=30)
        ready = next(feed)
        feed.cancel()
        stub.DeleteRecording(deletion_pb2.DeleteRecordingRequest(recording_sid=RECORDING))
        feed = stub.WatchRecordings(watch_pb2.WatchRecordingsRequest(after_revision=ready.after_revision), timeout=30)
        deleted = next(feed)
        feed.cancel()

    assert (ready.event.type, ready.event.revision) == (event_pb2.EVENT_TYPE_RECORDING_READY, 1)
    assert (ready.recording.state, ready.matches) == (recording_pb2.RECORDING_STATE_READY, True)
    assert ready.event.event_time == ready.recording.update_time
    assert ready.event.recording_revision == ready.recording.revision
    assert (deleted.event.type, deleted.after_revision) == (event_pb2.EVENT_TYPE_RECORDING_DELETED, 2)
    assert deleted.recording.state == recording_pb2.RECORDING_STATE_DELETED
    assert ready.event.event_id != deleted.event.event_id


@pytest.mark.parametrize(
    ("after_revision", "code", "reason"),
    [
        (-1, grpc.StatusCode.INVALID_ARGUMENT, "INVALID_REQUEST"),
        (0, grpc.StatusCode.OUT_OF_RANGE, "REVISION_PRUNED"),
        (4, grpc.StatusCode.OUT_OF_RANGE, "REVISION_AHEAD"),
    ],
)
def test_events_that_are_not_to_be_had_are_refused(after_revision: int, code: grpc.StatusCode, reason: str) -> None:
    world = World()
    add_events(world.catalogue.adapter, 3)
    world.catalogue.adapter.number_events()
    forget_oldest(world.catalogue.adapter, 2)
    with served(world) as (stub, _):
        request = watch_pb2.WatchRecordingsRequest(after_revision=after_revision)
        found = refused(lambda: stub.WatchRecordings(request, timeout=30))
    assert (found.code, found.reason) == (code, reason)
    assert found.metadata.get("oldestRevision", "3") == "3"


def test_a_watch_of_events_ends_with_the_server() -> None:
    world = World()
    with served(world) as (stub, server):
        feed = stub.WatchRecordings(watch_pb2.WatchRecordingsRequest(after_revision=0), timeout=30)
        add_events(world.catalogue.adapter, 1)
        assert next(feed).event.revision == 1
        server.stop(10)
        assert refused(lambda: feed).reason == "SERVER_DRAINING"


def test_bytes_that_are_gone_are_data_loss_and_are_fetched_again() -> None:
    world = World()
    world.script(AUDIO)
    with served(world) as (stub, _):
        stub.EnqueueRecording(ENQUEUE)
        world.work()
        world.shelf.remove(world.row().object_key)

        lost = refused(lambda: stub.StreamRecording(STREAM))

        assert (lost.code, lost.reason) == (grpc.StatusCode.DATA_LOSS, "RECORDING_TRUNCATED")
        found = stub.GetRecording(lookup_pb2.GetRecordingRequest(recording_sid=RECORDING)).recording
        assert found.state == recording_pb2.RECORDING_STATE_QUEUED
