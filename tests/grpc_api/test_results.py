"""GetWaveform and GetTranscript over a real server, and over the core's own reading of what the steps have made."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import grpc
import pytest

from recording_service.adapters.memory.catalogue import MemoryCatalogue
from recording_service.core import errors
from recording_service.core.callers import Scope
from recording_service.core.model import (
    FailureReason,
    Processing,
    ProcessingState,
    Recording,
    RecordingJob,
    RecordingState,
    Step,
    StepEnd,
    StepReason,
)
from recording_service.core.ports import Artefact
from recording_service.core.requests import Target
from recording_service.core.results import RETRY_SECONDS, Results
from recording_service.core.sound import WaveformLevel
from recording_service.core.steps import transcript_content, waveform_content
from recording_service.grpc_api.conversion import MAX_RESPONSE_BYTES
from recording_service.grpc_api.servicer import COARSEST
from recording_service.transcripts.transcript import Transcript, TranscriptSegment, TranscriptWord
from recordings.v1 import results_pb2
from tests.grpc_api.test_access import bearing, credentials
from tests.support.grpc_server import RunningServer, refused, running_server
from tests.support.grpc_service import ACCOUNT, RECORDING, FakeRecordingService, recording

CODE = grpc.StatusCode
FOREIGN = "AC" + "f" * 32
WAVEFORM = results_pb2.GetWaveformRequest(recording_sid=RECORDING)
TRANSCRIPT = results_pb2.GetTranscriptRequest(recording_sid=RECORDING)
FINE = WaveformLevel(400, 8000, 2, 3, bytes(range(12)))
COARSE = WaveformLevel(8000, 8000, 2, 1, bytes([128, 127, 0, 255]))
SAID = Transcript(
    "en",
    (
        TranscriptSegment(
            timedelta(seconds=1, milliseconds=250),
            timedelta(seconds=2),
            1,
            "Good morning.",
            0.5,
            (
                TranscriptWord(timedelta(seconds=1.25), timedelta(seconds=1.5), "Good", 0.25),
                TranscriptWord(timedelta(seconds=1.5), timedelta(seconds=2), "morning."),
            ),
        ),
        TranscriptSegment(timedelta(seconds=3), timedelta(seconds=4), 0, "Hello?"),
    ),
)
CONTENTS = {Step.WAVEFORM: waveform_content([FINE, COARSE]), Step.TRANSCRIPT: transcript_content(SAID)}
#: How a client asks for what each step makes.
ASKED = {Step.WAVEFORM: ("GetWaveform", WAVEFORM), Step.TRANSCRIPT: ("GetTranscript", TRANSCRIPT)}
steps = pytest.mark.parametrize("step", ASKED)


def processed(**ends: StepEnd) -> Processing:
    """Every step is DONE, but for those in `ends`."""
    done = {step: StepEnd(ProcessingState.DONE) for step in Step}
    return Processing(ProcessingState.DONE, attempt=1, ends=done | {Step[name]: end for name, end in ends.items()})


def processing(state: ProcessingState) -> Processing:
    """The first step is DONE, and the others are in this state."""
    return Processing(state, attempt=1, ends={Step.PROBE: StepEnd(ProcessingState.DONE)})


def holds(service: FakeRecordingService, row: Recording) -> None:
    """The service has this recording, and what the steps have made of some bytes; the core says what that means."""
    catalogue = MemoryCatalogue()
    artefacts = [Artefact(row.key, step, recording().sha256, content) for step, content in CONTENTS.items()]
    catalogue.amend([(row.key, lambda _: row)], artefacts)
    results = Results(catalogue)

    def known(target: Target) -> Recording:
        if target.account_sid not in ("", ACCOUNT) or (
            target.permitted is not None and ACCOUNT not in target.permitted
        ):
            raise errors.RecordingNotFound(target.recording_sid)
        return row

    service.answers["waveform"] = lambda target, pixel: (known(target), results.waveform(row, pixel))
    service.answers["transcript"] = lambda target: (known(target), results.transcript(row))


def ask(server: RunningServer, step: Step, **options: Any) -> Any:
    method, request = ASKED[step]
    return getattr(server.stub, method)(request, timeout=10, **options)


# What is answered


@pytest.mark.parametrize(
    ("samples_per_pixel", "level"),
    [(0, FINE), (1, FINE), (399, FINE), (400, FINE), (7999, FINE), (8000, COARSE), (COARSEST, COARSE)],
)
def test_a_waveform_is_the_coarsest_that_is_fine_enough(
    server: RunningServer, samples_per_pixel: int, level: WaveformLevel
) -> None:
    holds(server.service, recording(processing=processed()))
    request = results_pb2.GetWaveformRequest(recording_sid=RECORDING, samples_per_pixel=samples_per_pixel)

    answer = server.stub.GetWaveform(request)

    assert answer == results_pb2.GetWaveformResponse(
        samples_per_pixel=level.samples_per_pixel,
        sample_rate=8000,
        channels=2,
        length=level.length,
        peaks=level.peaks,
        etag=recording().etag,
    )


def test_a_transcript_has_segments_and_words_with_their_times_and_how_sure_they_are(server: RunningServer) -> None:
    holds(server.service, recording(processing=processed()))

    answer = server.stub.GetTranscript(TRANSCRIPT)

    assert (answer.language, answer.etag) == ("en", recording().etag)
    first, second = answer.segments
    assert (first.start.ToTimedelta(), first.end.ToTimedelta()) == (timedelta(seconds=1.25), timedelta(seconds=2))
    assert (first.channel, first.text, first.confidence) == (1, "Good morning.", 0.5)
    assert [(word.text, word.start.ToTimedelta(), word.end.ToTimedelta()) for word in first.words] == [
        ("Good", timedelta(seconds=1.25), timedelta(seconds=1.5)),
        ("morning.", timedelta(seconds=1.5), timedelta(seconds=2)),
    ]
    assert first.words[0].confidence == 0.25
    assert not first.words[1].HasField("confidence")
    assert (second.channel, second.text, list(second.words)) == (0, "Hello?", [])
    assert not second.HasField("confidence")


def test_where_nobody_says_anything_the_transcript_is_empty(server: RunningServer) -> None:
    server.service.answers["transcript"] = (recording(), Transcript(""))

    assert server.stub.GetTranscript(TRANSCRIPT) == results_pb2.GetTranscriptResponse(etag=recording().etag)


def test_a_waveform_that_clients_would_refuse_for_its_size_is_the_coarser_one(server: RunningServer) -> None:
    length = MAX_RESPONSE_BYTES // 4 + 1
    large = WaveformLevel(400, 8000, 2, length, bytes(4 * length))
    levels = {0: large, COARSEST: COARSE}
    server.service.answers["waveform"] = lambda target, pixel: (recording(), levels[pixel])

    answer = server.stub.GetWaveform(WAVEFORM)

    assert (answer.samples_per_pixel, answer.peaks) == (8000, COARSE.peaks)


def test_a_waveform_that_just_fits_is_sent_as_it_is(server: RunningServer) -> None:
    length = MAX_RESPONSE_BYTES // 4
    server.service.answers["waveform"] = (recording(), WaveformLevel(400, 8000, 2, length, bytes(4 * length)))

    assert server.stub.GetWaveform(WAVEFORM).length == length


def test_a_transcript_that_clients_would_refuse_for_its_size_has_no_words_apart(server: RunningServer) -> None:
    word = TranscriptWord(timedelta(seconds=1), timedelta(seconds=2), "x" * 100)
    segments = tuple(
        TranscriptSegment(timedelta(seconds=at), timedelta(seconds=at + 5), 0, "said", words=(word,) * 10)
        for at in range(5000)
    )
    server.service.answers["transcript"] = (recording(), Transcript("en", segments))

    answer = server.stub.GetTranscript(TRANSCRIPT)

    assert len(answer.segments) == 5000
    assert {segment.text for segment in answer.segments} == {"said"}
    assert not any(segment.words for segment in answer.segments)


# What is refused


@steps
@pytest.mark.parametrize("state", [ProcessingState.PENDING, ProcessingState.RUNNING])
def test_what_is_not_made_yet_says_how_far_it_is_and_when_to_ask_again(
    server: RunningServer, step: Step, state: ProcessingState
) -> None:
    row = recording(processing=processing(state))
    holds(server.service, row)

    found = refused(lambda: ask(server, step))

    assert (found.code, found.reason) == (CODE.FAILED_PRECONDITION, "STEP_NOT_DONE")
    expected = row.processing.state_of(step)
    assert expected is not None
    assert found.metadata == {"recordingSid": RECORDING, "step": step.name, "state": expected.name}
    assert found.retry_seconds == RETRY_SECONDS


@steps
@pytest.mark.parametrize(
    ("state", "reason"),
    [
        (ProcessingState.FAILED, StepReason.MEDIA_BROKEN),
        (ProcessingState.SKIPPED, StepReason.NOT_CONFIGURED),
        (ProcessingState.SKIPPED, StepReason.PROBE_FAILED),
    ],
)
def test_what_will_not_be_made_says_why(
    server: RunningServer, step: Step, state: ProcessingState, reason: StepReason
) -> None:
    holds(server.service, recording(processing=processed(**{step.name: StepEnd(state, reason, "for people")})))

    found = refused(lambda: ask(server, step))

    assert (found.code, found.reason) == (CODE.FAILED_PRECONDITION, "STEP_WITHOUT_RESULT")
    assert found.metadata == {
        "recordingSid": RECORDING,
        "step": step.name,
        "state": state.name,
        "processingReason": reason.name,
    }
    assert found.retry_seconds is None


@steps
def test_of_a_recording_that_nobody_wants_processed_there_is_nothing(server: RunningServer, step: Step) -> None:
    holds(server.service, recording(job=RecordingJob.DOWNLOAD_ONLY))

    found = refused(lambda: ask(server, step))

    assert (found.code, found.reason) == (CODE.FAILED_PRECONDITION, "STEP_WITHOUT_RESULT")
    assert found.metadata == {"recordingSid": RECORDING, "step": step.name}


@steps
def test_what_was_made_of_other_bytes_is_not_handed_out(server: RunningServer, step: Step) -> None:
    holds(server.service, recording(processing=processed(), sha256="5f" * 32))

    found = refused(lambda: ask(server, step))

    assert (found.reason, found.metadata["state"]) == ("STEP_NOT_DONE", "PENDING")


@steps
@pytest.mark.parametrize("state", [RecordingState.QUEUED, RecordingState.DOWNLOADING])
def test_of_a_recording_that_is_on_its_way_there_is_nothing_yet(
    server: RunningServer, step: Step, state: RecordingState
) -> None:
    holds(server.service, recording(state=state))

    found = refused(lambda: ask(server, step))

    assert (found.code, found.reason) == (CODE.FAILED_PRECONDITION, "RECORDING_NOT_READY")
    assert (found.metadata["state"], found.retry_seconds) == (state.name, RETRY_SECONDS)


@steps
def test_of_a_recording_that_failed_there_is_nothing(server: RunningServer, step: Step) -> None:
    holds(server.service, recording(state=RecordingState.FAILED, failure_reason=FailureReason.SOURCE_ABSENT))

    found = refused(lambda: ask(server, step))

    assert (found.reason, found.metadata["failureReason"]) == ("RECORDING_FAILED", "SOURCE_ABSENT")


@steps
def test_a_malformed_request_names_its_fields_and_reaches_nothing(server: RunningServer, step: Step) -> None:
    method, request = ASKED[step]
    malformed = type(request)(account_sid="AC1", recording_sid="RE1")

    found = refused(lambda: getattr(server.stub, method)(malformed))

    assert (found.code, found.reason) == (CODE.INVALID_ARGUMENT, "INVALID_REQUEST")
    assert sorted(found.fields) == ["account_sid", "recording_sid"]
    assert server.service.asked(step.value) == []


def test_less_than_no_samples_a_pixel_is_refused_by_its_name(server: RunningServer) -> None:
    server.service.answers["waveform"] = errors.InvalidRequest.of("samples_per_pixel", "is -1; must be 0 or more")

    found = refused(lambda: server.stub.GetWaveform(WAVEFORM))

    assert (found.code, found.fields) == (CODE.INVALID_ARGUMENT, ["samples_per_pixel"])


# Whose it is


@pytest.fixture
def guarded(service: FakeRecordingService) -> Iterator[RunningServer]:
    own, others = frozenset({ACCOUNT}), frozenset({FOREIGN})
    callers = (
        credentials("own", Scope.READ, account_sids=own),
        credentials("foreign", *Scope, account_sids=others),
    )
    holds(service, recording(processing=processed()))
    with running_server(service, callers=callers) as running:
        yield running


@steps
def test_another_accounts_recording_does_not_exist_for_a_caller(guarded: RunningServer, step: Step) -> None:
    assert ask(guarded, step, metadata=bearing("own")).etag == recording().etag

    found = refused(lambda: ask(guarded, step, metadata=bearing("foreign")))

    assert (found.code, found.reason) == (CODE.NOT_FOUND, "RECORDING_NOT_FOUND")
    assert ACCOUNT not in found.everything
