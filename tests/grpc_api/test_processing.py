"""What follows the download becomes part of a recording's message: steps, what the probe has found, warnings."""

from dataclasses import replace
from datetime import UTC, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recording_service.core.model import (
    CallDetails,
    Processing,
    ProcessingState,
    RecordingJob,
    RecordingState,
    Step,
    StepEnd,
    StepReason,
    WaitingReason,
)
from recording_service.core.sound import ChannelSound, Codec, Container, Probe, ProbeWarning
from recording_service.grpc_api.conversion import recording_message
from recordings.v1 import recording_pb2
from tests.support.grpc_service import NOW, recording

HEARD = ChannelSound(loudness_lufs=-21.5, peak_dbfs=-3.25, silence_share=0.5)
SILENT = ChannelSound(loudness_lufs=None, peak_dbfs=None, silence_share=1.0)
PROBE = Probe(Container.MP3, Codec.MP3, 22050, 2, 32_000, timedelta(seconds=61.4), (HEARD, HEARD))
DONE = StepEnd(ProcessingState.DONE)
ALL_DONE = dict.fromkeys(Step, DONE)


def message_of(processing: Processing) -> recording_pb2.Recording:
    return recording_message(recording(processing=processing))


def steps_of(message: recording_pb2.Recording) -> list[tuple[str, str, str]]:
    """Every step with its state and reason, by their names in the contract without prefixes."""
    return [
        (
            recording_pb2.ProcessingStep.Name(each.step).removeprefix("PROCESSING_STEP_"),
            recording_pb2.ProcessingState.Name(each.state).removeprefix("PROCESSING_STATE_"),
            recording_pb2.ProcessingReason.Name(each.reason).removeprefix("PROCESSING_REASON_"),
        )
        for each in message.processing_steps
    ]


def test_before_anything_is_done_every_step_is_pending() -> None:
    message = message_of(Processing(ProcessingState.PENDING, attempt=1))

    assert message.processing_state == recording_pb2.PROCESSING_STATE_PENDING
    assert steps_of(message) == [(step.name, "PENDING", "UNSPECIFIED") for step in Step]
    assert not message.HasField("probe")


def test_while_a_step_runs_those_before_it_have_ended_and_those_after_it_are_pending() -> None:
    message = message_of(Processing(ProcessingState.RUNNING, attempt=1, ends={Step.PROBE: DONE}))

    assert message.processing_state == recording_pb2.PROCESSING_STATE_RUNNING
    assert steps_of(message) == [
        ("PROBE", "DONE", "UNSPECIFIED"),
        ("WAVEFORM", "RUNNING", "UNSPECIFIED"),
        ("TRANSCRIPT", "PENDING", "UNSPECIFIED"),
    ]


def test_a_step_that_will_not_be_done_says_why_and_the_recording_is_ready_all_the_same() -> None:
    refused = StepEnd(ProcessingState.FAILED, StepReason.TRANSCRIPTION_REFUSED, "the model is not known")
    message = message_of(Processing(ProcessingState.DONE, attempt=1, ends=ALL_DONE | {Step.TRANSCRIPT: refused}))

    assert message.state == recording_pb2.RECORDING_STATE_READY
    assert message.processing_state == recording_pb2.PROCESSING_STATE_FAILED
    assert steps_of(message)[-1] == ("TRANSCRIPT", "FAILED", "TRANSCRIPTION_REFUSED")
    assert message.processing_steps[-1].message == "the model is not known"


@pytest.mark.parametrize(
    ("ends", "summary"),
    [
        (ALL_DONE, "DONE"),
        (ALL_DONE | {Step.TRANSCRIPT: StepEnd(ProcessingState.SKIPPED, StepReason.NOT_CONFIGURED)}, "DONE"),
        (dict.fromkeys(Step, StepEnd(ProcessingState.SKIPPED, StepReason.NOT_CONFIGURED)), "SKIPPED"),
    ],
)
def test_all_steps_together_are_done_unless_every_one_was_skipped(ends: dict[Step, StepEnd], summary: str) -> None:
    message = message_of(Processing(ProcessingState.DONE, attempt=1, ends=ends))

    assert recording_pb2.ProcessingState.Name(message.processing_state) == f"PROCESSING_STATE_{summary}"


