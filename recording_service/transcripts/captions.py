"""A transcript as others read it: WebVTT for players, plain text for people.

Captions are cut by what the field has agreed on, so that they can be read while they are heard: two lines of 42
characters and seven seconds at most (Netflix, Timed Text Style Guide: General Requirements; BBC Subtitle Guidelines).
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from itertools import pairwise
from typing import NamedTuple

from recording_service.transcripts.transcript import MILLISECOND, Transcript, TranscriptSegment, milliseconds_of

#: Most characters of a line of captions.
LINE_CHARACTERS = 42

#: Most lines of a cue.
CUE_LINES = 2

#: Longest time that one cue is shown, where it has more than one word.
CUE_TIME = timedelta(seconds=7)

#: What a cue had better end with, if it has to end within a segment.
_PAUSES = (".", "?", "!", "…", ",", ";", ":", "。", "？", "！", "、", "，")  # noqa: RUF001 - the full-width ones

#: What stands for markup's own characters in a cue's text and in a speaker's name (WebVTT §4.2.2).
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


class _Token(NamedTuple):
    """What is not divided: a word, as it is written."""

    start: timedelta
    end: timedelta
    text: str


class _Cue(NamedTuple):
    """What is shown at once."""

    start: timedelta
    end: timedelta
    channel: int
    text: str


def to_web_vtt(transcript: Transcript, speakers: Sequence[str] = (), channels: int = 1) -> str:
    """The transcript as WebVTT (W3C): a cue for each piece of what was said, in the order of their beginnings.

    Where the recording has more than one channel, each cue has its speaker's name. `speakers` are the names of the
    channels, from 0; what has none is called "Channel 1" and so on. `channels` counts those on which nobody speaks too.
    """
    cues = [cue for segment in transcript.segments for cue in _cues(segment)]
    cues.sort(key=lambda cue: (cue.start, cue.channel))
    named = _has_several_channels(transcript, speakers, channels)
    blocks = ["WEBVTT\n"]
    for cue in cues:
        voice = f"<v {_name(cue.channel, speakers).translate(_ESCAPES)}>" if named else ""
        # The end of a cue is after its beginning (§4.1).
        times = f"{_stamp(cue.start)} --> {_stamp(max(cue.end, cue.start + MILLISECOND))}"
        lines = "\n".join(line.translate(_ESCAPES) for line in _lines(cue.text))
        blocks.append(f"{times}\n{voice}{lines}\n")
    return "\n".join(blocks)


def to_plain_text(transcript: Transcript, speakers: Sequence[str] = (), channels: int = 1) -> str:
    """The transcript for people, a line a segment: `[HH:MM:SS] Speaker: text`. Speakers are named as in WebVTT."""
    named = _has_several_channels(transcript, speakers, channels)
    lines = []
    for segment in transcript.segments:
        if text := _on_one_line(segment.text):
            speaker = f"{_name(segment.channel, speakers)}: " if named else ""
            lines.append(f"[{_stamp(segment.start).partition('.')[0]}] {speaker}{text}\n")
    return "".join(lines)


def _has_several_channels(transcript: Transcript, speakers: Sequence[str], channels: int) -> bool:
    return max(len(speakers), channels) > 1 or any(segment.channel > 0 for segment in transcript.segments)


def _name(channel: int, speakers: Sequence[str]) -> str:
    name = _on_one_line(speakers[channel]) if channel < len(speakers) else ""
    return name or f"Channel {channel + 1}"


def _on_one_line(text: str) -> str:
    """The text, with one space for whatever separates its words. NUL is no character of a caption (WebVTT §4.1)."""
    return " ".join(text.replace("\0", " ").split())


def _stamp(time: timedelta) -> str:
    seconds, milliseconds = divmod(milliseconds_of(time), 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02d}:{minutes:02d}:{seconds:02d}.{milliseconds:03d}"


def _cues(segment: TranscriptSegment) -> Iterator[_Cue]:
    tokens = list(_tokens(segment))
    while tokens:
        count = _fitting(tokens)
        if count < len(tokens):
            count = _before_a_pause(tokens, count)
        shown, tokens = tokens[:count], tokens[count:]
        yield _Cue(shown[0].start, shown[-1].end, segment.channel, " ".join(token.text for token in shown))


def _fitting(tokens: Sequence[_Token]) -> int:
    """How many of the tokens, at least one, fit into one cue."""
    lines, length = 1, len(tokens[0].text)
    for count, token in enumerate(tokens[1:], start=1):
        length += 1 + len(token.text)
        if length > LINE_CHARACTERS:
            lines, length = lines + 1, len(token.text)
        if lines > CUE_LINES or token.end - tokens[0].start > CUE_TIME:
            return count
    return len(tokens)


def _before_a_pause(tokens: Sequence[_Token], count: int) -> int:
    """How many of so many tokens are shown if the rest has to wait: up to the last pause in their second half."""
    for earlier in range(count, (count - 1) // 2, -1):
        if tokens[earlier - 1].text.endswith(_PAUSES):
            return earlier
    return count


def _tokens(segment: TranscriptSegment) -> Iterable[_Token]:
    """The words as they are written, with their own times if the transcriber gave them, else with times by length.

    The transcriber's words may lack what is written around them, such as commas; as many as are written are the same.
    """
    written = _on_one_line(segment.text).split()
    starts = [word.start for word in segment.words]
    if len(written) == len(starts) and starts == sorted(starts):
        tokens: Iterable[_Token] = map(_Token, starts, (word.end for word in segment.words), written)
    else:
        tokens = _spread(written, segment.start, segment.end)
    return [piece for token in tokens for piece in _pieces(token)]


def _pieces(token: _Token) -> Iterable[_Token]:
    """The token, in pieces that fit on a line: not every script puts spaces between its words.

    All but the last fill a line, so that what divides them is the end of a line or of a cue, and never a space.
    """
    texts = [token.text[at : at + LINE_CHARACTERS] for at in range(0, len(token.text), LINE_CHARACTERS)]
    return [token] if len(texts) == 1 else _spread(texts, token.start, token.end)


def _spread(texts: Sequence[str], start: timedelta, end: timedelta) -> Iterable[_Token]:
    """The texts one after another in that span, each as long as it has characters."""
    total = sum(map(len, texts))
    passed = 0
    places = [start]
    for text in texts:
        passed += len(text)
        places.append(start + (end - start) * passed / total)
    return [_Token(begin, over, text) for (begin, over), text in zip(pairwise(places), texts, strict=True)]


def _lines(text: str) -> Sequence[str]:
    """What one cue shows, on one line if it fits, else on two of which the longer one is as short as can be."""
    if len(text) <= LINE_CHARACTERS:
        return [text]
    spaces = [at for at, character in enumerate(text) if character == " "]
    best = min(spaces, key=lambda at: max(at, len(text) - at - 1))
    return [text[:best], text[best + 1 :]]
