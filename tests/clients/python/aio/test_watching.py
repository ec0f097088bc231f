"""Watching over a real connection: what it goes on after, and when it ends."""

import asyncio
import dataclasses
import gc

import grpc
import pytest

from recordings import errors
from recordings._defaults import DEFAULTS
from recordings.aio import RecordingsClient, resuming_watch, watching
from recordings.v1.recording_pb2 import FailureReason, Recording, RecordingState
from recordings.v1.watch_pb2 import WatchUntil
from tests.clients.python.aio.conftest import Connect
from tests.clients.python.aio.in_loop import in_loop, until
from tests.http_api.fake_recordings import RECORDING, Failure, FakeRecordings, FakeServer, Hang

QUEUED = RecordingState.RECORDING_STATE_QUEUED
DOWNLOADING = RecordingState.RECORDING_STATE_DOWNLOADING
READY = RecordingState.RECORDING_STATE_READY
FAILED = RecordingState.RECORDING_STATE_FAILED
DELETED = RecordingState.RECORDING_STATE_DELETED
UNAVAILABLE = Failure(grpc.StatusCode.UNAVAILABLE, "SERVER_DRAINING")


async def looks(client: RecordingsClient) -> list[tuple[RecordingState, int]]:
    async with client.watch(RECORDING) as watch:
        return [(recording.state, recording.revision) async for recording in watch]


@in_loop
async def test_a_look_comes_at_once_and_one_after_each_change_until_the_service_ends_it(
    connect: Connect, recordings: FakeRecordings
) -> None:
    recordings.add(b"", state=QUEUED)
    async with connect() as client:
        watching = asyncio.create_task(looks(client))
        await until(lambda: recordings.of("WatchRecording"))
        await asyncio.sleep(0.1)
        recordings.change(RECORDING, state=DOWNLOADING)
        await asyncio.sleep(0.1)
        recordings.change(RECORDING, state=READY)
        assert await watching == [(QUEUED, 0), (DOWNLOADING, 1), (READY, 2)]
    assert [request.until for request in recordings.of("WatchRecording")] == [WatchUntil.WATCH_UNTIL_READY]


@in_loop
async def test_it_goes_on_through_a_restart_and_gives_each_revision_once(
    connect: Connect, recordings: FakeRecordings, server: FakeServer
) -> None:
    recordings.add(b"", state=QUEUED)
    async with connect(resume_attempts=1000, resume_max_backoff=0.05) as client:
        watching = asyncio.create_task(looks(client))
        await until(lambda: recordings.of("WatchRecording"))
        await asyncio.sleep(0.1)
        await asyncio.to_thread(server.stop)
        recordings.reset()
        recordings.add(b"", state=QUEUED)
        await asyncio.to_thread(server.start)
        await until(lambda: recordings.of("WatchRecording"), within=10)
        await asyncio.sleep(0.1)
        recordings.change(RECORDING, state=READY)
        assert await watching == [(QUEUED, 0), (READY, 1)]


@pytest.mark.parametrize(
    "how",
    [
        UNAVAILABLE,
        Failure(grpc.StatusCode.RESOURCE_EXHAUSTED, "CAPACITY_EXHAUSTED", retry_seconds=0),
    ],
    ids=str,
)
@in_loop
async def test_a_stream_that_can_not_be_had_is_opened_again(
    connect: Connect, recordings: FakeRecordings, how: Failure
) -> None:
    recordings.add(b"")
    recordings.answers["WatchRecording"] = [how, how, None]
    async with connect() as client:
        assert await looks(client) == [(READY, 0)]


@pytest.mark.parametrize("code", [grpc.StatusCode.INTERNAL, grpc.StatusCode.CANCELLED], ids=str)
@in_loop
async def test_a_stream_that_is_cut_in_the_middle_is_opened_again(
    connect: Connect, recordings: FakeRecordings, code: grpc.StatusCode
) -> None:
    recordings.add(b"", state=QUEUED)
    async with connect() as client:
        watching = asyncio.create_task(looks(client))
        await until(lambda: recordings.of("WatchRecording"))
        await asyncio.sleep(0.1)
        recordings.cut_watches = Failure(code)
        await until(lambda: len(recordings.of("WatchRecording")) > 1)
        recordings.cut_watches = None
        recordings.change(RECORDING, state=READY)
        assert await watching == [(QUEUED, 0), (READY, 1)]


@in_loop
async def test_the_streams_own_deadline_is_no_end(
    connect: Connect, recordings: FakeRecordings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resuming_watch, "DEFAULTS", dataclasses.replace(DEFAULTS, watch_timeout=0.2))
    recordings.add(b"", state=QUEUED)
    async with connect(resume_attempts=1) as client:
        looking = asyncio.create_task(looks(client))
        await until(lambda: len(recordings.of("WatchRecording")) >= 3)
        recordings.change(RECORDING, state=READY)
        assert await looking == [(QUEUED, 0), (READY, 1)]


