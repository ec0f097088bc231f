"""How clips become a transcript."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recording_service.core.errors import (
    TranscriptionAnswerInvalid,
    TranscriptionError,
    TranscriptionRateLimited,
    TranscriptionTooSlow,
    TranscriptionUnavailable,
)
from recording_service.core.transcription import (
    FIRST_WAIT_SECONDS,
    LONGEST_PADDING,
    PATIENCE_SECONDS,
    ClipSegment,
    ClipTranscript,
    transcribe_clips,
)
from recording_service.transcripts.transcript import Transcript, TranscriptSegment, TranscriptWord
from tests.support.making_transcripts import ms, seconds


@dataclass(frozen=True)
class SomeClip:
    channel: int
    start: timedelta
    duration: timedelta
    wav: bytes = b""


@dataclass
class Scripted:
    """Says of each clip what it was told, by the clip's bytes, and notes what was asked."""

    heard: dict[bytes, ClipTranscript]
    asked: list[tuple[bytes, str]] = field(default_factory=list)

    def transcribe(self, wav: bytes, file_name: str, longest_seconds: float = math.inf) -> ClipTranscript:
        self.asked.append((wav, file_name))
        return self.heard[wav]


def said(start: float, end: float, text: str, *words: TranscriptWord, confidence: float | None = None) -> ClipSegment:
    return ClipSegment(seconds(start), seconds(end), text, confidence, words)


def no_checkpoint() -> None:
    """For tests that are not about it."""


def transcribed(*pairs: tuple[SomeClip, ClipTranscript]) -> Transcript:
    clips = [SomeClip(clip.channel, clip.start, clip.duration, str(at).encode()) for at, (clip, _) in enumerate(pairs)]
    heard = {clip.wav: transcript for clip, (_, transcript) in zip(clips, pairs, strict=True)}
    return transcribe_clips(iter(clips), Scripted(heard), no_checkpoint)


def test_silence_is_an_empty_transcript() -> None:
    assert transcribed() == Transcript("")
    assert transcribed((SomeClip(0, seconds(1), seconds(2)), ClipTranscript("en"))) == Transcript("")


def test_segments_and_their_words_are_moved_to_where_their_clip_is() -> None:
    word = TranscriptWord(seconds(0.5), seconds(1), " Hello. ", 0.8)

    made = transcribed(
        (SomeClip(1, seconds(60), seconds(5)), ClipTranscript("en", (said(0.5, 1, " Hello. ", word, confidence=0.7),)))
    )

    moved = TranscriptWord(seconds(60.5), seconds(61), "Hello.", 0.8)
    assert made == Transcript(
        "en", (TranscriptSegment(seconds(60.5), seconds(61), 1, "Hello.", confidence=0.7, words=(moved,)),)
    )


def test_all_channels_are_merged_in_the_order_of_time() -> None:
    made = transcribed(
        (SomeClip(0, seconds(0), seconds(9)), ClipTranscript("en", (said(0, 1, "a"), said(7, 8, "d")))),
        (SomeClip(1, seconds(0), seconds(2)), ClipTranscript("en", (said(0, 1, "b"),))),
        (SomeClip(1, seconds(3), seconds(2)), ClipTranscript("en", (said(0, 1, "c"),))),
    )

    assert "".join(segment.text for segment in made.segments) == "abcd"


def test_what_is_said_to_be_beyond_the_clip_is_at_its_edge() -> None:
    made = transcribed(
        (
            SomeClip(0, seconds(10), seconds(2)),
            ClipTranscript("en", (said(-1, 1, "early"), said(1, 30, "long"))),
        )
    )

    assert [(each.start, each.end, each.text) for each in made.segments] == [
        (seconds(10), seconds(11), "early"),
        (seconds(11), seconds(12), "long"),
    ]


def test_what_begins_when_the_clip_is_over_was_said_by_nobody() -> None:
    made = transcribed(
        (SomeClip(0, seconds(10), seconds(2)), ClipTranscript("en", (said(1.9, 2, "yes"), said(2, 3, "no"))))
    )

    assert [each.text for each in made.segments] == ["yes"]


@pytest.mark.parametrize("segments", [(said(0, 9000, "one"), said(9000, 15000, "two")), (said(3600, 3601, "all"),)])
def test_times_that_can_not_be_in_seconds_are_no_transcript(segments: tuple[ClipSegment, ...]) -> None:
    with pytest.raises(TranscriptionAnswerInvalid, match="must be in seconds"):
        transcribed((SomeClip(0, seconds(10), seconds(30)), ClipTranscript("en", segments)))


