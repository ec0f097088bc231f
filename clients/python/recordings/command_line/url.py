"""`recordings url`."""

from datetime import timedelta

import click

from recordings.command_line.connection import Connection, account_option, pass_connection
from recordings.command_line.output import as_dict, print_json
from recordings.command_line.parameters import DurationType


@click.command(
    epilog="""\b
Examples:
  recordings url RE0123456789abcdef0123456789abcdef --ttl 1h
  xdg-open "$(recordings url RE0123456789abcdef0123456789abcdef)"
"""
)
@click.argument("recording_sid", metavar="SID")
@account_option
@click.option("--ttl", type=DurationType(), help="How long it works, 1s to 7d.  [thrice the recording, at least 1h]")
@click.option("--attachment", is_flag=True, help="A browser saves the recording instead of playing it.")
@click.option("--json", "as_json", is_flag=True, help="All of it as JSON: url, status_url, expire_time, key_id.")
@pass_connection
def url(
    connection: Connection, recording_sid: str, account_sid: str, ttl: float | None, attachment: bool, as_json: bool
) -> None:
    """Print a URL by which whoever has it may play the recording until it expires."""
    with connection.client() as client:
        answer = client.create_playback_url(
            recording_sid,
            account_sid=account_sid,
            ttl=None if ttl is None else timedelta(seconds=ttl),
            attachment=attachment,
        )
    if as_json:
        print_json(as_dict(answer))
    else:
        click.echo(answer.url)
