"""`recordings import`."""

import sys
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import tzinfo
from pathlib import Path
from typing import BinaryIO, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import click

from recordings.command_line.connection import Connection, pass_connection
from recordings.command_line.exit_codes import CommandFailed, ExitCode
from recordings.command_line.importing.columns import columns_of
from recordings.command_line.importing.csv_rows import CsvRows
from recordings.command_line.importing.entries import Defaults, Entry, Outcome, entry_of
from recordings.command_line.importing.json_rows import JsonRows
from recordings.command_line.importing.lines import Lines
from recordings.command_line.importing.report import Report
from recordings.command_line.output import complain
from recordings.command_line.parameters import DurationType, EnumType, LabelType
from recordings.command_line.progress import progress
from recordings.v1.recording_pb2 import Priority, RecordingJob

_JSON_SUFFIXES: Final = frozenset({".jsonl", ".ndjson", ".json"})
_CSV_SUFFIXES: Final = frozenset({".csv", ".tsv"})
#: How many bytes are looked at to tell CSV from JSON lines.
_PEEK_BYTES: Final = 512


@click.command(
    "import",
    epilog="""\b
Examples:
  recordings import calls.csv --dry-run
  recordings import calls.csv --map 'Audio=source_url' --label origin=calls-2025 --report report.jsonl
  sqlite3 -csv -header calls.db 'select recording_url, start_time from calls' | recordings import - --time-zone UTC
""",
)
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False, allow_dash=True))
@click.option("--format", "file_format", type=click.Choice(["csv", "jsonl"]), help="By default seen by the name.")
@click.option("--encoding", default="utf-8", show_default=True, help="Of the text, such as latin-1.")
@click.option("--map", "mappings", multiple=True, metavar="COLUMN=FIELD", help="What a column is; - ignores it.")
@click.option("--time-zone", metavar="NAME", help="Of times that have none, such as UTC or Europe/Berlin.")
@click.option("--account-sid", default="", metavar="AC…", help="Twilio's account, of lines that name none.")
@click.option("--job", type=EnumType(RecordingJob), default=0, help="What is to be done.  [full]")
@click.option("--priority", type=EnumType(Priority), default="bulk", show_default=True, help="How urgent it is.")
@click.option("--label", "labels", type=LabelType(), multiple=True, help="A label of every line; may be repeated.")
@click.option("--dry-run", is_flag=True, help="Only check the lines; ask nobody.")
@click.option(
    "--report", type=click.Path(path_type=Path, dir_okay=False), help="Write the lines' outcomes there (JSON)."
)
@click.option("--json", "as_json", is_flag=True, help="Print the lines' outcomes as JSON lines.")
@click.option("--patience", type=DurationType(), default="2m", show_default=True, help="How long to try again.")
@pass_connection
def import_(
    connection: Connection,
    file: Path,
    file_format: str | None,
    encoding: str,
    mappings: tuple[str, ...],
    time_zone: str | None,
    account_sid: str,
    job: RecordingJob,
    priority: Priority,
    labels: tuple[tuple[str, str], ...],
    dry_run: bool,
    report: Path | None,
    as_json: bool,
    patience: float,
) -> ExitCode:
    """Ask for all recordings of a FILE (- for stdin) from another system, such as a call log: CSV, or JSON lines.

    A line names its recording by a column such as recording_sid, or by one such as recording_url whose path has the
    SIDs. Each line's outcome is printed: ENQUEUED, CACHED, DUPLICATE, SKIPPED (it names no recording), or REFUSED and
    why, in which case the exit code is 8. Refused lines don't keep others from being done. Running it again is safe.
    """
    if report is not None and report.exists() and file.exists() and report.samefile(file):
        raise click.UsageError("--report: is the file that is read; name another")
    columns = columns_of(mappings)
    defaults = Defaults(account_sid=account_sid, job=job, priority=priority, labels=dict(labels), zone=_zone(time_zone))
    with ExitStack() as stack:
        source = sys.stdin.buffer if file == Path("-") else stack.enter_context(file.open("rb"))
        lines = Lines(source, encoding)
        kind = file_format or _format(file, source)
        rows = CsvRows(lines, columns) if kind == "csv" else JsonRows(lines, columns)
        entries = (entry_of(row, defaults) for row in rows)
        written = Report(stack.enter_context(report.open("w", encoding="utf-8")) if report else None, as_json=as_json)
        total = file.stat().st_size if file.is_file() else 0
        # Lines of a table between those of a bar would be neither.
        bar = stack.enter_context(progress(file.name, total, wanted=report is not None or not sys.stdout.isatty()))
        done = 0
        for _ in _outcomes(entries, written, connection, dry_run=dry_run, patience=patience, stack=stack):
            bar.update(lines.bytes_read - done)
            done = lines.bytes_read
    if rows.ignored:
        complain(f"import: columns that mean nothing here: {', '.join(rows.ignored)} (--map gives them a meaning)")
    complain(f"import: {written.summary}")
    return ExitCode.SOME_REFUSED if written.refused else ExitCode.OK


def _outcomes(
    entries: Iterator[Entry],
    report: Report,
    connection: Connection,
    *,
    dry_run: bool,
    patience: float,
    stack: ExitStack,
) -> Iterator[None]:
    """Sends and reports batch by batch; yields after each."""
    from recordings.command_line.failures import exit_code_of
    from recordings.command_line.importing.sending import BATCH_SECONDS, Sender, batches, stopped
    from recordings.errors import RecordingsError

    sender = None
    if not dry_run:
        client = stack.enter_context(connection.client())
        sender = Sender(client, patience=patience, timeout=max(connection.timeout or 0.0, BATCH_SECONDS))
    batch: list[Entry] = []
    try:
        for batch in batches(entries):
            if sender is not None:
                sender.send(batch)
            for entry in batch:
                entry.outcome = entry.outcome or Outcome.CHECKED
            report.write(batch)
            batch = []
            yield
    except RecordingsError as error:
        report.write(batch)
        raise CommandFailed(exit_code_of(error), stopped(error, report.last_line)) from error
    except KeyboardInterrupt:
        report.write(batch)
        text = f"import: interrupted after line {report.last_line}; run it again from the start: that is safe"
        raise CommandFailed(ExitCode.INTERRUPTED, text) from None


def _format(file: Path, source: BinaryIO) -> str:
    suffix = file.suffix.lower()
    if suffix in _JSON_SUFFIXES:
        return "jsonl"
    if suffix in _CSV_SUFFIXES:
        return "csv"
    peek = getattr(source, "peek", None)
    begin: bytes = peek(_PEEK_BYTES) if peek else b""
    return "jsonl" if begin.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{") else "csv"


def _zone(name: str | None) -> tzinfo | None:
    if name is None:
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise click.UsageError(f"--time-zone: {name!r} is unknown; write it like UTC or Europe/Berlin") from None