def test_what_is_said_into_the_silence_that_fills_a_clip_up_is_left_out_and_no_error() -> None:
    made = transcribed(
        (SomeClip(0, seconds(10), seconds(2)), ClipTranscript("en", (said(0, 2, "yes"), said(29.98, 30, "no"))))
    )

    assert [each.text for each in made.segments] == ["yes"]


def test_empty_text_is_left_out() -> None:
    made = transcribed((SomeClip(0, seconds(0), seconds(2)), ClipTranscript("en", (said(0, 1, "  "), said(1, 2, "")))))

    assert made == Transcript("")


def test_the_language_is_the_one_in_which_most_is_said() -> None:
    clip = SomeClip(0, seconds(0), seconds(2))

    made = transcribed(
        (clip, ClipTranscript("de", (said(0, 1, "Ja."),))),
        (clip, ClipTranscript("nl")),
        (clip, ClipTranscript("en", (said(0, 1, "Let us speak English."),))),
    )

    assert made.language == "en"


def test_every_clip_is_taken_only_when_its_turn_has_come_and_after_a_checkpoint() -> None:
    events: list[str] = []

    def clips() -> Iterator[SomeClip]:
        for at in range(2):
            events.append(f"clip {at}")
            yield SomeClip(at, ms(1500 * at), seconds(1), b"wav")

    class Noting(Scripted):
        def transcribe(self, wav: bytes, file_name: str, longest_seconds: float = math.inf) -> ClipTranscript:
            events.append(file_name)
            return super().transcribe(wav, file_name, longest_seconds)

    transcribe_clips(clips(), Noting({b"wav": ClipTranscript("en")}), lambda: events.append("checkpoint"))

    assert events == [
        "clip 0", "checkpoint", "channel-1-at-0-ms.wav",
        "clip 1", "checkpoint", "channel-2-at-1500-ms.wav",
    ]  # fmt: skip


def test_a_checkpoint_that_raises_ends_the_work_before_the_next_clip() -> None:
    transcriber = Scripted({b"wav": ClipTranscript("en")})
    left = iter([None, KeyError("superseded")])

    def checkpoint() -> None:
        if error := next(left):
            raise error

    with pytest.raises(KeyError, match="superseded"):
        transcribe_clips(
            iter([SomeClip(0, seconds(at), seconds(1), b"wav") for at in range(3)]), transcriber, checkpoint
        )
    assert len(transcriber.asked) == 1


def test_what_the_transcriber_raises_is_raised_on() -> None:
    class Broken:
        def transcribe(self, wav: bytes, file_name: str, longest_seconds: float = math.inf) -> ClipTranscript:
            raise TranscriptionUnavailable("no answer came")

    with pytest.raises(TranscriptionUnavailable):
        transcribe_clips(iter([SomeClip(0, seconds(0), seconds(1))]), Broken(), no_checkpoint)


times = st.timedeltas(-seconds(5), LONGEST_PADDING)


@given(
    st.lists(
        st.tuples(
            st.builds(
                SomeClip,
                st.integers(0, 1),
                st.timedeltas(seconds(0), seconds(9000)),
                st.timedeltas(seconds(0), seconds(60)),
            ),
            st.builds(
                ClipTranscript,
                st.just("en"),
                st.lists(
                    st.builds(ClipSegment, times, times, st.text(max_size=5), st.none(), st.just(())), max_size=4
                ).map(tuple),
            ),
        ),
        max_size=4,
    )
)
def test_no_text_of_a_clip_is_lost_and_all_of_it_is_within_the_clip(
    pairs: list[tuple[SomeClip, ClipTranscript]],
) -> None:
    made = transcribed(*pairs)

    expected = [
        (clip, segment.text.strip())
        for clip, heard in pairs
        for segment in heard.segments
        if segment.start < clip.duration
    ]
    assert sorted(segment.text for segment in made.segments) == sorted(text for _, text in expected if text)
    for segment in made.segments:
        assert any(
            clip.channel == segment.channel
            and text == segment.text
            and clip.start - ms(1) <= segment.start <= segment.end <= clip.start + clip.duration + ms(1)
            for clip, text in expected
        )
    assert Transcript.from_json(made.to_json()) == made


