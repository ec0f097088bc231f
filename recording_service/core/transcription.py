"""From the clips of a recording to its transcript.

Clips are pieces of one channel in which somebody speaks, as small as transcribers like them. Each is transcribed by
itself and knows nothing of the others; here their times become those of the recording.
"""

import math
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from recording_service.core.errors import (
    TranscriptionAnswerInvalid,
    TranscriptionRateLimited,
    TranscriptionTooSlow,
    TranscriptionUnavailable,
)
from recording_service.transcripts.transcript import (
    MILLISECOND,
    Transcript,
    TranscriptSegment,
    TranscriptWord,
    milliseconds_of,
)


class Clip(Protocol):
    """A piece of one channel of a recording."""

    @property
    def channel(self) -> int:
        """Counted from 0."""

    @property
    def start(self) -> timedelta:
        """Where it begins in the recording."""

    @property
    def duration(self) -> timedelta:
        """How long it is."""

    @property
    def wav(self) -> bytes:
        """Its sound: a WAV file of one channel."""


@dataclass(frozen=True, slots=True)
class ClipSegment:
    """What was said in one go. Times from the clip's beginning; they may go beyond its end, as a transcriber says."""

    start: timedelta
    end: timedelta
    text: str
    #: How sure the transcriber is, from 0 to 1. None: it does not say.
    confidence: float | None = None
    #: Times from the clip's beginning. Empty: the transcriber gave none.
    words: tuple[TranscriptWord, ...] = ()


@dataclass(frozen=True, slots=True)
class ClipTranscript:
    """What was said in one clip."""

    #: A code of ISO 639. Empty: the transcriber does not say.
    language: str
    segments: tuple[ClipSegment, ...] = ()


class Transcriber(Protocol):
    """Hears what is said."""

    def transcribe(self, wav: bytes, file_name: str, longest_seconds: float = math.inf) -> ClipTranscript:
        """What is said in a WAV file. Transcribing the same twice costs twice, and changes nothing.

        Raises TranscriptionError, at the latest when `longest_seconds` are over. `file_name` is told to the
        transcriber, and may be in its log.
        """


#: How long one clip waits for a server that asks for fewer requests, all in all, and at first where it does not say
#: for how long, in seconds. What was transcribed before would be for nothing, and has cost.
PATIENCE_SECONDS = 120.0
FIRST_WAIT_SECONDS = 2.0
#: How often a clip is sent again that no whole answer came for, and the wait before it, in seconds.
RESENDS = 1
RESEND_WAIT_SECONDS = 2.0
#: How much later than its clip's end something may be said to begin: Whisper fills a clip with silence, up to half a
#: minute. What is later still is no time in seconds.
LONGEST_PADDING = timedelta(seconds=30)
#: Between two calls of the checkpoint, in seconds.
_LOOK_SECONDS = 1.0


def transcribe_clips(
    clips: Iterator[Clip],
    transcriber: Transcriber,
    checkpoint: Callable[[], None],
    longest_seconds: float = math.inf,
    *,
    sleep: Callable[[float], None] = time.sleep,
    monotonic: Callable[[], float] = time.monotonic,
) -> Transcript:
    """What is said in all the clips of one recording; nothing, in no language, where there are none.

    The clips are taken and transcribed one after another. `checkpoint` is called before each, and while one waits, and
    whatever it raises ends the work. A server that asks for fewer requests is waited for, and a clip that got no whole
    answer is sent again; after that, and else at once, what the transcriber raises is raised (TranscriptionError). When
    `longest_seconds` are over, no clip is begun or waited for any more: TranscriptionTooSlow.

    What begins when its clip is over is left out, for nobody said it: Whisper listens to half a minute at a time, and
    into the silence that fills it up it has been heard to say the same sentence thirty times. What begins later than
    any silence can be is TranscriptionAnswerInvalid.
    """
    segments: list[TranscriptSegment] = []
    spoken = Counter[str]()
    end = monotonic() + longest_seconds

    def seconds_left() -> float:
        checkpoint()
        if (left := end - monotonic()) <= 0:
            raise TranscriptionTooSlow(longest_seconds)
        return left

    for clip in clips:
        heard = _heard(clip, transcriber, seconds_left, sleep)
        for segment in heard.segments:
            text = segment.text.strip()
            if segment.start > clip.duration + LONGEST_PADDING:
                raise TranscriptionAnswerInvalid(
                    "the transcription server sent times far beyond the clip's end: they must be in seconds"
                )
            if text and segment.start < clip.duration:
                segments.append(_moved(segment, text, clip))
                spoken[heard.language] += len(text)
    return Transcript(_most_spoken(spoken), tuple(segments))


def _heard(
    clip: Clip, transcriber: Transcriber, seconds_left: Callable[[], float], sleep: Callable[[float], None]
) -> ClipTranscript:
    """One clip's transcript, patiently, as long as there is time left: `seconds_left` raises if there is none."""
    waited, wait, resends = 0.0, FIRST_WAIT_SECONDS, RESENDS
    while True:
        try:
            return transcriber.transcribe(clip.wav, _file_name(clip), seconds_left())
        except TranscriptionRateLimited as error:
            asked = wait if error.retry_after_seconds is None else max(error.retry_after_seconds, FIRST_WAIT_SECONDS)
            waited += asked
            if waited > PATIENCE_SECONDS:
                raise
            wait *= 2
        except TranscriptionUnavailable:
            # It may be this limit, and not the server, that has ended it.
            seconds_left()
            if not resends:
                raise
            resends -= 1
            asked = RESEND_WAIT_SECONDS
        _wait(asked, seconds_left, sleep)


def _wait(seconds: float, seconds_left: Callable[[], float], sleep: Callable[[float], None]) -> None:
    while seconds > 0:
        sleep(min(seconds, _LOOK_SECONDS, seconds_left()))
        seconds -= _LOOK_SECONDS


def _file_name(clip: Clip) -> str:
    """What the clip is called: enough to find it, and nothing about whose it is."""
    return f"channel-{clip.channel + 1}-at-{milliseconds_of(clip.start)}-ms.wav"


def _most_spoken(spoken: Counter[str]) -> str:
    """The language in which most is said; of several, the one that was heard first."""
    return max(spoken, key=lambda language: spoken[language], default="")


def _moved(segment: ClipSegment, text: str, clip: Clip) -> TranscriptSegment:
    """The segment where it is in the recording, all of it within its clip."""
    words = tuple(
        TranscriptWord(*_placed(word.start, word.end, clip), word.text.strip(), word.confidence)
        for word in segment.words
        if word.text.strip()
    )
    start, end = _placed(segment.start, segment.end, clip)
    return TranscriptSegment(start, end, clip.channel, text, segment.confidence, words)


def _placed(start: timedelta, end: timedelta, clip: Clip) -> tuple[timedelta, timedelta]:
    begin = min(max(start, timedelta()), clip.duration)
    over = min(max(end, begin), clip.duration)
    return _whole(clip.start + begin), _whole(clip.start + over)


def _whole(time: timedelta) -> timedelta:
    """The time in whole milliseconds, as a transcript is stored: what is written is what is read."""
    return milliseconds_of(time) * MILLISECOND
