"""What is taken out of the answers of all the servers that resemble OpenAI's, and what is not believed."""

import json
from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recording_service.adapters.openai_transcription.languages import code_of
from recording_service.adapters.openai_transcription.verbose_json import clip_transcript_of
from recording_service.core.errors import TranscriptionAnswerInvalid, TranscriptionError
from recording_service.core.transcription import ClipSegment, ClipTranscript
from recording_service.transcription_stand_in import Dialect, TranscriptionStandIn, shaped
from tests.adapters.transcribing import API_KEY, transcribed

SEGMENT: dict[str, Any] = {"id": 0, "start": 0.5, "end": 1.5, "text": " Hello, world."}


@pytest.fixture
def server() -> Iterator[TranscriptionStandIn]:
    with TranscriptionStandIn(api_key=API_KEY) as stand_in:
        yield stand_in


def heard(document: object, language: str = "") -> ClipTranscript:
    """What a transcriber makes of that document."""
    return clip_transcript_of(json.dumps(document).encode(), language)


def segment_of(**fields: Any) -> ClipSegment:
    (segment,) = heard({"text": " Hello, world.", "segments": [{**SEGMENT, **fields}]}).segments
    return segment


def seconds(number: float) -> timedelta:
    return timedelta(seconds=number)


def texts_and_times(segment: ClipSegment) -> list[tuple[str, float, float]]:
    return [(word.text, word.start.total_seconds(), word.end.total_seconds()) for word in segment.words]


# Every server


@pytest.mark.parametrize("dialect", Dialect)
def test_every_dialect_says_the_same(dialect: Dialect) -> None:
    with TranscriptionStandIn(api_key=API_KEY, dialect=dialect) as server:
        server.say("Hello, dear caller.")
        transcript = transcribed(server.url, language="en")

    (segment,) = transcript.segments
    assert transcript.language == "en"
    assert segment.text == "Hello, dear caller."
    assert (segment.start, segment.end) == (seconds(0.5), seconds(1.5))
    assert segment.confidence == {Dialect.WHISPER_CPP: 0.9}.get(dialect, 0.7788)


@pytest.mark.parametrize(
    ("dialect", "words"),
    [
        (Dialect.OPENAI, ["Hello", "dear", "caller"]),
        (Dialect.WHISPER_CPP, ["Hello,", "dear", "caller."]),
        (Dialect.FASTER_WHISPER, ["Hello,", "dear", "caller."]),
        (Dialect.VLLM, []),
    ],
)
def test_every_dialect_has_the_times_of_words_or_none(dialect: Dialect, words: list[str]) -> None:
    with TranscriptionStandIn(api_key=API_KEY, dialect=dialect) as server:
        server.say("Hello, dear caller.")
        (segment,) = transcribed(server.url).segments

    assert [word.text for word in segment.words] == words
    if words:
        assert (segment.words[0].start, segment.words[-1].end) == (seconds(0.5), seconds(1.5))
        assert all(word.end <= following.start for word, following in pairwise(segment.words))


# Segments that are wrapped

LONG_SENTENCE = "I would like to cancel my subscription to the premium reimbursement plan, please."


@pytest.mark.parametrize("dialect", Dialect)
def test_a_word_that_a_server_begins_a_new_segment_in_is_one_word(dialect: Dialect) -> None:
    with TranscriptionStandIn(api_key=API_KEY, dialect=dialect) as server:
        server.say(LONG_SENTENCE)
        (segment,) = transcribed(server.url).segments

    assert segment.text == LONG_SENTENCE
    assert (segment.start, segment.end) == (seconds(0.5), seconds(1.5))
    if dialect is Dialect.WHISPER_CPP:
        assert [word.text for word in segment.words] == LONG_SENTENCE.split()


def test_a_segment_that_begins_with_a_word_is_one_by_itself() -> None:
    with TranscriptionStandIn(api_key=API_KEY, dialect=Dialect.WHISPER_CPP) as server:
        server.say("I would like to cancel my subscription to the premium red plan, please.")
        first, second = transcribed(server.url).segments

    assert first.text == "I would like to cancel my subscription to the premium red"
    assert second.text == "plan, please."
    assert first.end <= second.start


