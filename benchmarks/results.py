"""What a benchmark finds, against what was aimed at, as one line to be read."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from statistics import median

#: The unit of ratios.
RATIO = "\N{MULTIPLICATION SIGN}"
#: Prints a line at once.
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Target:
    """What a figure should be: at least, or at most, the limit."""

    limit: float
    unit: str
    at_most: bool = False

    def verdict(self, figure: float) -> str:
        """Whether it is met, or by how much it is missed."""
        missed_by = figure - self.limit if self.at_most else self.limit - figure
        if missed_by <= 0:
            return "met"
        return f"MISSED by {_number(missed_by)} {self.unit} ({missed_by / self.limit:.0%})"

    def __str__(self) -> str:
        return f"at {'most' if self.at_most else 'least'} {_number(self.limit)} {self.unit}"


@dataclass(frozen=True, slots=True)
class Result:
    """One figure. `measured` says what it was made of: figure and baseline, as they were measured in the same run."""

    subject: str
    measured: str
    figure: float
    target: Target

    def __str__(self) -> str:
        figure = f"{_number(self.figure)} {self.target.unit}"
        return f"{self.subject}: {self.measured}; {figure}, target {self.target}: {self.target.verdict(self.figure)}"


#: A benchmark: says how it is getting on, and gives its results as they come.
Benchmark = Callable[[Say], Iterator[Result]]


#: Two things that were measured one right after the other.
Pair = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Comparison:
    """The medians of two things that were measured in turns, and the median of the ratios of neighbours."""

    first: float
    second: float
    ratio: float


def measure_in_turns(rounds: int, first: Callable[[], float], second: Callable[[], float]) -> list[Pair]:
    """Measures in turns, A B A B …, so that whatever else the machine does meets both alike.

    One round more than is asked for: the first one, in which caches are filled, is thrown away.
    """
    return [(first(), second()) for _ in range(rounds + 1)][1:]


def compare(pairs: Sequence[Pair], unit: str, say: Say) -> Comparison:
    """What pairs of measurements come to. Says each of them, for whoever wonders at the medians."""
    say("  " + ", ".join(f"{_number(a)} | {_number(b)}" for a, b in pairs) + f" {unit}")
    return Comparison(median(a for a, _ in pairs), median(b for _, b in pairs), median(a / b for a, b in pairs))


def spread(values: Sequence[float], unit: str) -> str:
    """Many values in few words: the median, and between what they lie."""
    return f"{_number(median(values))} {unit} ({_number(min(values))} to {_number(max(values))})"


def _number(value: float) -> str:
    """Three digits are as many as a shared machine gives."""
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"
