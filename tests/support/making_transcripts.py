"""Transcripts for tests: by hand, and by hypothesis."""

from datetime import timedelta

from hypothesis import strategies as st

from recording_service.transcripts.transcript import Transcript, TranscriptSegment, TranscriptWord

#: Six hours, in milliseconds.
LONGEST = 6 * 3600 * 1000

confidences = st.none() | st.floats(0, 1)
spans = st.tuples(st.integers(0, LONGEST), st.integers(0, 60_000)).map(
    lambda span: (ms(span[0]), ms(span[0] + span[1]))
)


def ms(milliseconds: int) -> timedelta:
    return timedelta(milliseconds=milliseconds)


def seconds(number: float) -> timedelta:
    return timedelta(seconds=number)


def segment(start: float, end: float, text: str, channel: int = 0, *words: TranscriptWord) -> TranscriptSegment:
    return TranscriptSegment(seconds(start), seconds(end), channel, text, words=words)


def transcript(*segments: TranscriptSegment) -> Transcript:
    return Transcript("en", segments)


def words_in(texts: st.SearchStrategy[str]) -> st.SearchStrategy[TranscriptWord]:
    return st.tuples(spans, texts, confidences).map(lambda word: TranscriptWord(*word[0], word[1], word[2]))


@st.composite
def segments(draw: st.DrawFn) -> TranscriptSegment:
    """Any: with words of any kind, with words that are those of the text, or with none."""
    texts = st.text(max_size=30) | st.lists(st.text(max_size=60), max_size=40).map(" ".join)
    text: str = draw(texts)
    start, end = draw(spans)
    written = text.split()
    words = tuple(draw(st.lists(words_in(st.text(max_size=10)), max_size=5)))
    words_are_the_text = draw(st.booleans())
    if written and words_are_the_text:
        step = (end - start) / len(written)
        words = tuple(
            TranscriptWord(_whole(start + step * at), _whole(start + step * (at + 1)), word)
            for at, word in enumerate(written)
        )
    return TranscriptSegment(start, end, draw(st.integers(0, 2)), text, draw(confidences), words)


def _whole(time: timedelta) -> timedelta:
    return ms(round(time / ms(1)))


transcripts = st.builds(Transcript, st.sampled_from(["", "en", "de"]), st.lists(segments(), max_size=6).map(tuple))
