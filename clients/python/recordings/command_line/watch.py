"""`recordings watch`."""

import click

from recordings.command_line.connection import Connection, account_option, pass_connection
from recordings.command_line.exit_codes import ExitCode
from recordings.command_line.output import (
    Table,
    as_dict,
    print_json,
    processing_name,
    rfc3339,
    state_name,
    why,
)
from recordings.command_line.parameters import DurationType, EnumType
from recordings.v1.recording_pb2 import ProcessingState, Recording, RecordingState
from recordings.v1.watch_pb2 import WatchUntil

_CODES = {
    RecordingState.RECORDING_STATE_FAILED: ExitCode.FAILED,
    RecordingState.RECORDING_STATE_DELETED: ExitCode.NOT_FOUND,
}


@click.command(
    epilog="""\b
Examples:
  recordings watch RE0123456789abcdef0123456789abcdef --timeout 10m
  recordings watch RE0123456789abcdef0123456789abcdef --until processed && echo done
"""
)
@click.argument("recording_sid", metavar="SID")
@account_option
@click.option("--until", type=EnumType(WatchUntil), default="ready", show_default=True, help="How long to watch.")
@click.option("--timeout", type=DurationType(), help="Longest watch; then the exit code is 6.  [none]")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@pass_connection
def watch(
    connection: Connection,
    recording_sid: str,
    account_sid: str,
    until: WatchUntil,
    timeout: float | None,
    as_json: bool,
) -> ExitCode:
    """Follow a recording: a line now, and one after each change, until it is READY, FAILED or DELETED.

    Ends with 0 if it is READY (or processed, as asked), with 5 if it is FAILED (or its processing, where that was
    waited for), with 3 if it is DELETED. Goes on by
    itself when the service restarts.
    """
    table = Table(update_time=20, state=11, attempt=7, received_bytes=14, processing=10, why=0)
    last = Recording()
    with connection.client() as client:
        for recording in client.watch(recording_sid, account_sid=account_sid, until=until, timeout=timeout):
            last = recording
            if as_json:
                print_json(as_dict(recording))
            else:
                table.row(*_cells(recording))
    if until == WatchUntil.WATCH_UNTIL_PROCESSED and last.processing_state == ProcessingState.PROCESSING_STATE_FAILED:
        return ExitCode.FAILED
    return _CODES.get(last.state, ExitCode.OK)


def _cells(recording: Recording) -> tuple[str, ...]:
    return (
        rfc3339(recording.update_time),
        state_name(recording),
        str(recording.attempt) if recording.attempt else "",
        str(recording.size_bytes or recording.received_bytes or ""),
        processing_name(recording),
        why(recording),
    )
