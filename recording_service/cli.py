"""The command line: `recording-service …`. Each command reads the settings, and hands them to its composition root."""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

if TYPE_CHECKING:
    from click._termui_impl import ProgressBar

    from recording_service.config import Settings
    from recording_service.processes.findings import Finding

Result = TypeVar("Result")


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="recording-service")
def main() -> None:
    """Takes call recordings off Twilio and makes them playable for ever after.

    Configured by environment variables (RECORDING_… and TWILIO_…); `recording-service doctor` says what is wrong
    with them.

    \b
    Example: everything on this machine, with nothing else installed:
      TWILIO_ACCOUNT_SID=AC… TWILIO_AUTH_TOKEN=… recording-service serve
    """


@main.command()
def serve() -> None:
    """Run everything: gRPC, HTTP, dispatcher, workers, and a Redis of its own if none is configured.

    Ctrl-C stops all of it cleanly; a second one doesn't wait.

    \b
    Example:
      RECORDING_DATA_DIR=/var/lib/recordings recording-service serve
    """
    from recording_service.processes.serve import run_serve

    _run("serve", run_serve)


@main.command()
def grpc() -> None:
    """Run the gRPC server alone.

    \b
    Example:
      RECORDING_REDIS_URL=redis://127.0.0.1:6379 RECORDING_GRPC_ADDRESS=127.0.0.1:50051 recording-service grpc
    """
    from recording_service.processes.grpc_process import run_grpc

    _run("grpc", lambda settings: run_grpc(settings, _nobody_waits))


@main.command()
def http() -> None:
    """Run the HTTP adapter alone: Twilio's webhooks, and playback.

    \b
    Example:
      RECORDING_GRPC_ADDRESS=127.0.0.1:50051 RECORDING_PUBLIC_URL=https://recordings.example.com recording-service http
    """
    from recording_service.processes.http_process import run_http

    _run("http", lambda settings: run_http(settings, _nobody_waits))


@main.command()
def worker() -> None:
    """Run one worker, which downloads one recording at a time. Run as many as are to be downloaded at once.

    \b
    Example:
      RECORDING_REDIS_URL=redis://127.0.0.1:6379 recording-service worker
    """
    from recording_service.processes.worker_process import run_download_worker

    _run("worker", lambda settings: run_download_worker(settings, _nobody_waits))


@main.command()
def process() -> None:
    """Run one worker for what follows the download: probe, waveform, transcript. It does one recording at a time.

    \b
    Example:
      RECORDING_REDIS_URL=redis://127.0.0.1:6379 recording-service process
    """
    from recording_service.processes.worker_process import run_processing_worker

    _run("processor", lambda settings: run_processing_worker(settings, _nobody_waits))


@main.command()
def dispatch() -> None:
    """Run the dispatcher: it sees to whatever is due. Of several, one works and the others stand by.

    \b
    Example:
      RECORDING_REDIS_URL=redis://127.0.0.1:6379 recording-service dispatch
    """
    from recording_service.processes.dispatch_process import run_dispatcher

    _run("dispatcher", lambda settings: run_dispatcher(settings, _nobody_waits))


@main.command()
def events() -> None:
    """Deliver events to RECORDING_EVENTS_URL: READY, FAILED and DELETED, each at least once. Several share the work.

    \b
    Example:
      RECORDING_EVENTS_URL=https://example.com/hooks RECORDING_EVENTS_SECRET_FILE=/run/secrets/whsec \\
        RECORDING_DATABASE_URL=postgresql://… recording-service events
    """
    from recording_service.processes.events_process import run_events

    _run("events", lambda settings: run_events(settings, _nobody_waits))


@main.command()
@click.option("--webhook", is_flag=True, help="Explain why a webhook was refused with 403; needs the three below.")
@click.option("--url", help="The webhook's URL as Twilio has it, with query and fragment.")
@click.option("--signature", help="The request's X-Twilio-Signature.")
@click.option("--body", help="The request's form as it was sent; @FILE reads it from there, - from standard input.")
def doctor(webhook: bool, url: str | None, signature: str | None, body: str | None) -> None:
    """Check the configuration and everything the service stands on; say what is wrong and how to mend it.

    Exits with 0 if all is well, with 1 if anything is not. Changes nothing but the data directory, which it makes.

    With --webhook: hold one webhook against this configuration, and say which difference would have matched, and what
    to set. URL, signature and form are in Twilio's Request Inspector. Exits with 0 if the signature matches, with 1 if
    not, with 2 if what is given can't be looked into.

    \b
    Examples:
      recording-service doctor
      recording-service doctor --webhook --url 'https://recordings.example.com/webhooks/twilio/recording-status?a=b' \\
        --signature 'RSOYDt4T1cUTdK1PDd93/VVr8B8=' --body @form.txt
    """
    if webhook:
        findings = _findings_of_webhook(url=url, signature=signature, body=body)
    elif url is None and signature is None and body is None:
        from recording_service.processes.doctor import examine

        findings = examine()
    else:
        raise click.UsageError("--url, --signature and --body are for --webhook")
    width = max(len(finding.subject) for finding in findings)
    for finding in findings:
        mark = click.style("ok  ", fg="green") if finding.well else click.style("FAIL", fg="red")
        click.echo(f"{mark} {finding.subject:<{width}}  {finding.text}")
    sys.exit(0 if all(finding.well for finding in findings) else 1)


