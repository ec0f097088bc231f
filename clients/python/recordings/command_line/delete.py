"""`recordings delete`."""

import sys

import click

from recordings.command_line.connection import Connection, account_option, pass_connection
from recordings.command_line.exit_codes import ExitCode
from recordings.command_line.output import Table, as_dict, complain, print_json, state_name


@click.command(
    epilog="""\b
Examples:
  recordings delete RE0123456789abcdef0123456789abcdef
  recordings delete --yes --allow-missing RE0123456789abcdef0123456789abcdef RE0123456789abcdef0123456789abcde0
"""
)
@click.argument("recording_sids", nargs=-1, required=True, metavar="SID…")
@account_option
@click.option("--allow-missing", is_flag=True, help="Take it as done where there is nothing to delete.")
@click.option("--yes", is_flag=True, help="Don't ask.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line: the tombstones.")
@pass_connection
def delete(
    connection: Connection,
    recording_sids: tuple[str, ...],
    account_sid: str,
    allow_missing: bool,
    yes: bool,
    as_json: bool,
) -> ExitCode:
    """Delete recordings here, for good: their bytes, and all pending work. A tombstone stays.

    Asks first, unless --yes is given. Of several, those that can't be deleted are named, and the others go on; the exit
    code is 8 then.
    """
    from recordings.command_line.several import for_each

    if not yes:
        if not sys.stdin.isatty():
            raise click.UsageError("deletes for good: give --yes where nobody can be asked")
        many = f"{len(recording_sids)} recordings" if len(recording_sids) > 1 else recording_sids[0]
        if not click.confirm(f"Delete {many} for good?", err=True):
            return ExitCode.ERROR
    table = Table(recording_sid=34, state=11)
    with connection.client() as client:

        def delete_one(sid: str) -> None:
            tombstone = client.delete(sid, account_sid=account_sid, allow_missing=allow_missing)
            if as_json:
                print_json({"recording_sid": sid} if tombstone is None else as_dict(tombstone))
            else:
                table.row(sid, "" if tombstone is None else state_name(tombstone))

        return for_each(recording_sids, delete_one, complain)
