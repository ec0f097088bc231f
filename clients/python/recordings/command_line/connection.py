"""How the command reaches the service: options, and environment variables, that are named as the service's own."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from recordings.command_line.exit_codes import CommandFailed, ExitCode
from recordings.command_line.parameters import DurationType

if TYPE_CHECKING:
    from recordings import RecordingsClient

Command = TypeVar("Command", bound=Callable[..., Any])

#: Where `recording-service serve` listens if nobody says otherwise.
DEFAULT_TARGET: Final = "127.0.0.1:50051"

_FILE: Final = click.Path(path_type=Path)


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """The connection options, as they were given. `timeout` is in seconds; None is the client's own."""

    target: str
    token: str = field(default="", repr=False)
    token_file: Path | None = None
    tls: bool | None = None
    ca_file: Path | None = None
    client_certificate_file: Path | None = None
    client_key_file: Path | None = None
    timeout: float | None = None

    def client(self) -> "RecordingsClient":
        """A client, which its user closes.

        Raises:
            InvalidOption: the options can't be.
            CommandFailed: the token's file can't be read.
        """
        # Not before it is needed: gRPC takes longer to import than --help to print.
        from recordings import RecordingsClient
        from recordings._defaults import DEFAULTS

        return RecordingsClient(
            self.target,
            token=self._shown_token(),
            tls=self.tls,
            ca_file=self.ca_file,
            client_certificate_file=self.client_certificate_file,
            client_key_file=self.client_key_file,
            timeout=DEFAULTS.timeout if self.timeout is None else self.timeout,
        )

    def _shown_token(self) -> str:
        if self.token_file is None:
            return self.token
        try:
            return self.token_file.read_text(encoding="ascii").strip()
        except OSError as error:
            text = f"--token-file: {self.token_file} can't be read ({error.strerror})"
            raise CommandFailed(ExitCode.USAGE, text) from error
        except UnicodeDecodeError:
            raise CommandFailed(ExitCode.USAGE, f"--token-file: {self.token_file} holds no token") from None


def connection_options(command: Command) -> Command:
    """Adds the options to a group. A token has none of its own: everybody could read it in the list of processes."""
    for option in reversed(
        (
            click.option(
                "--target",
                envvar="RECORDING_GRPC_TARGET",
                default=DEFAULT_TARGET,
                show_default=True,
                show_envvar=True,
                help="Address of the service: host:port, dns:///…, unix:/….",
            ),
            click.option(
                "--token-file",
                type=_FILE,
                envvar="RECORDING_GRPC_TOKEN_FILE",
                show_envvar=True,
                help="File with the bearer token. Or put the token itself into RECORDING_GRPC_TOKEN.",
            ),
            click.option(
                "--tls/--no-tls", default=None, help="Use TLS or not; by default everywhere but on this machine."
            ),
            click.option(
                "--ca-file",
                type=_FILE,
                envvar="RECORDING_GRPC_CA_FILE",
                show_envvar=True,
                help="Authorities to trust (PEM); by default the system's.",
            ),
            click.option(
                "--client-certificate-file",
                type=_FILE,
                envvar="RECORDING_GRPC_CLIENT_CERTIFICATE_FILE",
                show_envvar=True,
                help="This client's certificate (PEM), for mTLS.",
            ),
            click.option(
                "--client-key-file",
                type=_FILE,
                envvar="RECORDING_GRPC_CLIENT_KEY_FILE",
                show_envvar=True,
                help="Its key (PEM).",
            ),
            click.option("--timeout", type=DurationType(), help="Longest wait for one answer, such as 10s.  [5s]"),
        )
    ):
        command = option(command)
    return command


def account_option(command: Command) -> Command:
    """Adds the account of the recordings that a command names."""
    return click.option("--account-sid", default="", metavar="AC…", help="Twilio's account, where there are several.")(
        command
    )


pass_connection = click.make_pass_decorator(Connection)
