"""Writes results into clients/README.md, between its markers."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from clients.conformance.languages import CLIENTS
from clients.conformance.scenario import Scenario

README: Final[Path] = CLIENTS / "README.md"
#: By scenario and language: whether it passed.
Results = Mapping[str, Mapping[str, bool]]


def matrix_of(scenarios: Sequence[Scenario], results: Results) -> str:
    """The table of scenarios by languages, in topics."""
    languages = list(next(iter(results.values()), {}))
    lines = [f"| scenario | {' | '.join(languages)} |", f"|---|{'---|' * len(languages)}"]
    topic = ""
    for scenario in scenarios:
        if scenario.topic != topic:
            topic = scenario.topic
            lines.append(f"| **{topic}** |{' |' * len(languages)}")
        marks = ("✓" if results[scenario.name][language] else "✗" for language in languages)
        lines.append(f"| {scenario.name} | {' | '.join(marks)} |")
    return "\n".join(lines)


def write(marker: str, text: str) -> None:
    """Puts the text between the page's markers of that name. ValueError if they aren't there."""
    page = README.read_text(encoding="utf-8")
    between = re.compile(rf"(<!-- {marker}: .*?-->\n).*?(<!-- end of {marker} -->)", re.DOTALL)
    if between.search(page) is None:
        raise ValueError(f"{README.name} has no place for {marker}")
    README.write_text(between.sub(lambda found: f"{found[1]}{text}\n{found[2]}", page), encoding="utf-8")