def pieces_of(*texts: str) -> list[str]:
    segments = [{"start": at, "end": at + 1, "text": text} for at, text in enumerate(texts)]
    return [segment.text for segment in heard({"text": "".join(texts), "segments": segments}).segments]


@pytest.mark.parametrize(
    ("texts", "whole"),
    [
        ((" He", "llo", ",", " you"), ["Hello,", "you"]),
        (("He", " you"), ["He", "you"]),
        ((" Hello ", "you"), ["Hello", "you"]),
        ((" Hello", "", "you"), ["Hello", "you"]),
        (("Hello.", "You?"), ["Hello.", "You?"]),
        (("你好", "再见"), ["你好", "再见"]),
    ],
)
def test_only_what_follows_without_a_space_where_words_begin_with_one_goes_on(
    texts: tuple[str, ...], whole: list[str]
) -> None:
    assert pieces_of(*texts) == whole


def test_words_that_only_a_part_of_a_wrapped_segment_has_are_left_out() -> None:
    word = {"word": " reim", "start": 0, "end": 1}
    document = {
        "segments": [
            {"start": 0, "end": 1, "text": " reim", "words": [word]},
            {"start": 1, "end": 2, "text": "bursement"},
        ]
    }

    (segment,) = heard(document).segments

    assert (segment.text, segment.end, segment.words) == ("reimbursement", seconds(2), ())


def test_a_wrapped_segment_with_times_that_are_none_is_invalid() -> None:
    with pytest.raises(TranscriptionAnswerInvalid, match="time"):
        heard({"segments": [SEGMENT, {"start": None, "end": 2, "text": "ly."}]})


# Words


def test_the_words_of_the_whole_answer_are_given_to_the_segments_they_are_in() -> None:
    transcript = heard(
        {
            "text": "a b c d",
            "segments": [
                {"start": 2, "end": 3, "text": "c d"},
                {"start": 0.2, "end": 1, "text": "a b"},
            ],
            "words": [
                {"word": "a", "start": 0, "end": 0.3},
                {"word": "b", "start": 0.3, "end": 2.0},
                {"word": "c", "start": 1.9, "end": 2.4},
                {"word": "d", "start": 5, "end": 6},
            ],
        }
    )

    assert [[word.text for word in segment.words] for segment in transcript.segments] == [["a", "b"], ["c", "d"]]


def test_pieces_of_words_are_joined_where_words_begin_with_a_space() -> None:
    segment = segment_of(
        words=[
            {"word": " Hel", "start": 0.5, "end": 0.6, "probability": 0.9},
            {"word": "lo", "start": 0.6, "end": 0.8, "probability": 0.5},
            {"word": ",", "start": 0.8, "end": 0.8},
            {"word": " world", "start": 1.0, "end": 1.5, "probability": 0.7},
            {"word": ".", "start": 1.5, "end": 1.5, "probability": 0.8},
        ]
    )

    assert texts_and_times(segment) == [("Hello,", 0.5, 0.8), ("world.", 1.0, 1.5)]
    assert [word.confidence for word in segment.words] == [0.5, 0.7]


def test_words_without_spaces_are_words() -> None:
    segment = segment_of(words=[{"text": "你", "start": 0.5, "end": 1}, {"text": "好", "start": 1, "end": 1.5}])

    assert texts_and_times(segment) == [("你", 0.5, 1.0), ("好", 1.0, 1.5)]


@pytest.mark.parametrize(
    "word",
    [
        {"word": "b"},
        {"word": "b", "start": None, "end": None},
        {"word": "b", "start": -0.01, "end": -0.01},
        {"start": 1, "end": 2},
        {"word": None, "start": 1, "end": 2},
    ],
)
def test_words_of_which_one_has_no_times_or_no_text_are_left_out(word: dict[str, Any]) -> None:
    assert segment_of(words=[{"word": "a", "start": 0.5, "end": 1}, word]).words == ()