@main.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--shelf-only", is_flag=True, help="Copy the recordings alone; for a catalogue in PostgreSQL.")
def backup(folder: Path, shelf_only: bool) -> None:
    """Copy the catalogue and the recordings into FOLDER, while the service runs or not.

    Again into the same folder copies what is new; a whole object there is never given up for another one. What is cut
    short leaves the catalogue of the backup before, and all it names but what was deleted since. A catalogue in
    PostgreSQL is dumped by its own tool: run pg_dump first, then this command with --shelf-only.

    Exits with 0 if all is in the copy, with 1 if it is made but for recordings that the service itself has not whole
    (missing: after a restore they are fetched again) or could not read, or that have another size there (left as is).

    \b
    Example: each night, on another disk:
      RECORDING_DATA_DIR=/var/lib/recordings recording-service backup /mnt/backup/recordings
    """
    from recording_service.processes.backup import Backup, BackupFailed, run_backup
    from recording_service.processes.exit_codes import EXIT_INTERRUPTED, EXIT_UNAVAILABLE

    def copy(settings: "Settings") -> Backup:
        with _Bars() as bars:
            return run_backup(settings, folder, shelf_only=shelf_only, progress=bars.show)

    try:
        made = _run("backup", copy)
    except BackupFailed as error:
        click.echo(f"recording-service: {error}", err=True)
        sys.exit(EXIT_UNAVAILABLE)
    except KeyboardInterrupt:
        click.echo("recording-service: the backup was interrupted; the catalogue of the one before stays", err=True)
        sys.exit(EXIT_INTERRUPTED)
    shelf = made.shelf
    catalogue = "catalogue left out" if made.rows is None else f"{made.rows} rows"
    click.echo(
        f"{folder}: {catalogue}, {shelf.copied} recordings copied ({shelf.copied_bytes} bytes), "
        f"{shelf.skipped} were there already, {shelf.removed} taken away, {shelf.missing} missing, "
        f"{shelf.unreadable} unreadable, {shelf.differing} of another size left as they were"
    )
    sys.exit(0 if shelf.is_whole else 1)


@main.command()
def restored() -> None:
    """Say that the catalogue was restored, before the service starts: its feed of events then begins anew.

    Needed after pg_restore, and after a snapshot of a disk or of a server was put back; a catalogue that `backup` has
    copied knows by itself. Without it, whoever reads the feed would miss the events that are given the numbers of lost
    ones. With it they hear REVISION_PRUNED, and begin with a snapshot.

    \b
    Example:
      pg_restore --dbname=recordings catalogue.dump
      RECORDING_DATABASE_URL=postgresql:///recordings recording-service restored
    """
    from recording_service.processes.restored import run_restored

    position = _run("restored", run_restored)
    click.echo(f"the feed of events goes on after revision {position.revision}")


@main.command()
def token() -> None:
    """Make a token for a caller, and the hash of it that the configuration has.

    The token is not kept anywhere: give it to the caller, and its hash to RECORDING_CALLERS_FILE.

    \b
    Example:
      recording-service token
    """
    from recording_service.processes.access import hash_of, new_token

    made = new_token()
    click.echo(f"token:  {made}")
    click.echo(f'hash:   token_hashes = ["sha256:{hash_of(made)}"]')


@main.command("playback-key")
@click.option("--name", help="Its name, which is in each URL that it signs.  [default: the day, such as 2026-11-28]")
def playback_key(name: str | None) -> None:
    """Make a key that signs playback URLs, as RECORDING_PLAYBACK_KEYS has it.

    To rotate: put the new one first, and take the old one out when the last URL that it has signed has expired
    (after 7 days).

    \b
    Example:
      RECORDING_PLAYBACK_KEYS="$(recording-service playback-key),$RECORDING_PLAYBACK_KEYS"
    """
    from recording_service.config import written
    from recording_service.processes.access import new_signing_key

    try:
        click.echo(written(new_signing_key(name)))
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--name") from error