@dataclass
class Failing:
    """Raises each of these in turn, and then hears what it was told."""

    errors: list[TranscriptionError]
    heard: ClipTranscript
    asked: int = 0

    def transcribe(self, wav: bytes, file_name: str, longest_seconds: float = math.inf) -> ClipTranscript:
        self.asked += 1
        if self.errors:
            raise self.errors.pop(0)
        return self.heard


HEARD = ClipTranscript("en", (said(0, 1, "Hello."),))


def patiently(
    errors: list[TranscriptionError], checkpoint: Callable[[], None] = no_checkpoint
) -> tuple[Failing, list[float], Transcript]:
    """One clip of a server that fails so: what it was asked, how long was waited, and what came of it."""
    failing, slept = Failing(errors, HEARD), list[float]()
    clips = iter([SomeClip(0, seconds(0), seconds(2))])
    return failing, slept, transcribe_clips(clips, failing, checkpoint, sleep=slept.append)


def test_a_server_that_asks_for_fewer_requests_is_waited_for_and_no_clip_before_is_lost() -> None:
    failing, slept, made = patiently([TranscriptionRateLimited(20.0), TranscriptionRateLimited(None)])
    assert failing.asked == 3
    assert sum(slept) == pytest.approx(20.0 + 2 * FIRST_WAIT_SECONDS)
    assert [segment.text for segment in made.segments] == ["Hello."]


def test_a_server_that_asks_for_more_patience_than_there_is_ends_the_attempt() -> None:
    with pytest.raises(TranscriptionRateLimited):
        patiently([TranscriptionRateLimited(PATIENCE_SECONDS + 1)])
    with pytest.raises(TranscriptionRateLimited):
        patiently([TranscriptionRateLimited(None) for _ in range(100)])


def test_a_clip_that_no_whole_answer_came_for_is_sent_again_and_not_for_ever() -> None:
    failing, _, made = patiently([TranscriptionUnavailable("cut off")])
    assert (failing.asked, len(made.segments)) == (2, 1)
    with pytest.raises(TranscriptionUnavailable):
        patiently([TranscriptionUnavailable("cut off") for _ in range(100)])


def test_while_it_waits_an_attempt_that_is_over_ends() -> None:
    looks = 0

    def checkpoint() -> None:
        nonlocal looks
        looks += 1
        if looks > 3:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        patiently([TranscriptionRateLimited(100.0)], checkpoint)
    assert looks == 4


# No longer than there is time for


@dataclass
class Slow:
    """Takes its time for each clip, as much of it as it is given, and fails as it was told."""

    seconds_a_clip: float
    error: TranscriptionError | None = None
    now: float = 5000.0
    asked: int = 0

    def transcribe(self, wav: bytes, file_name: str, longest_seconds: float = math.inf) -> ClipTranscript:
        self.asked += 1
        self.sleep(min(self.seconds_a_clip, longest_seconds))
        if self.error is not None:
            raise self.error
        if self.seconds_a_clip > longest_seconds:
            raise TranscriptionUnavailable(f"not done in {longest_seconds:g} s")
        return HEARD

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.now += seconds

    def transcript(self, clips: int, longest_seconds: float) -> Transcript:
        some = (SomeClip(0, seconds(30 * at), seconds(30)) for at in range(clips))
        return transcribe_clips(
            some, self, no_checkpoint, longest_seconds, sleep=self.sleep, monotonic=lambda: self.now
        )


def test_what_can_be_transcribed_in_time_is() -> None:
    assert len(Slow(10.0).transcript(9, 100.0).segments) == 9


@pytest.mark.parametrize(
    ("slow", "asked"),
    [
        (Slow(10.0), 10),
        (Slow(30.0), 4),
        (Slow(1000.0), 1),
        (Slow(1.0, TranscriptionRateLimited(50.0)), 2),
        (Slow(60.0, TranscriptionUnavailable("cut off")), 2),
    ],
    ids=["slow", "ended in a clip", "hangs", "asks for patience", "fails"],
)
def test_when_the_time_is_over_the_work_ends_there_and_says_what_to_do(slow: Slow, asked: int) -> None:
    began = slow.now

    with pytest.raises(TranscriptionTooSlow, match="within 100 s: raise RECORDING_PROCESSING_SECONDS") as caught:
        slow.transcript(20, 100.0)

    assert caught.value.longest_seconds == 100.0
    assert (slow.now - began, slow.asked) == (100.0, asked)