def test_words_of_which_one_is_a_part_of_a_character_are_left_out() -> None:
    words = [{"word": "你好", "start": 0.5, "end": 1}, *({"word": "\ufffd", "start": 1, "end": 1.5} for _ in range(3))]

    assert segment_of(text="你好龘", words=words).words == ()
    assert [word.text for word in segment_of(text="你好\ufffd", words=words[:2]).words] == ["你好", "\ufffd"]


def test_words_that_overlap_are_put_in_order() -> None:
    segment = segment_of(words=[{"word": "a", "start": 1, "end": 2}, {"word": "b", "start": 0.9, "end": 0.95}])

    assert texts_and_times(segment) == [("a", 1.0, 2.0), ("b", 1.0, 1.0)]


# Confidence, and silence


@pytest.mark.parametrize(
    ("fields", "confidence"),
    [
        ({}, None),
        ({"avg_logprob": None}, None),
        ({"avg_logprob": float("nan")}, None),
        ({"avg_logprob": "-0.5"}, None),
        ({"avg_logprob": -0.5}, 0.6065),
        ({"avg_logprob": 0.0}, None),
        ({"avg_logprob": 0.001}, None),
        ({"avg_logprob": 0, "words": [{"word": "a", "start": 1, "end": 1, "probability": 0.5}]}, 0.5),
        ({"avg_logprob": -5000}, 0.0),
        ({"avg_logprob": -0.5, "confidence": 0.4}, 0.4),
        ({"avg_logprob": -0.5, "confidence": 40}, 0.6065),
        ({"words": [{"word": "a", "start": 1, "end": 1, "probability": 0.5}]}, 0.5),
        ({"words": [{"word": "a", "start": 1, "end": 1, "probability": 7}]}, None),
    ],
)
def test_how_sure_the_server_is_is_taken_from_whatever_it_says_of_it(
    fields: dict[str, Any], confidence: float | None
) -> None:
    assert segment_of(**fields).confidence == confidence


@pytest.mark.parametrize(
    ("fields", "count"),
    [
        ({"no_speech_prob": 0.9, "avg_logprob": -1.5}, 0),
        ({"no_speech_prob": 0.9, "avg_logprob": -0.2, "compression_ratio": 16.3}, 0),
        ({"no_speech_prob": 0.9, "avg_logprob": -0.2, "compression_ratio": 1.1}, 1),
        ({"no_speech_prob": 0.9}, 1),
        ({"no_speech_prob": 0.1, "avg_logprob": -1.5, "compression_ratio": 16.3}, 1),
        ({"no_speech_prob": None, "avg_logprob": -1.5}, 1),
    ],
)
def test_what_the_server_itself_takes_for_silence_is_left_out(fields: dict[str, Any], count: int) -> None:
    assert len(heard({"text": "Thanks.", "segments": [{**SEGMENT, **fields}]}).segments) == count


@pytest.mark.parametrize("document", [{"text": ""}, {"text": " ", "segments": None}, {"segments": []}])
def test_nothing_said_is_no_segment(document: dict[str, Any]) -> None:
    assert heard(document) == ClipTranscript("")


# What is not believed


