"""`recordings enqueue`."""

import click

from recordings.command_line.connection import Connection, account_option, pass_connection
from recordings.command_line.exit_codes import ExitCode
from recordings.command_line.output import Table, as_dict, complain, print_json, short_name, state_name
from recordings.command_line.parameters import EnumType, LabelType
from recordings.v1.enqueue_pb2 import EnqueueReason, EnqueueRecordingResponse
from recordings.v1.recording_pb2 import Priority, RecordingJob


@click.command(
    epilog="""\b
Examples:
  recordings enqueue RE0123456789abcdef0123456789abcdef
  recordings enqueue RE0123456789abcdef0123456789abcdef --job download_only --label customer=42
"""
)
@click.argument("recording_sids", nargs=-1, required=True, metavar="SID…")
@account_option
@click.option("--call-sid", default="", metavar="CA…", help="The call of the recordings.")
@click.option("--job", type=EnumType(RecordingJob), default=0, help="What is to be done.  [full]")
@click.option("--priority", type=EnumType(Priority), default=0, help="How urgent it is.  [the job's own]")
@click.option("--label", "labels", type=LabelType(), multiple=True, help="A label of your own; may be repeated.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@pass_connection
def enqueue(
    connection: Connection,
    recording_sids: tuple[str, ...],
    account_sid: str,
    call_sid: str,
    job: RecordingJob,
    priority: Priority,
    labels: tuple[tuple[str, str], ...],
    as_json: bool,
) -> ExitCode:
    """Ask for recordings: each is ENQUEUED, CACHED (here already) or DUPLICATE (asked for already).

    Asking again is safe. Of several, those that are refused are named, and the others go on; the exit code is 8 then.
    """
    from recordings.command_line.several import for_each

    table = Table(recording_sid=34, outcome=9, state=11)

    def show(answer: EnqueueRecordingResponse) -> None:
        if as_json:
            print_json(as_dict(answer))
        else:
            outcome = short_name(EnqueueReason, answer.reason)
            table.row(answer.recording.recording_sid, outcome, state_name(answer.recording))

    with connection.client() as client:
        return for_each(
            recording_sids,
            lambda sid: show(
                client.enqueue(
                    sid, account_sid=account_sid, call_sid=call_sid, job=job, priority=priority, labels=dict(labels)
                )
            ),
            complain,
        )
