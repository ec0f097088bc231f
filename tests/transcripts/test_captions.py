"""WebVTT, read by a parser of the test's own (W3C WebVTT §4, §6), and text for people."""

import html
import re
from datetime import timedelta
from itertools import pairwise
from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from recording_service.transcripts.captions import to_plain_text, to_web_vtt
from recording_service.transcripts.transcript import Transcript, TranscriptWord
from tests.support.making_transcripts import ms, seconds, segment, transcript, transcripts

_STAMP = r"(\d{2,}):([0-5]\d):([0-5]\d)\.(\d{3})"
_TIMES = re.compile(rf"{_STAMP} --> {_STAMP}")
_VOICE = re.compile(r"<v ([^<>]+)>")

SENTENCE = "The quick brown fox jumps over the lazy dog, and the dog does not mind it in the least because it sleeps."


class Cue(NamedTuple):
    start: timedelta
    end: timedelta
    voice: str | None
    lines: tuple[str, ...]

    @property
    def text(self) -> str:
        return " ".join(self.lines)


def parsed(document: str) -> list[Cue]:
    """The cues; an AssertionError for what the grammar does not allow."""
    signature, *blocks = re.split(r"\n{2,}", document.removesuffix("\n"))
    assert signature == "WEBVTT"
    assert not re.search(r"[\0\r]", document)
    return [cue_of(block) for block in blocks]


def cue_of(block: str) -> Cue:
    times, *payload = block.split("\n")
    found = _TIMES.fullmatch(times)
    assert found
    numbers = [int(number) for number in found.groups()]
    start, end = (
        timedelta(hours=hours, minutes=minutes, seconds=whole, milliseconds=thousandths)
        for hours, minutes, whole, thousandths in (numbers[:4], numbers[4:])
    )
    voice = _VOICE.match(payload[0])
    if voice:
        payload[0] = payload[0][voice.end() :]
    assert payload
    for line in payload:
        assert line
        assert not re.search(r"[<>]|-->|&(?!amp;|lt;|gt;)", line)
    return Cue(start, end, html.unescape(voice[1]) if voice else None, tuple(map(html.unescape, payload)))


def shown(text: str) -> str:
    return "".join(text.replace("\0", " ").split())


@given(transcripts, st.lists(st.text(max_size=8), max_size=3))
def test_every_word_is_in_a_cue_of_its_speaker(made: Transcript, speakers: list[str]) -> None:
    cues = parsed(to_web_vtt(made, speakers))

    for cue, following in pairwise(cues):
        assert cue.start <= following.start
    for cue in cues:
        assert cue.start < cue.end
        assert len(cue.lines) <= 2
        assert all(len(line) <= 42 for line in cue.lines)
    assert sorted("".join(shown(cue.text) for cue in cues)) == sorted(
        "".join(shown(each.text) for each in made.segments)
    )
    several = len(speakers) > 1 or any(each.channel for each in made.segments)
    assert all((cue.voice is not None) == several for cue in cues)


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=400), st.booleans())
def test_the_cues_of_a_segment_say_its_text_in_its_order_and_in_its_time(text: str, with_words: bool) -> None:
    written = text.split()
    words = [TranscriptWord(seconds(10 + at), seconds(11 + at), word) for at, word in enumerate(written)]
    end = 10 + max(1, len(written))
    made = transcript(segment(10, end, text, 0, *(words if with_words else [])))

    cues = parsed(to_web_vtt(made))

    assert "".join(shown(cue.text) for cue in cues) == "".join(written)
    assert all(seconds(10) <= cue.start < cue.end <= seconds(end) for cue in cues)
    assert all(cue.end <= following.start for cue, following in pairwise(cues))


def test_a_short_segment_is_one_cue() -> None:
    made = transcript(segment(3723.5, 3725.25, "Good morning."))

    assert to_web_vtt(made) == "WEBVTT\n\n01:02:03.500 --> 01:02:05.250\nGood morning.\n"


def test_nothing_said_is_a_file_without_cues() -> None:
    assert to_web_vtt(Transcript("")) == "WEBVTT\n"
    assert to_web_vtt(transcript(segment(1, 2, " \n "))) == "WEBVTT\n"
    assert to_plain_text(transcript(segment(1, 2, " \n "))) == ""


