import re
from pathlib import Path

from recordings.command_line.importing.columns import USUAL_NAMES, columns_of
from recordings.v1.enqueue_pb2 import EnqueueRecordingRequest

DOCUMENT = Path(__file__).parents[4] / "clients/python/COMMAND_LINE.md"


def test_every_usual_name_is_documented_and_no_other() -> None:
    rows = re.findall(r"^\| `(\w+)` \| ([^|]*) \|$", DOCUMENT.read_text(), re.MULTILINE)
    documented = {field: tuple(re.findall(r"`(\w+)`", names.partition(" (")[0])) for field, names in rows}

    assert documented == USUAL_NAMES


def test_every_field_is_the_contracts() -> None:
    assert set(USUAL_NAMES) <= set(EnqueueRecordingRequest.DESCRIPTOR.fields_by_name)


def test_a_name_stands_for_one_field() -> None:
    names = [name for names in USUAL_NAMES.values() for name in names]

    assert len(names) == len(set(names))
    assert all(columns_of(()).of(name) for name in names)
