"""A scenario: what is asked, what happens meanwhile, and what every client must answer."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

FOLDER: Final = Path(__file__).parent / "scenarios"
#: For a runner's answer, in seconds, where a scenario does not say another.
_USUAL_SECONDS: Final = 30.0

Json = Any
#: Gives what a placeholder stands for: `$sid:one`, `$sha256:one:10:20`, `$target`, …
Lookup = Callable[[str], Json]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One row of the matrix, as its JSON has it.

    Attributes:
        name: a sentence.
        topic: the file that it is in.
        request: the runner's; strings that begin with `$` are placeholders.
        expect: `result`, `error` or both. Of each, the fields that are named must be equal; others are not compared. A
            list under `one_of` has several values that will do.
        faults: what the proxy does.
        before: what is done to the service first.
        openings: the streams of bytes that must have been asked for: `[offset, length, etag]`, null for any; or how
            many, as a number.
        calls: how often a method must have been called.
        within: for the answer, in seconds.
        idle_within: until the service counts no stream and no watch any more, in seconds.
    """

    name: str
    topic: str
    request: Mapping[str, Json]
    expect: Mapping[str, Json]
    faults: Mapping[str, Json] = field(default_factory=dict)
    before: Sequence[str] = ()
    openings: int | Sequence[Sequence[Json]] | None = None
    calls: Mapping[str, int] = field(default_factory=dict)
    within: float = _USUAL_SECONDS
    idle_within: float = 3.0


def scenarios() -> list[Scenario]:
    """All of them, by topic."""
    found = [
        Scenario(topic=file.stem, **described)
        for file in sorted(FOLDER.glob("*.json"))
        for described in json.loads(file.read_text(encoding="utf-8"))
    ]
    if len({each.name for each in found}) != len(found):
        raise ValueError("two scenarios have the same name")
    return found


def filled(value: Json, lookup: Lookup) -> Json:
    """The value with its placeholders replaced."""
    if isinstance(value, str) and value.startswith("$"):
        return lookup(value[1:])
    if isinstance(value, Mapping):
        return {key: filled(each, lookup) for key, each in value.items()}
    if isinstance(value, list):
        return [filled(each, lookup) for each in value]
    return value


def differences(expected: Mapping[str, Json], answer: Mapping[str, Json]) -> list[str]:
    """What is wrong with the answer, a line each; nothing if it is as expected."""
    wrong = []
    if "error" in answer and "error" not in expected:
        wrong.append(f"has an error, and should not: {_short(answer['error'])}")
    for part, fields in expected.items():
        if part not in answer:
            wrong.append(f"has no {part}")
            continue
        for name, value in fields.items():
            found = answer[part].get(name)
            if not _fits(value, found):
                wrong.append(f"{part}.{name} is {_short(found)}, and should be {_short(value)}")
    return wrong


def _fits(value: Json, found: Json) -> bool:
    if isinstance(value, Mapping) and "one_of" in value:
        return found in value["one_of"]
    if isinstance(value, Mapping):
        return isinstance(found, Mapping) and all(_fits(each, found.get(key)) for key, each in value.items())
    return bool(found == value)


def _short(value: Json) -> str:
    text = json.dumps(value)
    return text if len(text) < 200 else f"{text[:200]}…"