def test_with_several_channels_every_cue_names_its_speaker() -> None:
    made = transcript(segment(0, 1, "Hello?", 0), segment(1, 2, "Yes?", 1))

    assert [cue.voice for cue in parsed(to_web_vtt(made))] == ["Channel 1", "Channel 2"]
    assert [cue.voice for cue in parsed(to_web_vtt(made, ["Agent"]))] == ["Agent", "Channel 2"]
    assert [cue.voice for cue in parsed(to_web_vtt(made, [" ", "A>B\n& C"]))] == ["Channel 1", "A>B & C"]


def test_who_speaks_alone_on_a_second_channel_is_named_and_on_an_only_one_is_not() -> None:
    assert parsed(to_web_vtt(transcript(segment(0, 1, "Hello?", 1))))[0].voice == "Channel 2"
    assert parsed(to_web_vtt(transcript(segment(0, 1, "Hello?", 0)), ["Agent", "Caller"]))[0].voice == "Agent"
    assert parsed(to_web_vtt(transcript(segment(0, 1, "Hello?", 0)), ["Agent"]))[0].voice is None


def test_who_speaks_alone_on_the_first_of_two_channels_is_named() -> None:
    alone = transcript(segment(0, 1, "Hello?", 0))

    assert parsed(to_web_vtt(alone, channels=2))[0].voice == "Channel 1"
    assert to_plain_text(alone, channels=2) == "[00:00:00] Channel 1: Hello?\n"


def test_markup_in_what_is_said_is_text() -> None:
    made = transcript(segment(0, 1, "<v Boss> a --> b & c\n\n00:01.000 --> 00:02.000"))

    (cue,) = parsed(to_web_vtt(made))

    assert cue.text == "<v Boss> a --> b & c 00:01.000 --> 00:02.000"


def test_a_long_segment_is_cut_at_a_pause_and_its_times_are_those_of_its_words() -> None:
    words = [TranscriptWord(ms(300 * at), ms(300 * at + 250), word) for at, word in enumerate(SENTENCE.split())]
    made = transcript(segment(0, 20, SENTENCE, 0, *words))

    first, second = parsed(to_web_vtt(made))

    assert first.lines == ("The quick brown fox", "jumps over the lazy dog,")
    assert (first.start, first.end) == (ms(0), ms(300 * 8 + 250))
    assert (second.start, second.end) == (words[9].start, words[-1].end)


def test_words_without_the_commas_of_the_text_still_give_their_times() -> None:
    words = [TranscriptWord(seconds(at), seconds(at + 1), word.strip(",.")) for at, word in enumerate(SENTENCE.split())]

    cues = parsed(to_web_vtt(transcript(segment(0, 60, SENTENCE, 0, *words))))

    assert cues[1].start == cues[0].end == seconds(len(cues[0].text.split()))


def test_a_cue_is_shown_for_seven_seconds_at_most() -> None:
    words = [TranscriptWord(seconds(3 * at), seconds(3 * at + 1), "so") for at in range(6)]

    cues = parsed(to_web_vtt(transcript(segment(0, 16, "so so so so so so", 0, *words))))

    assert [(cue.start, cue.end) for cue in cues] == [(seconds(0), seconds(7)), (seconds(9), seconds(16))]


def test_without_words_the_time_is_divided_by_the_letters() -> None:
    cues = parsed(to_web_vtt(transcript(segment(0, 20, "aaaa bbbb " * 20))))

    assert cues[0].start == seconds(0)
    assert cues[-1].end == seconds(20)
    for cue in cues:
        assert cue.end - cue.start == seconds(20 * len(cue.text.split()) / 40)


def test_what_has_no_spaces_is_cut_all_the_same() -> None:
    cues = parsed(to_web_vtt(transcript(segment(0, 10, "天" * 100))))

    assert [line for cue in cues for line in cue.lines] == ["天" * 42, "天" * 42, "天" * 16]


def test_for_people_every_segment_is_a_line() -> None:
    made = transcript(segment(0, 1.9, "Hello?\nAnybody there?", 0), segment(3661, 3662, " Yes. ", 1))

    assert to_plain_text(made, ["Agent"]) == ("[00:00:00] Agent: Hello? Anybody there?\n[01:01:01] Channel 2: Yes.\n")
    assert to_plain_text(transcript(segment(5, 6, "Alone."))) == "[00:00:05] Alone.\n"
