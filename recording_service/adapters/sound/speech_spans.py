"""Where one channel's speech is cut into clips, by how loud each of its windows is.

Something is said wherever a window is not silent. What is said within two seconds of each other belongs together, as
long as it fits a clip; where it does not, the cut is made in the last silence that is long enough to lie between two
words, else in the longest there is, and only where somebody never pauses at all, at the quietest place.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from recording_service.adapters.sound.loudness import Energies
from recording_service.adapters.sound.silence import SILENCE_ENERGY

#: In windows of 20 ms. A silence as long as this ends a clip.
_CLIP_ENDING_SILENCE = 100
#: Between two words, and hardly ever within one: 300 ms (a stop consonant closes the mouth for less than 150).
_WORD_GAP = 15
#: Of silence left before and after what is said: 200 ms, so that no soft beginning or ending is lost.
MARGIN = 10
#: Shorter sounds by themselves are clicks of the line: 60 ms.
_SHORTEST_SOUND = 3
#: Over how many windows the quietest place is looked for: 100 ms.
_SMOOTHING = 5


class Span(NamedTuple):
    """Windows, `end` exclusive."""

    begin: int
    end: int


def speech_spans(energies: Energies, longest: int) -> list[Span]:
    """Spans of at most `longest` windows in which something is said, with their margins, none over another."""
    longest_sound = longest - 2 * MARGIN
    spans = [
        span
        for stretch in _stretches(_sounds(energies))
        for span in _fitting(stretch, energies, longest_sound)
        if sum(end - begin for begin, end in stretch) >= _SHORTEST_SOUND
    ]
    return list(_with_margins(spans, len(energies)))


def _sounds(energies: Energies) -> list[Span]:
    """The runs of windows that are not silent."""
    edges = np.flatnonzero(np.diff(energies >= SILENCE_ENERGY, prepend=False, append=False))
    return [Span(int(begin), int(end)) for begin, end in edges.reshape(-1, 2)]


def _stretches(sounds: Sequence[Span]) -> Iterator[list[Span]]:
    """The sounds that belong together: those with no clip-ending silence between them."""
    stretch: list[Span] = []
    for sound in sounds:
        if stretch and sound.begin - stretch[-1].end >= _CLIP_ENDING_SILENCE:
            yield stretch
            stretch = []
        stretch.append(sound)
    if stretch:
        yield stretch


def _fitting(stretch: Sequence[Span], energies: Energies, longest: int) -> Iterator[Span]:
    """A stretch in pieces that are short enough, without margins."""
    fitting: list[Span] = []
    left = [*reversed(stretch)]
    while left:
        sound = left.pop()
        if not fitting and sound.end - sound.begin > longest:
            cut = _quietest(energies, sound.begin + longest // 2, sound.begin + longest)
            yield Span(sound.begin, cut)
            left.append(Span(cut, sound.end))
        elif not fitting or sound.end - fitting[0].begin <= longest:
            fitting.append(sound)
        else:
            count = _sounds_before_the_cut([*fitting, sound])
            yield Span(fitting[0].begin, fitting[count - 1].end)
            left += [sound, *reversed(fitting[count:])]
            fitting = []
    if fitting:
        yield Span(fitting[0].begin, fitting[-1].end)


def _sounds_before_the_cut(sounds: Sequence[Span]) -> int:
    """How many of these, which don't fit all, go into one clip: at least the first, never the last."""
    gaps = [after.begin - before.end for before, after in pairwise(sounds)]
    between_words = [index for index, gap in enumerate(gaps) if gap >= _WORD_GAP]
    if between_words:
        return between_words[-1] + 1
    middle = (sounds[0].begin + sounds[-1].begin) // 2
    late = [index for index, before in enumerate(sounds[:-1]) if before.end >= middle] or range(len(gaps))
    return max(late, key=lambda index: (gaps[index], index)) + 1


def _quietest(energies: Energies, begin: int, end: int) -> int:
    """The middle of the quietest place in these windows."""
    smooth = np.convolve(energies[begin:end], np.full(_SMOOTHING, 1 / _SMOOTHING), mode="valid")
    return begin + int(smooth.argmin()) + _SMOOTHING // 2


def _with_margins(spans: Sequence[Span], windows: int) -> Iterator[Span]:
    """Each with MARGIN around it where there is room; of a shorter silence between two, each gets a half."""
    ends = [0, *(span.end for span in spans)]
    begins = [*(span.begin for span in spans), windows]
    for index, (begin, end) in enumerate(spans):
        before, after = begin - ends[index], begins[index + 1] - end
        yield Span(
            begin - min(MARGIN, before - before // 2 if index else before),
            end + min(MARGIN, after // 2 if index + 1 < len(spans) else after),
        )
