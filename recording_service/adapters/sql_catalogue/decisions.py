"""What `amend` has decided: the rows as they are to be, and what its caller is told. Touches no database."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from recording_service.core.model import Recording, RecordingKey
from recording_service.core.ports import Amended, Decide


class Change(NamedTuple):
    """A row to be written: as it was read (None: there was none), and as it should be."""

    before: Recording | None
    after: Recording


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be written, in the order of the keys, and what is then told, in the order in which it was asked."""

    changes: Sequence[Change]
    results: Sequence[Amended]


def plan(asked: Sequence[tuple[RecordingKey, Decide]], before: Mapping[RecordingKey, Recording]) -> Plan:
    """Has every row decided on; whatever a decision raises is raised on.

    Where a key occurs twice, both results have the row as the last decision leaves it: no other is ever stored.
    """
    after = dict(before)
    is_changed = []
    for key, decide in asked:
        recording = after.get(key)
        decision = decide(recording)
        if decision is not None:
            _check(key, recording, decision)
            after[key] = decision
        is_changed.append(decision is not None)
    written = sorted(key for key, recording in after.items() if recording is not before.get(key))
    return Plan(
        changes=[Change(before.get(key), after[key]) for key in written],
        results=[Amended(after.get(key), changed) for (key, _), changed in zip(asked, is_changed, strict=True)],
    )


def _check(key: RecordingKey, before: Recording | None, after: Recording) -> None:
    if after.key != key:
        raise ValueError("a decision must not change the key of a recording")
    if before is not None and after.revision <= before.revision:
        raise ValueError("a decision must set a higher revision")
