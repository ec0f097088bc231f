"""`recordings play`."""

import shlex
import shutil
import subprocess
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import click

from recordings.command_line.connection import Connection, account_option, pass_connection
from recordings.command_line.exit_codes import CommandFailed, ExitCode
from recordings.command_line.fetch import pieces, version_of, wanted_of
from recordings.command_line.half_file import Wanted
from recordings.command_line.parameters import DurationType

if TYPE_CHECKING:
    from recordings import RecordingsClient

_PLAYER: Final = "ffplay -nodisp -autoexit -loglevel error -i -"
#: How long a player may take to end that is no longer wanted, in seconds.
_END_SECONDS: Final = 5.0


@click.command(
    epilog="""\b
Examples:
  recordings play RE0123456789abcdef0123456789abcdef --wait
  recordings play RE0123456789abcdef0123456789abcdef --player 'mpv -'
"""
)
@click.argument("recording_sid", metavar="SID")
@account_option
@click.option("--player", default=_PLAYER, show_default=True, help="A command that plays what it reads from stdin.")
@click.option("--wait", is_flag=True, help="Wait until the recording is READY first.")
@click.option("--wait-timeout", type=DurationType(), help="Longest such wait; then the exit code is 6.  [none]")
@pass_connection
def play(
    connection: Connection, recording_sid: str, account_sid: str, player: str, wait: bool, wait_timeout: float | None
) -> None:
    """Play a recording here: its bytes go to a player while they come. Ctrl-C, or the player, ends it."""
    words = _words(player)
    with connection.client() as client:
        recording = version_of(client, recording_sid, account_sid, wait=wait, wait_timeout=wait_timeout)
        _play(client, wanted_of(recording, None), words)


def _words(player: str) -> list[str]:
    try:
        words = shlex.split(player)
    except ValueError as error:
        raise click.UsageError(f"--player: {error}") from error
    if not words:
        raise click.UsageError("--player: is empty")
    if shutil.which(words[0]) is None:
        raise CommandFailed(
            ExitCode.ERROR,
            f"{words[0]} is not installed: install it, name another one that reads stdin (--player 'mpv -'), or play "
            "what `recordings url` prints in a browser",
        )
    return words


def _play(client: "RecordingsClient", wanted: Wanted, words: list[str]) -> None:
    with subprocess.Popen(words, stdin=subprocess.PIPE) as process:  # noqa: S603 - the user's own command
        assert process.stdin is not None  # noqa: S101 - it was asked for
        try:
            # A player that ends before the recording does has heard enough.
            with suppress(BrokenPipeError), process.stdin as player:
                for piece in pieces(client, wanted):
                    player.write(piece)
            # As long as there is something to hear: whoever doesn't want to, presses Ctrl-C.
            code = process.wait()
        except BaseException:
            _end(process)
            raise
    if code:
        raise CommandFailed(ExitCode.ERROR, f"{words[0]} ended with {code}")


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Ends the player; after a Ctrl-C at a terminal it does so by itself."""
    process.terminate()
    try:
        process.wait(_END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