@main.command()
@click.option("--keep", is_flag=True, help="Leave the service running afterwards, until Ctrl-C, with its URLs printed.")
def demo(keep: bool) -> None:
    """Show the whole service at work beside a stand-in for Twilio: a line a step, non-zero if a step was not as told.

    \b
    Example:
      recording-service demo --keep
    """
    from recording_service.processes.demo import run_demo

    sys.exit(run_demo(keep=keep, say=click.echo))


@main.command("twilio-stand-in")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8099, show_default=True, help="Port to listen on.")
@click.option("--account-sid", default="AC" + "0" * 31 + "1", show_default=True, help="The account it plays.")
@click.option("--auth-token", default="stand-in-token", show_default=True, help="Its auth token.")
def twilio_stand_in(host: str, port: int, account_sid: str, auth_token: str) -> None:
    """Run a stand-in for Twilio, which makes up a recording for whatever is asked for. Needs the extra `demo`.

    \b
    Example: a service that fetches from it:
      recording-service twilio-stand-in &
      TWILIO_API_URL=http://127.0.0.1:8099 TWILIO_ACCOUNT_SID=AC00000000000000000000000000000001 \\
        TWILIO_AUTH_TOKEN=stand-in-token recording-service serve
    """
    from recording_service.twilio_stand_in.server import serve as serve_stand_in

    serve_stand_in(host, port, account_sid=account_sid, auth_token=auth_token)


def _findings_of_webhook(*, url: str | None, signature: str | None, body: str | None) -> "Sequence[Finding]":
    from recording_service.processes.webhook_doctor import UnusableInput, explain_webhook

    if url is None or signature is None or body is None:
        given = {"--url": url, "--signature": signature, "--body": body}
        missing = ", ".join(option for option, value in given.items() if value is None)
        raise click.UsageError(f"--webhook needs {missing} as well")
    try:
        return explain_webhook(url, signature, _read_body(body))
    except UnusableInput as error:
        raise click.BadParameter(error.problem, param_hint=error.option) from None


def _read_body(body: str) -> bytes:
    """A form that was given itself, or where it is. The line break that editors put at the end is not part of it."""
    if body == "-":
        return sys.stdin.buffer.read().rstrip(b"\r\n")
    if not body.startswith("@"):
        return body.encode()
    try:
        return Path(body[1:]).read_bytes().rstrip(b"\r\n")
    except OSError as error:
        raise click.BadParameter(f"{body[1:]} can't be read: {error.strerror}", param_hint="--body") from None


def _nobody_waits() -> None:
    """A part that runs alone has nobody to tell that it is ready; its log says so."""


class _Bars:
    """Shows how far something has come, on a terminal and nowhere else."""

    def __init__(self) -> None:
        self._bar: ProgressBar[int] | None = None
        self._label = ""

    def __enter__(self) -> "_Bars":
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def show(self, label: str, done: int, total: int) -> None:
        """Moves the bar of that label to `done` of `total`; a new label begins a new bar."""
        if not sys.stderr.isatty():
            return
        if self._bar is None or label != self._label:
            self._end()
            self._label = label
            self._bar = click.progressbar(length=total, label=label, file=sys.stderr).__enter__()
        self._bar.length = total
        self._bar.update(done - self._bar.pos)

    def _end(self) -> None:
        if self._bar is not None:
            self._bar.__exit__(None, None, None)
            self._bar = None


def _run(part: str, run: "Callable[[Settings], Result]") -> "Result":
    """Runs a composition root; what an operator can mend is told in a line each, without a traceback."""
    from recording_service.config import ConfigurationError, load_settings
    from recording_service.core.errors import DependencyUnavailable
    from recording_service.processes.exit_codes import EXIT_CONFIGURATION, EXIT_UNAVAILABLE
    from recording_service.processes.logs import conceal_secrets, configure_logging

    try:
        settings = load_settings()
        conceal_secrets(settings)
        configure_logging(settings.log_level, part)
        return run(settings)
    except ConfigurationError as error:
        for problem in error.problems:
            click.echo(f"recording-service: {problem}", err=True)
        sys.exit(EXIT_CONFIGURATION)
    except DependencyUnavailable as error:
        click.echo(f"recording-service: {error}; `recording-service doctor` says more", err=True)
        sys.exit(EXIT_UNAVAILABLE)
