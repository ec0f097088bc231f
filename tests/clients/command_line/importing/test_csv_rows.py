import io
import tracemalloc
from collections.abc import Iterator

import click
import pytest

from recordings.command_line.importing.columns import columns_of
from recordings.command_line.importing.csv_rows import MAX_RECORD_LINES, CsvRows, Row
from recordings.command_line.importing.lines import MAX_LINE_BYTES, Lines, LineSource, Refused

SID = "RE" + "1" * 32
OTHER = "RE" + "2" * 32


def rows_of(content: bytes, *mappings: str, encoding: str = "utf-8") -> list[Row | Refused]:
    return list(CsvRows(Lines(io.BytesIO(content), encoding), columns_of(mappings)))


def sids_and_refusals(content: bytes, encoding: str = "utf-8") -> list[tuple[int, str]]:
    return [
        (row.line, row.values.get("recording_sid", "") if isinstance(row, Row) else "refused")
        for row in rows_of(content, encoding=encoding)
    ]


@pytest.mark.parametrize(
    "name", ["recording_sid", "RecordingSid", "Recording SID", "recordingsid", " SID ", "recording-sid", "\ufeffsid"]
)
def test_usual_names_of_columns_are_known(name: str) -> None:
    assert rows_of(f"{name}\n{SID}\n".encode()) == [Row(2, {"recording_sid": SID})]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_delimiters_line_ends_and_byte_order_marks_are_seen(delimiter: str, end: str, mark: str) -> None:
    content = mark + delimiter.join(("sid", "from")) + end + delimiter.join((SID, "+1")) + end

    assert rows_of(content.encode()) == [Row(2, {"recording_sid": SID, "from_number": "+1"})]


def test_a_quoted_cell_may_have_line_breaks_and_the_next_row_knows_its_line() -> None:
    content = f'sid,label.note\n{SID},"one\ntwo ""three""\n"\n{OTHER},x\n'.encode()

    assert rows_of(content) == [
        Row(2, {"recording_sid": SID, "labels.note": 'one\ntwo "three"'}),
        Row(5, {"recording_sid": OTHER, "labels.note": "x"}),
    ]


def test_a_stray_quote_costs_its_own_line_and_no_other() -> None:
    lines = [f'{SID},"open', *(f"{OTHER},x" for _ in range(3 * MAX_RECORD_LINES))]

    found = sids_and_refusals("\n".join(("sid,from", *lines, "")).encode())

    assert found[0] == (2, "refused")
    assert found[1:] == [(number, OTHER) for number in range(3, 3 + 3 * MAX_RECORD_LINES)]


def test_two_stray_quotes_cost_their_own_lines() -> None:
    content = f'sid,from\n{SID},"open\n{OTHER},x\n{SID},"again\n{OTHER},y\n'.encode()

    assert sids_and_refusals(content) == [(2, "refused"), (3, OTHER), (4, "refused"), (5, OTHER)]


def test_a_quote_within_a_cell_is_a_quote() -> None:
    assert rows_of(f'sid,from\n{SID},5" pipe\n'.encode()) == [Row(2, {"recording_sid": SID, "from_number": '5" pipe'})]


def test_ragged_rows_are_refused_by_their_number() -> None:
    content = f"sid,from\n{SID}\n{OTHER},x\n{SID},x,y\n\n{OTHER},z,,\n".encode()

    assert sids_and_refusals(content) == [(2, "refused"), (3, OTHER), (4, "refused"), (6, OTHER)]
    assert rows_of(content)[0] == Refused(2, "has 1 cells, and the header has 2")


def test_a_line_beyond_all_measure_is_refused_in_little_memory() -> None:
    class Endless(io.RawIOBase):
        left = 200 * MAX_LINE_BYTES

        def readable(self) -> bool:
            return True

        def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
            taken = min(len(buffer), self.left)
            buffer[:taken] = b"x" * taken
            self.left -= taken
            return taken

    tracemalloc.start()
    body = io.BufferedReader(Endless())
    found = list(CsvRows(Lines(_Joined([f"sid\n{SID}\n".encode()], body), "utf-8"), columns_of(())))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert [row.line for row in found] == [2, 3]
    assert isinstance(found[1], Refused)
    assert peak < 8 * MAX_LINE_BYTES


class _Joined:
    """Some bytes, then those of a file."""

    def __init__(self, first: list[bytes], rest: LineSource) -> None:
        self._lines = iter(first[0].splitlines(keepends=True))
        self._rest = rest

    def readline(self, limit: int) -> bytes:
        return next(self._lines, None) or self._rest.readline(limit)


def test_a_long_file_takes_little_memory() -> None:
    def endless() -> Iterator[bytes]:
        yield b"sid,from\n"
        for number in range(100_000):
            yield f"RE{number:032x},+{number}\n".encode()

    class Lazy:
        def __init__(self) -> None:
            self._lines = endless()

        def readline(self, _limit: int) -> bytes:
            return next(self._lines, b"")

    tracemalloc.start()
    count = 0
    for row in CsvRows(Lines(Lazy(), "utf-8"), columns_of(())):
        assert isinstance(row, Row)
        count += 1
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert count == 100_000
    assert peak < 1 << 20


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "no header"),
        (b"\n \n", "no header"),
        (b"name,date\na,b\n", "--map"),
        ("sid\nRE1\n".encode("utf-16"), "iconv"),
        (b'"sid\n', "the header is no CSV"),
    ],
)
def test_a_file_that_is_none_is_wrong_usage(content: bytes, said: str) -> None:
    with pytest.raises(click.UsageError, match=said):
        rows_of(content)


def test_unknown_columns_are_named_and_ignored() -> None:
    rows = CsvRows(Lines(io.BytesIO(f"sid,Agent,Mood\n{SID},a,b\n".encode()), "utf-8"), columns_of(()))

    assert rows.ignored == ["Agent", "Mood"]
    assert list(rows) == [Row(2, {"recording_sid": SID})]


def test_map_names_a_column_ignores_one_and_makes_labels() -> None:
    content = f"Audio,sid,Agent\n{SID},nonsense,ann\n".encode()

    assert rows_of(content, "Audio=recording_sid", "sid=-", "Agent=labels.agent") == [
        Row(2, {"recording_sid": SID, "labels.agent": "ann"})
    ]


@pytest.mark.parametrize("mapping", ["Audio", "=recording_sid", "Audio=sound", "Audio=labels."])
def test_a_map_that_is_none_is_wrong_usage(mapping: str) -> None:
    with pytest.raises(click.UsageError, match="--map"):
        columns_of([mapping])


def test_the_more_telling_column_counts_and_an_empty_one_does_not() -> None:
    content = f"sid,recording_sid\n{OTHER},{SID}\n{OTHER},\n".encode()

    assert sids_and_refusals(content) == [(2, SID), (3, OTHER)]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "klingon"])
def test_an_encoding_without_plain_line_feeds_is_wrong_usage(encoding: str) -> None:
    with pytest.raises(click.UsageError):
        rows_of(b"sid\n", encoding=encoding)


def test_latin_1_is_read_when_it_is_named() -> None:
    content = f"sid,from\n{SID},Käthe\n".encode("latin-1")

    assert rows_of(content, encoding="latin-1") == [Row(2, {"recording_sid": SID, "from_number": "Käthe"})]
