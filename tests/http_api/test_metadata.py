"""`GET /recordings/{sid}`."""

from google.protobuf.duration_pb2 import Duration

from recordings.v1.recording_pb2 import (
    ChannelSound,
    Probe,
    ProbeWarning,
    ProcessingReason,
    ProcessingState,
    ProcessingStep,
    ProcessingStepStatus,
)
from tests.http_api.fake_recordings import ACCOUNT, RECORDING, FakeRecordings
from tests.http_api.running_app import Client

PATH = f"/recordings/{RECORDING}"


def test_metadata_is_the_contracts_json_with_the_contracts_names(client: Client, recordings: FakeRecordings) -> None:
    recordings.add(b"0123456789", revision=7)
    answer = client.get(f"{PATH}?account_sid={ACCOUNT}")
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json() == {
        "account_sid": ACCOUNT,
        "recording_sid": RECORDING,
        "state": "RECORDING_STATE_READY",
        "size_bytes": "10",
        "etag": "e1",
        "content_type": "audio/mpeg",
        "revision": "7",
        "ready_time": "2026-03-03T10:00:00Z",
    }
    (request,) = recordings.of("GetRecording")
    assert (request.account_sid, request.recording_sid) == (ACCOUNT, RECORDING)


def test_head_is_the_same_without_the_body(client: Client, recordings: FakeRecordings) -> None:
    recordings.add(b"0123456789")
    whole = client.get(PATH)
    answer = client.request("HEAD", PATH)
    assert (answer.status, answer.body) == (200, b"")
    assert answer.headers["content-length"] == whole.headers["content-length"]


def test_steps_without_a_result_and_warnings_have_their_words(client: Client, recordings: FakeRecordings) -> None:
    probe = Probe(
        container="mp3",
        channels=2,
        duration=Duration(seconds=61, nanos=400_000_000),
        channel_sounds=[ChannelSound(loudness_lufs=-21.5, silence_share=0.5), ChannelSound(silence_share=1)],
        # 99: of a later service.
        warnings=[ProbeWarning.PROBE_WARNING_CHANNEL_SILENT, 99],  # type: ignore[list-item]
    )
    recording = recordings.add(b"0123456789", processing_state=ProcessingState.PROCESSING_STATE_DONE, probe=probe)
    recording.processing_steps.extend(
        [
            ProcessingStepStatus(
                step=ProcessingStep.PROCESSING_STEP_PROBE, state=ProcessingState.PROCESSING_STATE_DONE
            ),
            ProcessingStepStatus(
                step=ProcessingStep.PROCESSING_STEP_TRANSCRIPT,
                state=ProcessingState.PROCESSING_STATE_SKIPPED,
                reason=ProcessingReason.PROCESSING_REASON_NOT_CONFIGURED,
                message="nothing is configured that could do this step",
            ),
        ]
    )

    answer = client.get(PATH).json()

    assert answer["processing_state"] == "PROCESSING_STATE_DONE"
    assert answer["processing_steps"] == [
        {"step": "PROCESSING_STEP_PROBE", "state": "PROCESSING_STATE_DONE"},
        {
            "step": "PROCESSING_STEP_TRANSCRIPT",
            "state": "PROCESSING_STATE_SKIPPED",
            "reason": "PROCESSING_REASON_NOT_CONFIGURED",
            "message": "nothing is configured that could do this step",
            "text": "This service is not set up to do it.",
        },
    ]
    assert answer["probe"]["duration"] == "61.400s"
    assert answer["probe"]["channel_sounds"][1] == {"silence_share": 1.0}
    assert answer["probe"]["warning_texts"] == ["On one of its channels nothing is to be heard."]
