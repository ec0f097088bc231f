"""What is heard in a file: sentences where there is sound."""

import math
from typing import Any

import pytest

from recording_service.transcription_stand_in import Dialect, TranscriptionStandIn, transcribed
from recording_service.twilio_stand_in.audio import conversation, wav
from tests.support.tones import wav_of
from tests.transcription_stand_in.posting import API_KEY, CLIP, FIELDS, WORDS, post


def heard(server: TranscriptionStandIn, wav: bytes = CLIP, *fields: tuple[str, str]) -> dict[str, Any]:
    answer = post(server.url, [*FIELDS, *fields], wav=wav)
    assert answer.status_code == 200
    document: dict[str, Any] = answer.json()
    return document


def texts(document: dict[str, Any]) -> list[str]:
    return [segment["text"].strip() for segment in document["segments"]]


def test_there_is_a_sentence_where_there_is_sound(server: TranscriptionStandIn) -> None:
    document = heard(server)

    assert [(each["start"], each["end"]) for each in document["segments"]] == [(0.5, 1.5), (2.0, 2.5)]
    assert document["text"] == "".join(each["text"] for each in document["segments"])
    assert document["duration"] == pytest.approx(2.75)
    assert all(texts(document))


def test_the_same_sound_is_the_same_sentence_wherever_it_is(server: TranscriptionStandIn) -> None:
    first = heard(server)
    again = heard(server, wav_of((0, 0.1), (880, 0.5)))

    assert heard(server) == first
    assert texts(again) == texts(first)[1:]


def test_silence_is_no_sentence(server: TranscriptionStandIn) -> None:
    document = heard(server, wav_of((0, 2)))

    assert (document["text"], document["segments"]) == ("", [])


def test_a_call_has_several_sentences(server: TranscriptionStandIn) -> None:
    document = heard(server, wav(conversation("a call", 30)[:, :1]))

    assert len(document["segments"]) > 2
    assert all(0 <= each["start"] < each["end"] <= 30 for each in document["segments"])


def test_a_test_says_what_is_heard_next(server: TranscriptionStandIn) -> None:
    server.say("One.", "Two.", "Three.")

    assert texts(heard(server)) == ["One.", "Two."]
    assert texts(heard(server))[0] == "Three."
    assert texts(heard(server))[0] not in ("One.", "Three.")


def test_a_test_says_what_is_heard_at_a_pitch(server: TranscriptionStandIn) -> None:
    server.say("Anything else.")
    server.say_at(880, "The high one.")

    assert texts(heard(server)) == ["Anything else.", "The high one."]
    assert texts(heard(server, wav_of((890, 0.5)))) == ["The high one."]


def test_words_are_given_only_if_they_are_asked_for(server: TranscriptionStandIn) -> None:
    server.say("One two", "three.", "One two", "three.")

    assert "words" not in heard(server)
    words = heard(server, CLIP, *WORDS)["words"]
    assert [word["word"] for word in words] == ["One", "two", "three"]
    assert (words[0]["start"], words[1]["end"], words[2]["start"], words[2]["end"]) == (0.5, 1.5, 2.0, 2.5)


def test_the_language_is_the_one_that_is_asked_for_or_the_one_of_the_server(server: TranscriptionStandIn) -> None:
    assert heard(server)["language"] == "english"
    assert heard(server, CLIP, ("language", "de"))["language"] == "german"
    server.behave(transcribed().in_language("french"))
    assert heard(server, CLIP, ("language", "de"))["language"] == "french"


def test_every_dialect_has_its_own_ways() -> None:
    documents = {}
    for dialect in Dialect:
        with TranscriptionStandIn(api_key=API_KEY, dialect=dialect) as server:
            server.say("Hello,", "caller.")
            documents[dialect] = heard(server, CLIP, *WORDS)

    assert {dialect: document["language"] for dialect, document in documents.items()} == {
        Dialect.OPENAI: "english",
        Dialect.WHISPER_CPP: "english",
        Dialect.FASTER_WHISPER: "en",
        Dialect.VLLM: "en",
    }
    pieces = documents[Dialect.WHISPER_CPP]["segments"][0]
    assert [piece["word"] for piece in pieces["words"]] == [" Hel", "lo,"]
    assert pieces["avg_logprob"] is None
    assert documents[Dialect.WHISPER_CPP]["text"] == " Hello,\n caller.\n"
    assert documents[Dialect.FASTER_WHISPER]["segments"][0]["words"][0]["word"] == " Hello,"
    assert documents[Dialect.OPENAI]["words"][0]["word"] == "Hello"
    vllm = documents[Dialect.VLLM]
    assert (vllm["duration"], vllm["words"], vllm["segments"][0]["no_speech_prob"]) == ("2.75", None, None)
    assert math.isclose(documents[Dialect.OPENAI]["usage"]["seconds"], 3)


def test_whisper_cpp_begins_a_segment_after_sixty_characters_also_within_a_word() -> None:
    with TranscriptionStandIn(api_key=API_KEY, dialect=Dialect.WHISPER_CPP) as server:
        server.say("I would like to cancel my subscription to the premium reimbursement plan, please.", "Yes.")
        segments = heard(server)["segments"]

    assert [segment["text"] for segment in segments] == [
        " I would like to cancel my subscription to the premium rei", "mbursement plan, please.", " Yes.",
    ]  # fmt: skip
    assert [(segments[at]["start"], segments[at]["end"]) for at in (0, 2)] == [(0.5, segments[1]["start"]), (2.0, 2.5)]
    assert segments[1]["words"][0]["word"] == "mbu"
