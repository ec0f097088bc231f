import io
import json

import pytest

from recordings.command_line.importing.columns import columns_of
from recordings.command_line.importing.csv_rows import Row
from recordings.command_line.importing.json_rows import JsonRows
from recordings.command_line.importing.lines import Lines, Refused

SID = "RE" + "1" * 32


def rows_of(content: bytes) -> list[Row | Refused]:
    return list(JsonRows(Lines(io.BytesIO(content), "utf-8"), columns_of(())))


def test_an_object_a_line_is_a_row_with_labels_and_numbers() -> None:
    line = json.dumps({"RecordingSid": SID, "duration": 12, "labels": {"Agent": "ann"}, "from": None, "to": ""})

    assert rows_of(b"\xef\xbb\xbf" + line.encode() + b"\r\n\r\n") == [
        Row(1, {"recording_sid": SID, "duration": "12", "labels.Agent": "ann"})
    ]


@pytest.mark.parametrize(
    "line",
    [
        "{",
        "nonsense",
        "[1]",
        '"text"',
        '{"sid": ["x"]}',
        '{"sid": true}',
        '{"labels": 5}',
        '{"labels": {"a": {}}}',
        "[" * 100_000,
        '{"duration": ' + "9" * 5000 + "}",
    ],
)
def test_a_line_that_is_no_row_is_refused_and_the_next_one_is_not(line: str) -> None:
    found = rows_of(f'{line}\n{{"sid": "{SID}"}}\n'.encode())

    assert isinstance(found[0], Refused)
    assert found[1] == Row(2, {"recording_sid": SID})


def test_the_more_telling_name_counts_in_whichever_order() -> None:
    for members in ({"sid": "x", "recording_sid": SID}, {"recording_sid": SID, "sid": "x"}):
        assert rows_of(json.dumps(members).encode()) == [Row(1, {"recording_sid": SID})]


def test_unknown_names_are_kept_to_be_told_and_not_without_end() -> None:
    lines = b"".join(json.dumps({"sid": SID, f"x{number}": 1}).encode() + b"\n" for number in range(5000))
    rows = JsonRows(Lines(io.BytesIO(lines), "utf-8"), columns_of(()))

    assert len(list(rows)) == 5000
    assert len(rows.ignored) == 20
