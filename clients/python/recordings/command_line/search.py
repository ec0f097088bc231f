"""`recordings search`."""

from datetime import datetime
from itertools import islice

import click

from recordings.command_line.connection import Connection, pass_connection
from recordings.command_line.output import Table, as_dict, print_json, rfc3339
from recordings.command_line.parameters import LabelType, TimeType

#: Most recordings of one page.
_PAGE_SIZE = 200


@click.command(
    epilog="""\b
Examples:
  recordings search 'refund* "money back"' --from 2026-03-01
  recordings search invoice --json | jq -r .transcript_match.snippet
"""
)
@click.argument("words", metavar="WORDS…", nargs=-1, required=True)
@click.option("--account-sid", "account_sids", multiple=True, metavar="AC…", help="Of this account. May be repeated.")
@click.option("--call-sid", "call_sids", multiple=True, metavar="CA…", help="Of this call. May be repeated.")
@click.option("--label", "labels", type=LabelType(), multiple=True, help="With this label; with all of them.")
@click.option("--from", "create_time_from", type=TimeType(), help="First enqueued then or later.")
@click.option("--before", "create_time_before", type=TimeType(), help="First enqueued earlier.")
@click.option("--limit", type=click.IntRange(min=1), help="At most so many.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@pass_connection
def search(
    connection: Connection,
    words: tuple[str, ...],
    account_sids: tuple[str, ...],
    call_sids: tuple[str, ...],
    labels: tuple[tuple[str, str], ...],
    create_time_from: datetime | None,
    create_time_before: datetime | None,
    limit: int | None,
    as_json: bool,
) -> None:
    """List recordings in which all of the WORDS are said, newest first, and what is said there.

    "Two words" in double quotes are a phrase; a star stands for the rest of a word. Case, accents and punctuation do
    not matter.
    """
    table = Table(recording_sid=34, create_time=20, call_sid=34, said=0)
    with connection.client() as client:
        found = client.search(
            " ".join(words),
            account_sids=account_sids,
            call_sids=call_sids,
            labels=dict(labels),
            create_time_from=create_time_from,
            create_time_before=create_time_before,
            page_size=min(limit or _PAGE_SIZE, _PAGE_SIZE),
        )
        for recording, match in islice(found, limit):
            if as_json:
                print_json({**as_dict(recording), **({} if match is None else {"transcript_match": as_dict(match)})})
            else:
                said = "" if match is None else match.snippet
                table.row(recording.recording_sid, rfc3339(recording.create_time), recording.call_sid, said)