@pytest.mark.parametrize(
    ("how", "kind"),
    [
        (Failure(grpc.StatusCode.NOT_FOUND, "RECORDING_NOT_FOUND"), errors.RecordingNotFound),
        (Failure(grpc.StatusCode.RESOURCE_EXHAUSTED, "CAPACITY_EXHAUSTED"), errors.CapacityExhausted),
        (Failure(grpc.StatusCode.INTERNAL, "INTERNAL"), errors.InternalError),
        (Failure(grpc.StatusCode.INVALID_ARGUMENT, "INVALID_REQUEST", fields=["recording_sid"]), errors.InvalidRequest),
    ],
)
@in_loop
async def test_a_refusal_ends_it(
    connect: Connect, recordings: FakeRecordings, how: Failure, kind: type[errors.RecordingsError]
) -> None:
    recordings.answers["WatchRecording"] = [how]
    async with connect() as client:
        watch = client.watch(RECORDING, timeout=10)
        with pytest.raises(kind):
            await anext(watch)
        # As a generator that has raised.
        with pytest.raises(StopAsyncIteration):
            await anext(watch)
    assert len(recordings.of("WatchRecording")) == 1


@in_loop
async def test_without_a_timeout_it_gives_up_after_so_many_attempts(
    connect: Connect, recordings: FakeRecordings
) -> None:
    recordings.answers["WatchRecording"] = [UNAVAILABLE]
    async with connect(resume_attempts=3) as client:
        with pytest.raises(errors.Unavailable):
            await looks(client)
    assert len(recordings.of("WatchRecording")) == 1 + 3


@pytest.mark.parametrize("answer", [UNAVAILABLE, Hang()], ids=str)
@in_loop
async def test_with_a_timeout_it_goes_on_until_then(
    connect: Connect, recordings: FakeRecordings, answer: Failure | Hang
) -> None:
    recordings.answers["WatchRecording"] = [answer]
    began = asyncio.get_running_loop().time()
    async with connect(resume_attempts=1, resume_max_backoff=0.01) as client:
        with pytest.raises(errors.DeadlineExceeded) as over:
            await client.wait_until_ready(RECORDING, timeout=0.5)
    assert 0.4 < asyncio.get_running_loop().time() - began < 5
    assert over.value.code is grpc.StatusCode.DEADLINE_EXCEEDED
    assert isinstance(over.value, TimeoutError)
    await until(lambda: isinstance(answer, Failure) or recordings.watches_ended)


@in_loop
async def test_a_watch_that_ends_before_its_first_look_breaks_the_contract(
    connect: Connect, recordings: FakeRecordings
) -> None:
    recordings.add(b"", state=QUEUED)
    async with connect() as client:
        watch = client.watch(RECORDING)
        recordings.answers["WatchRecording"] = [Failure(grpc.StatusCode.OK)]
        with pytest.raises(errors.ContractBroken):
            await anext(watch)


@in_loop
async def test_waiting_gives_the_ready_recording(connect: Connect, recordings: FakeRecordings) -> None:
    recordings.add(b"abc", state=DOWNLOADING)
    async with connect() as client:
        waiting = asyncio.create_task(client.wait_until_ready(RECORDING, None))
        await until(lambda: recordings.of("WatchRecording"))
        recordings.change(RECORDING, state=READY)
        assert (await waiting).size_bytes == 3


@in_loop
async def test_waiting_for_what_will_not_come_says_why(connect: Connect, recordings: FakeRecordings) -> None:
    recordings.add(b"", state=FAILED, failure_reason=FailureReason.FAILURE_REASON_SOURCE_ABSENT)
    async with connect() as client:
        with pytest.raises(errors.RecordingFailed) as failed:
            await client.wait_until_ready(RECORDING, 5)
        assert failed.value.failure_reason == "SOURCE_ABSENT"
        recordings.add(b"", state=DELETED)
        with pytest.raises(errors.RecordingNotFound):
            await client.wait_until_ready(RECORDING, 5)


@in_loop
async def test_closing_cancels_the_stream_at_once_and_ends_whoever_waits(
    connect: Connect, recordings: FakeRecordings
) -> None:
    recordings.add(b"", state=QUEUED)
    async with connect() as client:
        watch = client.watch(RECORDING)
        assert (await anext(watch)).state == QUEUED
        waiting = asyncio.create_task(_next(watch))
        await asyncio.sleep(0.05)
        await watch.aclose()
        await watch.aclose()
        assert await waiting is None
        await until(lambda: recordings.watches_ended == [RECORDING], within=1)


async def _next(watch: watching.RecordingWatch) -> Recording | None:
    return await anext(watch, None)


@in_loop
async def test_a_closed_client_ends_its_watches(connect: Connect, recordings: FakeRecordings) -> None:
    recordings.add(b"", state=QUEUED)
    client = connect()
    watch = client.watch(RECORDING)
    await anext(watch)
    waiting = asyncio.create_task(_next(watch))
    await asyncio.sleep(0.05)
    await client.close()
    with pytest.raises(errors.ClientClosed):
        await waiting
    await until(lambda: recordings.watches_ended == [RECORDING], within=1)


@in_loop
async def test_abandoning_a_watch_cancels_its_stream(connect: Connect, recordings: FakeRecordings) -> None:
    recordings.add(b"", state=QUEUED)
    async with connect() as client:
        watch = client.watch(RECORDING)
        await anext(watch)
        del watch
        gc.collect()
        await until(lambda: recordings.watches_ended == [RECORDING], within=2)


@in_loop
async def test_a_look_that_its_caller_has_stopped_waiting_for_is_not_lost(
    connect: Connect, recordings: FakeRecordings
) -> None:
    recordings.add(b"", state=QUEUED)
    async with connect() as client, client.watch(RECORDING) as watch:
        await anext(watch)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await anext(watch)
        recordings.change(RECORDING, state=READY)
        assert [recording.state async for recording in watch] == [READY]
    assert len(recordings.of("WatchRecording")) == 1
