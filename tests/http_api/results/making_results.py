"""Results as the service sends them."""

from google.protobuf.duration_pb2 import Duration

from recordings.v1.results_pb2 import GetTranscriptResponse, GetWaveformResponse, TranscriptSegment, TranscriptWord

#: Two pixels of two channels, with the least and the greatest that a peak can be.
WAVEFORM = GetWaveformResponse(
    samples_per_pixel=400, sample_rate=8000, channels=2, length=2, peaks=bytes([128, 127, 255, 0, 1, 2, 254, 3])
)
#: More than the buffers of every socket on the way can hold.
LARGE_WAVEFORM = GetWaveformResponse(
    samples_per_pixel=400, sample_rate=8000, channels=2, length=1_000_000, peaks=bytes(4_000_000)
)
TRANSCRIPT = GetTranscriptResponse(
    language="en",
    segments=[
        TranscriptSegment(
            start=Duration(seconds=1, nanos=250_000_000),
            end=Duration(seconds=2, nanos=500_000_000),
            channel=0,
            text="Good morning, <b>Äpfel & Birnen</b>.",
            confidence=0.9,
            words=[
                TranscriptWord(
                    start=Duration(seconds=1, nanos=250_000_000), end=Duration(seconds=2), text="Good", confidence=0.25
                ),
                TranscriptWord(start=Duration(seconds=2), end=Duration(seconds=2, nanos=500_000_000), text="morning"),
            ],
        ),
        TranscriptSegment(start=Duration(seconds=3661), end=Duration(seconds=3662), channel=1, text="Yes?"),
    ],
)
