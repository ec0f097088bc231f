"""What follows the download, as messages of the contract."""

from recording_service.core.model import ProcessingState, Recording, Step
from recording_service.core.sound import Probe, ProbeWarning, WaveformLevel, warnings_of
from recording_service.grpc_api.enums import (
    PROBE_WARNING_NUMBERS,
    PROCESSING_STATE_NUMBERS,
    STEP_NUMBERS,
    STEP_REASON_NUMBERS,
    WAITING_REASON_NUMBERS,
)
from recording_service.grpc_api.times import set_duration, set_timestamp
from recording_service.transcripts.transcript import Transcript, TranscriptSegment
from recordings.v1 import recording_pb2, results_pb2


def fill_processing(message: recording_pb2.Recording, recording: Recording) -> None:
    """Writes how far the steps are, and what the probe has found."""
    processing = recording.processing
    if processing.summary is None:
        return
    message.processing_state = PROCESSING_STATE_NUMBERS[processing.summary]
    for step in Step:
        state = processing.state_of(step)
        if state is None:
            continue
        status = message.processing_steps.add(step=STEP_NUMBERS[step], state=PROCESSING_STATE_NUMBERS[state])
        end = processing.ends.get(step)
        if end is not None and end.reason is not None:
            status.reason = STEP_REASON_NUMBERS[end.reason]
            status.message = end.message
    if processing.state is ProcessingState.PENDING:
        if processing.waiting_reason is not None:
            message.processing_waiting_reason = WAITING_REASON_NUMBERS[processing.waiting_reason]
        if processing.next_attempt_time is not None:
            set_timestamp(message.processing_next_attempt_time, processing.next_attempt_time)
    if processing.probe is not None:
        _fill_probe(message.probe, processing.probe, warnings(recording, processing.probe))


def warnings(recording: Recording, probe: Probe) -> tuple[ProbeWarning, ...]:
    """What is odd about the recording, by what is known of the call.

    That there are fewer channels than Twilio has is its account's choice, and nothing odd.
    """
    reported = recording.call.channels
    channels = reported if probe.channels > reported else 0
    return warnings_of(probe, recording.call.duration, channels)


def waveform_response(recording: Recording, level: WaveformLevel) -> results_pb2.GetWaveformResponse:
    """A waveform."""
    return results_pb2.GetWaveformResponse(
        samples_per_pixel=level.samples_per_pixel,
        sample_rate=level.sample_rate,
        channels=level.channels,
        length=level.length,
        peaks=level.peaks,
        etag=recording.etag,
    )


def transcript_response(recording: Recording, transcript: Transcript) -> results_pb2.GetTranscriptResponse:
    """A transcript."""
    response = results_pb2.GetTranscriptResponse(language=transcript.language, etag=recording.etag)
    for segment in transcript.segments:
        _fill_segment(response.segments.add(channel=segment.channel, text=segment.text), segment)
    return response


def _fill_probe(message: recording_pb2.Probe, probe: Probe, warned: tuple[ProbeWarning, ...]) -> None:
    message.container = probe.container.value
    message.codec = probe.codec.value
    message.sample_rate = probe.sample_rate
    message.channels = probe.channels
    message.bit_rate = probe.bit_rate
    set_duration(message.duration, probe.duration)
    for sound in probe.channel_sounds:
        message.channel_sounds.add(
            loudness_lufs=sound.loudness_lufs, peak_dbfs=sound.peak_dbfs, silence_share=sound.silence_share
        )
    message.warnings.extend(PROBE_WARNING_NUMBERS[warning] for warning in warned)


def _fill_segment(message: results_pb2.TranscriptSegment, segment: TranscriptSegment) -> None:
    set_duration(message.start, segment.start)
    set_duration(message.end, segment.end)
    if segment.confidence is not None:
        message.confidence = segment.confidence
    for word in segment.words:
        written = message.words.add(text=word.text)
        set_duration(written.start, word.start)
        set_duration(written.end, word.end)
        if word.confidence is not None:
            written.confidence = word.confidence