def test_steps_that_wait_say_for_what_and_until_when() -> None:
    waiting = Processing(
        ProcessingState.PENDING, attempt=2, waiting_reason=WaitingReason.RETRY, next_attempt_time=NOW + timedelta(1)
    )
    message = message_of(waiting)

    assert message.processing_waiting_reason == recording_pb2.WAITING_REASON_RETRY
    assert message.processing_next_attempt_time.ToDatetime(UTC) == NOW + timedelta(1)
    running = message_of(replace(waiting, state=ProcessingState.RUNNING))
    assert running.processing_waiting_reason == recording_pb2.WAITING_REASON_UNSPECIFIED
    assert not running.HasField("processing_next_attempt_time")


def test_what_the_probe_has_found_is_told() -> None:
    sounds = (HEARD, SILENT)
    found = message_of(
        Processing(ProcessingState.DONE, attempt=1, ends=ALL_DONE, probe=replace(PROBE, channel_sounds=sounds))
    ).probe

    assert (found.container, found.codec, found.sample_rate, found.channels) == ("mp3", "mp3", 22050, 2)
    assert (found.bit_rate, found.duration.ToTimedelta()) == (32_000, timedelta(seconds=61.4))
    first, second = found.channel_sounds
    assert (first.loudness_lufs, first.peak_dbfs, first.silence_share) == (-21.5, -3.25, 0.5)
    assert not second.HasField("loudness_lufs")
    assert not second.HasField("peak_dbfs")
    assert second.silence_share == 1.0


@given(st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=366)))
def test_a_probed_duration_comes_back_to_the_microsecond(duration: timedelta) -> None:
    probed = Processing(ProcessingState.DONE, attempt=1, ends=ALL_DONE, probe=replace(PROBE, duration=duration))

    assert message_of(probed).probe.duration.ToTimedelta() == duration


@pytest.mark.parametrize(
    ("call", "probe", "expected"),
    [
        (CallDetails(duration=timedelta(seconds=62), channels=2), PROBE, []),
        (CallDetails(), PROBE, []),
        (CallDetails(duration=timedelta(seconds=70)), PROBE, [ProbeWarning.DURATION_MISMATCH]),
        (CallDetails(channels=1), PROBE, [ProbeWarning.CHANNELS_MISMATCH]),
        # The account asked for one channel.
        (CallDetails(channels=2), replace(PROBE, channels=1, channel_sounds=(HEARD,)), []),
        (CallDetails(), replace(PROBE, channel_sounds=(HEARD, SILENT)), [ProbeWarning.CHANNEL_SILENT]),
    ],
)
def test_what_is_odd_is_told_by_what_is_known_of_the_call(
    call: CallDetails, probe: Probe, expected: list[ProbeWarning]
) -> None:
    probed = Processing(ProcessingState.DONE, attempt=1, ends=ALL_DONE, probe=probe)
    warned = recording_message(recording(call=call, processing=probed)).probe.warnings

    assert [recording_pb2.ProbeWarning.Name(each).removeprefix("PROBE_WARNING_") for each in warned] == [
        each.name for each in expected
    ]


def test_of_a_recording_that_is_to_be_played_alone_nothing_is_said() -> None:
    message = recording_message(recording(job=RecordingJob.DOWNLOAD_ONLY))

    assert message.processing_state == recording_pb2.PROCESSING_STATE_UNSPECIFIED
    assert steps_of(message) == []


def test_a_recording_whose_bytes_are_on_their_way_says_that_its_processing_is_to_come() -> None:
    for job, state in (
        (RecordingJob.FULL, recording_pb2.PROCESSING_STATE_PENDING),
        (RecordingJob.DOWNLOAD_ONLY, recording_pb2.PROCESSING_STATE_UNSPECIFIED),
    ):
        # For the first time, and again: an attempt at its processing is over then.
        for processing in (Processing(), Processing(attempt=2)):
            fetched = recording(job=job, state=RecordingState.DOWNLOADING, processing=processing)
            message = recording_message(fetched)
            assert (message.processing_state, steps_of(message)) == (state, [])