@pytest.mark.parametrize(
    "document",
    [
        {},
        [],
        "text",
        None,
        {"error": {"message": "out of memory"}},
        {"text": "Hello."},
        {"text": "Hello.", "segments": []},
        {"text": "Hello.", "segments": [{**SEGMENT, "text": " "}]},
        {"text": None, "segments": None},
        {"text": "", "segments": {}},
        {"text": "", "segments": ["Hello."]},
        {"text": "", "segments": [SEGMENT], "words": "Hello."},
        {"text": "", "segments": [{**SEGMENT, "words": ["Hello."]}]},
        {"text": "", "segments": [{"start": 0, "end": 1}]},
        {"text": "", "segments": [{**SEGMENT, "text": 7}]},
    ],
)
def test_another_shape_is_invalid(server: TranscriptionStandIn, document: object) -> None:
    server.behave(shaped(document))

    with pytest.raises(TranscriptionAnswerInvalid):
        transcribed(server.url)


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("0", 1),
        (None, 1),
        (0, True),
        (float("nan"), 1),
        (0, float("inf")),
        (-1.5, 1),
        (5, 3.5),
        (0, 5_000_000_000),
        (10**400, 10**400),
        ([0], 1),
    ],
)
def test_times_that_are_none_are_invalid(start: object, end: object) -> None:
    with pytest.raises(TranscriptionAnswerInvalid, match="time"):
        heard({"text": "Hello.", "segments": [{**SEGMENT, "start": start, "end": end}]})
    if start is not None:
        word = {"word": "Hello.", "start": start if start != -1.5 else 7, "end": end}
        with pytest.raises(TranscriptionAnswerInvalid, match="time"):
            segment_of(words=[word])


@pytest.mark.parametrize(
    ("start", "end", "repaired"), [(-0.02, 1, (0, 1)), (1.0, 0.98, (1, 1)), (0, 0, (0, 0)), (1, 2, (1, 2))]
)
def test_times_that_are_nearly_some_are_repaired(start: float, end: float, repaired: tuple[float, float]) -> None:
    segment = segment_of(start=start, end=end)

    assert (segment.start, segment.end) == (seconds(repaired[0]), seconds(repaired[1]))


def test_segments_are_in_the_order_of_time() -> None:
    later, earlier = {**SEGMENT, "start": 1.0, "text": "b"}, {**SEGMENT, "start": 0.0, "text": "a"}

    assert [each.text for each in heard({"text": "a b", "segments": [later, earlier]}).segments] == ["a", "b"]


def test_text_is_one_line_of_characters_that_can_be_stored() -> None:
    transcript = clip_transcript_of(
        rb'{"segments": [{"start": 0, "end": 1, "text": " a\u0000\u001b[1m\n\nb \ud800 \ud83d\ude00"}]}', ""
    )

    assert transcript.segments[0].text == "a [1m b ? 😀"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
words = st.fixed_dictionaries(
    {}, optional={"word": json_values, "text": st.text(), "start": json_values, "end": json_values}
)
times = st.floats(-2, 40) | json_values
segments = st.fixed_dictionaries(
    {"start": times, "end": times, "text": st.text() | json_values},
    optional={
        "words": st.lists(words, max_size=3) | json_values,
        "avg_logprob": json_values,
        "no_speech_prob": json_values,
        "compression_ratio": json_values,
    },
)
documents = st.fixed_dictionaries(
    {"text": st.text() | json_values, "segments": st.lists(segments, max_size=3) | json_values},
    optional={"language": st.text() | json_values, "words": st.lists(words, max_size=3) | json_values},
)


@given(documents | json_values, st.sampled_from(["", "en"]))
def test_any_json_is_a_transcript_or_an_error_of_ours(document: object, language: str) -> None:
    try:
        transcript = heard(document, language)
    except TranscriptionError:
        return
    for segment in transcript.segments:
        assert seconds(0) <= segment.start <= segment.end
        assert segment.text.encode()
        assert segment.confidence is None or 0 <= segment.confidence <= 1


@given(st.binary(max_size=50))
def test_any_bytes_are_a_transcript_or_an_error_of_ours(body: bytes) -> None:
    with pytest.raises(TranscriptionAnswerInvalid):
        clip_transcript_of(body, "")


# Languages


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("english", "en"), ("EN", "en"), ("de-AT", "de"), ("zh_Hant_TW", "zh"), ("mandarin", "zh"), ("iw", "he"),
        ("haitian creole", "ht"), ("yue", "yue"), ("nb", "no"), ("", ""), ("klingonese", ""), ("<script>", ""),
    ],
)  # fmt: skip
def test_languages_go_by_their_codes(name: str, code: str) -> None:
    assert code_of(name) == code
