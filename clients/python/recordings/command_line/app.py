"""The command itself: its options, its commands, and how it ends."""

import os
import signal
import sys
from importlib.metadata import PackageNotFoundError, version
from io import TextIOWrapper
from pathlib import Path
from typing import Any, Final, NoReturn

import click

from recordings.command_line.completion import completion
from recordings.command_line.connection import Connection, connection_options
from recordings.command_line.delete import delete
from recordings.command_line.enqueue import enqueue
from recordings.command_line.exit_codes import CommandFailed, ExitCode
from recordings.command_line.fetch import fetch
from recordings.command_line.importing.command import import_
from recordings.command_line.lookup import get, list_
from recordings.command_line.output import complain
from recordings.command_line.play import play
from recordings.command_line.search import search
from recordings.command_line.url import url
from recordings.command_line.watch import watch

#: The client's own distribution, and the service's, which has it as well.
_DISTRIBUTIONS: Final = ("recording-service-client", "recording-service")


class _Application(click.Group):
    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            # click itself would make an exit code of 1 of it.
            _end_as_a_broken_pipe_does()


def _version() -> str:
    for distribution in _DISTRIBUTIONS:
        try:
            return version(distribution)
        except PackageNotFoundError:
            continue
    return "(not installed)"


def _print_version(ctx: click.Context, _parameter: click.Parameter, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        click.echo(f"recordings {_version()}")
        ctx.exit()


@click.group(
    "recordings",
    cls=_Application,
    # Less than a command is wrong usage like any other.
    no_args_is_help=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="""\b
Examples:
  recordings enqueue RE0123456789abcdef0123456789abcdef
  recordings fetch RE0123456789abcdef0123456789abcdef --wait -o call.mp3

\b
Exit codes: 0 done, 1 other trouble, 2 wrong usage, 3 not found, 4 not ready yet, 5 failed for good,
6 unavailable or too late, 7 not allowed, 8 some of many refused, 9 changed or damaged, 130 interrupted.
""",
)
@connection_options
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_print_version, help="Print it.")
@click.pass_context
def application(ctx: click.Context, /, **options: Any) -> None:
    """Ask the recording service for call recordings: take them off Twilio, look at them, fetch and play them."""
    # https://no-color.org
    ctx.color = False if os.environ.get("NO_COLOR") else None
    token = os.environ.get("RECORDING_GRPC_TOKEN", "").strip()
    token_file: Path | None = options["token_file"]
    if token_file is not None and token:
        by_option = ctx.get_parameter_source("token_file") is click.core.ParameterSource.COMMANDLINE
        if not by_option:
            raise click.UsageError("RECORDING_GRPC_TOKEN and RECORDING_GRPC_TOKEN_FILE are both set: unset one")
    ctx.obj = Connection(token=token, **options)


for command in (enqueue, get, list_, search, watch, fetch, play, url, delete, import_, completion):
    application.add_command(command)


def main() -> NoReturn:
    """Runs the command with the arguments of this process, and ends the process."""
    if isinstance(sys.stdout, TextIOWrapper):
        # Where a terminal has no such letter, an escape says more than a failure would.
        sys.stdout.reconfigure(errors="backslashreplace")
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Runs the command; its exit code. What went wrong is one line on stderr."""
    try:
        returned = application.main(arguments, prog_name="recordings", standalone_mode=False)
    except click.UsageError as error:
        where = error.ctx.command_path.removeprefix("recordings").strip() if error.ctx else ""
        seek = f"recordings {where} --help".replace("  ", " ")
        complain(f"{f'{where}: ' if where else ''}{error.format_message().rstrip('.')}; see {seek}")
        return error.exit_code
    except click.ClickException as error:
        complain(error.format_message())
        return error.exit_code
    except click.Abort:
        complain("interrupted")
        return ExitCode.INTERRUPTED
    except CommandFailed as error:
        complain(error.text)
        return error.code
    except Exception as error:
        return _ended_by(error)
    return int(returned or ExitCode.OK)


def _ended_by(error: Exception) -> int:
    # Importing them takes gRPC: only now is it sure that it is needed, or here already.
    from recordings.command_line.failures import command_failed
    from recordings.errors import InvalidOption, RecordingsError

    if isinstance(error, RecordingsError):
        failed = command_failed(error)
    elif isinstance(error, InvalidOption):
        failed = CommandFailed(ExitCode.USAGE, str(error))
    elif isinstance(error, OSError):
        failed = CommandFailed(ExitCode.ERROR, f"{error.filename or 'writing'}: {error.strerror or error}")
    else:
        raise error
    complain(failed.text)
    return failed.code


def _end_as_a_broken_pipe_does() -> NoReturn:
    """Ends the process as the kernel ends others whose reader has left (`| head`): quietly, by SIGPIPE."""
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    os.kill(os.getpid(), signal.SIGPIPE)
    raise AssertionError("SIGPIPE was survived")
