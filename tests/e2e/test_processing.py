"""What follows the download, in real processes: every step is done once, whatever dies or is forgotten meanwhile."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing
from pathlib import Path

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration
from redis import Redis

from recording_service.transcription_stand_in import FOREVER, TranscriptionStandIn, key_rejected, transcribed
from recording_service.twilio_stand_in.server import TwilioStandIn
from recordings.v1 import deletion_pb2, enqueue_pb2, recording_pb2, results_pb2
from tests.support.redis_server import RedisServer
from tests.support.running_service import ACCOUNT_SID, CALL_SECONDS, RunningService, error_reason
from tests.support.waiting import eventually

API_KEY = "sk-a-key-of-the-tests-0123456789"
DONE, FAILED, SKIPPED = (
    recording_pb2.PROCESSING_STATE_DONE,
    recording_pb2.PROCESSING_STATE_FAILED,
    recording_pb2.PROCESSING_STATE_SKIPPED,
)
READY = recording_pb2.RECORDING_STATE_READY

#: Where a worker dies, or Redis forgets everything: before anything is read, when a step is made and when it is noted.
MOMENTS = [
    "processing.after_claim@1",
    *(f"processing.step_made@{step}" for step in (1, 2, 3)),
    *(f"processing.step_noted@{step}" for step in (1, 2, 3)),
]

Start = Callable[..., AbstractContextManager[RunningService]]


@pytest.fixture
def scribe() -> Iterator[TranscriptionStandIn]:
    """What transcribes."""
    with TranscriptionStandIn(api_key=API_KEY) as stand_in:
        yield stand_in


@pytest.fixture
def start(start_service: Start, scribe: TranscriptionStandIn) -> Start:
    """Starts a service that has its recordings transcribed."""
    variables = {"RECORDING_TRANSCRIPTION_URL": scribe.url, "RECORDING_TRANSCRIPTION_API_KEY": API_KEY}
    return lambda **others: start_service(**{**variables, **others})


def states_of(recording: recording_pb2.Recording) -> list[recording_pb2.ProcessingState]:
    return [status.state for status in recording.processing_steps]


def results(service: RunningService, recording_sid: str) -> tuple[int, list[str]]:
    """What the steps have made: the pixels of the waveform, and what is said."""
    waveform = service.stub.GetWaveform(
        results_pb2.GetWaveformRequest(recording_sid=recording_sid), timeout=CALL_SECONDS
    )
    transcript = service.stub.GetTranscript(
        results_pb2.GetTranscriptRequest(recording_sid=recording_sid), timeout=CALL_SECONDS
    )
    assert len(waveform.peaks) == 2 * waveform.channels * waveform.length
    return waveform.length, [segment.text for segment in transcript.segments]


def artefacts(service: RunningService) -> int:
    with closing(sqlite3.connect(service.data_dir / "catalogue.sqlite3")) as connection:
        ((count,),) = connection.execute("SELECT count(*) FROM artefacts")
    return int(count)


def reached(folder: Path) -> list[str]:
    return [line.split()[1] for line in (folder / "reached").read_text().splitlines()]


def test_a_full_recording_is_probed_drawn_and_written_down(start: Start, twilio: TwilioStandIn) -> None:
    recording_sid = twilio.add_recording(duration=5).recording_sid
    with start() as service:
        service.enqueue(recording_sid, duration=Duration(seconds=5), channels=1)
        recording = service.processed(recording_sid)

        assert states_of(recording) == [DONE, DONE, DONE]
        assert recording.processing_state == DONE
        probe = recording.probe
        assert (probe.codec, probe.channels, list(probe.warnings)) == ("mp3", 1, [])
        assert probe.duration.ToTimedelta().total_seconds() == pytest.approx(5.0, abs=0.05)
        length, said = results(service, recording_sid)
        assert length == pytest.approx(5 * 20, abs=10)
        assert said
        assert service.enqueue(recording_sid).reason == enqueue_pb2.ENQUEUE_REASON_CACHED


def test_a_recording_that_was_only_downloaded_is_processed_when_it_is_asked_for_in_full(
    start: Start, twilio: TwilioStandIn
) -> None:
    recording_sid = twilio.add_recording(duration=2).recording_sid
    with start() as service:
        service.enqueue(recording_sid, job=recording_pb2.RECORDING_JOB_DOWNLOAD_ONLY)
        ready = service.ready(recording_sid)
        assert ready.processing_state == recording_pb2.PROCESSING_STATE_UNSPECIFIED
        request = results_pb2.GetWaveformRequest(recording_sid=recording_sid)
        with pytest.raises(grpc.RpcError) as refused:
            service.stub.GetWaveform(request, timeout=CALL_SECONDS)
        assert error_reason(refused.value)[1] == "STEP_WITHOUT_RESULT"

        assert service.enqueue(recording_sid).reason == enqueue_pb2.ENQUEUE_REASON_ENQUEUED
        recording = service.processed(recording_sid)

        assert states_of(recording) == [DONE, DONE, DONE]
        assert (recording.attempt, recording.sha256) == (ready.attempt, ready.sha256)
        assert service.enqueue(recording_sid).reason == enqueue_pb2.ENQUEUE_REASON_CACHED


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_worker_that_is_killed_in_a_step_leaves_every_step_done_once(
    start: Start, twilio: TwilioStandIn, tmp_path: Path, moment: str
) -> None:
    folder = tmp_path / "failpoints"
    recording_sid = twilio.add_recording(duration=2).recording_sid
    name, _, hit = moment.partition("@")
    with start(RECORDING_FAILPOINTS=f"{name}=kill@{hit}", RECORDING_FAILPOINTS_DIR=str(folder)) as service:
        service.enqueue(recording_sid)
        recording = service.processed(recording_sid)

        assert states_of(recording) == [DONE, DONE, DONE]
        assert results(service, recording_sid)[1]
        names = reached(folder)
        assert names.count("processing.step_noted") == 3
        assert names.count("processing.after_claim") == (1 if moment == "processing.step_noted@3" else 2)
        assert names.count("download.after_ready") == 1


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_redis_that_forgets_everything_in_a_step_leaves_every_step_done_once(
    start: Start, twilio: TwilioStandIn, tmp_path: Path, redis_server: RedisServer, flushed: Redis, moment: str
) -> None:
    folder = tmp_path / "failpoints"
    recording_sid = twilio.add_recording(duration=2).recording_sid
    name, _, hit = moment.partition("@")
    variables = {"RECORDING_REDIS_URL": redis_server.url, "RECORDING_FAILPOINTS": f"{name}=hold@{hit}"}
    with start(**variables, RECORDING_FAILPOINTS_DIR=str(folder)) as service:
        service.enqueue(recording_sid)
        eventually(
            lambda: (folder / "reached").exists() and reached(folder).count(name) == int(hit),
            within=30.0,
            what=f"reaching {moment}",
        )
        flushed.flushall()
        (folder / "release").touch()
        recording = service.processed(recording_sid)

        assert states_of(recording) == [DONE, DONE, DONE]
        assert results(service, recording_sid)[1]
        assert reached(folder).count("processing.step_noted") == 3


def test_a_recording_that_kills_whoever_reads_it_is_given_up_and_stays_playable(
    start: Start, twilio: TwilioStandIn, tmp_path: Path
) -> None:
    folder = tmp_path / "failpoints"
    recording_sid = twilio.add_recording(duration=2).recording_sid
    with start(RECORDING_FAILPOINTS="processing.step_made=kill", RECORDING_FAILPOINTS_DIR=str(folder)) as service:
        service.enqueue(recording_sid)
        recording = service.processed(recording_sid)

        probe, waveform, transcript = recording.processing_steps
        assert (probe.state, probe.reason) == (FAILED, recording_pb2.PROCESSING_REASON_WORKER_CRASHED)
        assert waveform.reason == transcript.reason == recording_pb2.PROCESSING_REASON_PROBE_FAILED
        assert recording.processing_state == FAILED
        assert service.stream(recording_sid) == twilio.media(recording_sid)


def test_what_is_no_sound_fails_its_probe_and_nothing_else(start: Start, twilio: TwilioStandIn) -> None:
    whole = twilio.media(twilio.add_recording(duration=3).recording_sid)
    broken = {
        "cut off in a frame": (whole[:-20], recording_pb2.PROCESSING_REASON_MEDIA_TRUNCATED),
        "a header and noise": (whole[:4] + bytes(range(256)) * 40, None),
    }
    with start() as service:
        for body, reason in broken.values():
            recording_sid = twilio.add_recording(body=body).recording_sid
            service.enqueue(recording_sid)
            recording = service.processed(recording_sid)

            probe, waveform, transcript = recording.processing_steps
            assert probe.state == FAILED
            assert probe.message
            assert reason in (None, probe.reason)
            assert waveform.state == transcript.state == SKIPPED
            assert waveform.reason == transcript.reason == recording_pb2.PROCESSING_REASON_PROBE_FAILED
            assert service.stream(recording_sid) == body
        assert "Traceback" not in service.log


def test_a_transcript_that_failed_is_asked_for_again_and_the_other_steps_are_not(
    start: Start, twilio: TwilioStandIn, scribe: TranscriptionStandIn
) -> None:
    recording_sid = twilio.add_recording(duration=2).recording_sid
    scribe.behave(transcribed().in_language("german"), times=FOREVER)
    with start(RECORDING_TRANSCRIPTION_LANGUAGE="en") as service:
        service.enqueue(recording_sid)
        recording = service.processed(recording_sid)
        assert states_of(recording) == [DONE, DONE, FAILED]
        assert recording.processing_steps[2].reason == (recording_pb2.PROCESSING_REASON_TRANSCRIPTION_WRONG_LANGUAGE)
        scribe.behave_well()

        assert service.enqueue(recording_sid).reason == enqueue_pb2.ENQUEUE_REASON_ENQUEUED
        again = service.processed(recording_sid)

        assert states_of(again) == [DONE, DONE, DONE]
        assert service.log.count("probe done") == service.log.count("waveform done") == 1


def test_a_key_that_is_refused_is_in_no_log_and_the_transcript_comes_once_it_is_accepted(
    start: Start, twilio: TwilioStandIn, scribe: TranscriptionStandIn
) -> None:
    recording_sid = twilio.add_recording(duration=2).recording_sid
    scribe.behave(key_rejected(), times=2)
    with start(RECORDING_LOG_LEVEL="DEBUG") as service:
        service.enqueue(recording_sid)
        assert states_of(service.processed(recording_sid)) == [DONE, DONE, DONE]
        assert API_KEY not in service.log
        assert "refused the API key" in service.log


def test_without_a_server_that_transcribes_the_transcript_is_skipped_and_says_so(
    start_service: Start, twilio: TwilioStandIn
) -> None:
    recording_sid = twilio.add_recording(duration=2).recording_sid
    with start_service() as service:
        service.enqueue(recording_sid)
        recording = service.processed(recording_sid)
        assert states_of(recording) == [DONE, DONE, SKIPPED]
        assert recording.processing_steps[2].reason == recording_pb2.PROCESSING_REASON_NOT_CONFIGURED
        assert recording.processing_state == DONE
        assert service.enqueue(recording_sid).reason == enqueue_pb2.ENQUEUE_REASON_CACHED


def test_a_deleted_recording_leaves_nothing_of_what_was_made(start: Start, twilio: TwilioStandIn) -> None:
    recording_sid = twilio.add_recording(duration=2).recording_sid
    with start() as service:
        service.enqueue(recording_sid)
        service.processed(recording_sid)
        assert artefacts(service) == 2

        deletion = deletion_pb2.DeleteRecordingRequest(account_sid=ACCOUNT_SID, recording_sid=recording_sid)
        service.stub.DeleteRecording(deletion, timeout=CALL_SECONDS)

        request = results_pb2.GetTranscriptRequest(recording_sid=recording_sid)
        with pytest.raises(grpc.RpcError) as refused:
            service.stub.GetTranscript(request, timeout=CALL_SECONDS)
        assert error_reason(refused.value)[1] == "RECORDING_NOT_FOUND"
        assert artefacts(service) == 0
