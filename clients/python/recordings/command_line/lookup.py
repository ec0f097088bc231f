"""`recordings get` and `recordings list`."""

from datetime import datetime
from itertools import islice

import click

from recordings.command_line.connection import Connection, account_option, pass_connection
from recordings.command_line.output import (
    Table,
    as_dict,
    coloured,
    print_json,
    printable,
    rfc3339,
    short_name,
    state_name,
    why,
)
from recordings.command_line.parameters import EnumType, LabelType, TimeType
from recordings.v1.recording_pb2 import FailureReason, Recording, RecordingState

#: Most recordings of one page.
_PAGE_SIZE = 1000


@click.command(
    epilog="""\b
Examples:
  recordings get RE0123456789abcdef0123456789abcdef
  recordings get RE0123456789abcdef0123456789abcdef --json | jq -r .state
"""
)
@click.argument("recording_sid", metavar="SID")
@account_option
@click.option("--json", "as_json", is_flag=True, help="As one JSON object.")
@pass_connection
def get(connection: Connection, recording_sid: str, account_sid: str, as_json: bool) -> None:
    """Show what is known of a recording, and how far it is."""
    with connection.client() as client:
        recording = client.get(recording_sid, account_sid=account_sid)
    if as_json:
        print_json(as_dict(recording))
        return
    members = as_dict(recording)
    labels: dict[str, str] = members.pop("labels", {})
    lines = [(name, str(value)) for name, value in members.items()]
    lines += [(f"labels.{key}", value) for key, value in labels.items()]
    width = max(len(name) for name, _ in lines) + 1
    for name, value in lines:
        shown = coloured(state_name(recording)) if name == "state" else printable(value)
        click.echo(f"{printable(name) + ':':<{width}}  {shown}")


@click.command(
    "list",
    epilog="""\b
Examples:
  recordings list --state failed --from 2026-03-01
  recordings list --label customer=42 --json | jq -r .recording_sid
""",
)
@click.option(
    "--state", "states", type=EnumType(RecordingState), multiple=True, help="May be repeated, as all filters."
)
@click.option("--failure-reason", "failure_reasons", type=EnumType(FailureReason), multiple=True, help="Why it failed.")
@click.option("--account-sid", "account_sids", multiple=True, metavar="AC…", help="Of this account.")
@click.option("--call-sid", "call_sids", multiple=True, metavar="CA…", help="Of this call.")
@click.option("--label", "labels", type=LabelType(), multiple=True, help="With this label; with all of them.")
@click.option("--from", "create_time_from", type=TimeType(), help="First enqueued then or later.")
@click.option("--before", "create_time_before", type=TimeType(), help="First enqueued earlier.")
@click.option("--limit", type=click.IntRange(min=1), help="At most so many.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@pass_connection
def list_(
    connection: Connection,
    states: tuple[RecordingState, ...],
    failure_reasons: tuple[FailureReason, ...],
    account_sids: tuple[str, ...],
    call_sids: tuple[str, ...],
    labels: tuple[tuple[str, str], ...],
    create_time_from: datetime | None,
    create_time_before: datetime | None,
    limit: int | None,
    as_json: bool,
) -> None:
    """List recordings, newest first; deleted ones only with --state deleted.

    Values of one filter are alternatives; different filters, and all labels, must hold together.
    """
    table = Table(recording_sid=34, state=11, size_bytes=10, duration=8, create_time=20, call_sid=34, why=0)
    with connection.client() as client:
        recordings = client.list(
            states=states,
            failure_reasons=failure_reasons,
            account_sids=account_sids,
            call_sids=call_sids,
            labels=dict(labels),
            create_time_from=create_time_from,
            create_time_before=create_time_before,
            page_size=min(limit or _PAGE_SIZE, _PAGE_SIZE),
        )
        for recording in islice(recordings, limit):
            if as_json:
                print_json(as_dict(recording))
            else:
                table.row(*_cells(recording))


def _cells(recording: Recording) -> tuple[str, ...]:
    return (
        recording.recording_sid,
        short_name(RecordingState, recording.state),
        str(recording.size_bytes) if recording.size_bytes else "",
        recording.duration.ToJsonString() if recording.HasField("duration") else "",
        rfc3339(recording.create_time),
        recording.call_sid,
        why(recording),
    )
