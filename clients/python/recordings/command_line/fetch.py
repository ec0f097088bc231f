"""`recordings fetch`."""

import hashlib
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

import click

from recordings.command_line.connection import Connection, account_option, pass_connection
from recordings.command_line.exit_codes import CommandFailed, ExitCode
from recordings.command_line.half_file import HalfFile, Wanted
from recordings.command_line.output import complain
from recordings.command_line.parameters import ByteRange, ByteRangeType, DurationType
from recordings.command_line.progress import progress
from recordings.v1.recording_pb2 import Recording, RecordingState

if TYPE_CHECKING:
    from recordings import RecordingsClient

#: How much is read at a time, in bytes.
_PIECE_BYTES: Final = 1 << 18

_SUFFIXES: Final = {"audio/mpeg": ".mp3", "audio/wav": ".wav", "audio/x-wav": ".wav", "audio/ogg": ".ogg"}


@click.command(
    epilog="""\b
Examples:
  recordings fetch RE0123456789abcdef0123456789abcdef --wait -o call.mp3
  recordings fetch RE0123456789abcdef0123456789abcdef -o call.mp3 --resume
  recordings fetch RE0123456789abcdef0123456789abcdef --range 0-1023 -o - | xxd | head
"""
)
@click.argument("recording_sid", metavar="SID")
@account_option
@click.option(
    "-o", "--output", type=click.Path(path_type=Path, allow_dash=True), help="File to write; - for stdout.  [SID.mp3]"
)
@click.option("--range", "byte_range", type=ByteRangeType(), help="Only these bytes: 0-499, 500- or -500 (the last).")
@click.option("--resume", is_flag=True, help="Go on with what a fetch before has left in FILE.part.")
@click.option("--wait", is_flag=True, help="Wait until the recording is READY first.")
@click.option("--wait-timeout", type=DurationType(), help="Longest such wait; then the exit code is 6.  [none]")
@pass_connection
def fetch(
    connection: Connection,
    recording_sid: str,
    account_sid: str,
    output: Path | None,
    byte_range: ByteRange | None,
    resume: bool,
    wait: bool,
    wait_timeout: float | None,
) -> None:
    """Fetch a recording into a file. It goes on by itself after a break, and compares the whole with its SHA-256.

    The bytes are in FILE.part until they are whole and verified. Whatever stops the fetch, --resume goes on with them,
    if the recording is still the same version; if there is nothing to go on with, it begins at the start.
    """
    is_stdout = output == Path("-")
    # A pipe or a device (/dev/null) takes bytes, and has no place beside it for a half file.
    is_pipe = output is not None and output.exists() and not output.is_file()
    if output is not None and output.is_dir():
        raise click.UsageError(f"{output} is a folder: give -o a file's name")
    if resume and (is_stdout or is_pipe):
        raise click.UsageError("--resume needs a file: it can't go on with a pipe")
    if is_stdout and sys.stdout.isatty():
        raise click.UsageError("stdout is a terminal: give -o FILE, or pipe it somewhere")
    with connection.client() as client:
        recording = version_of(client, recording_sid, account_sid, wait=wait, wait_timeout=wait_timeout)
        wanted = wanted_of(recording, byte_range)
        if is_stdout:
            _to_pipe(client, wanted, sys.stdout.buffer)
            return
        target = output or Path(recording_sid + _SUFFIXES.get(recording.content_type, ".audio"))
        if is_pipe:
            with target.open("wb") as pipe:
                _to_pipe(client, wanted, pipe)
            return
        if resume and _is_there(target, wanted):
            complain(f"{target} is whole already")
            return
        again = f"recordings fetch {recording_sid} -o {shlex.quote(str(target))} --resume"
        again += f" --account-sid {account_sid}" if account_sid else ""
        again += f" --range {byte_range}" if byte_range else ""
        _to_file(client, wanted, target, resume=resume, again=again)


def version_of(
    client: "RecordingsClient", recording_sid: str, account_sid: str, *, wait: bool, wait_timeout: float | None
) -> Recording:
    """The recording, READY.

    Raises:
        RecordingsError: it is not READY, and not waited for, or not to be had.
    """
    if wait:
        if sys.stderr.isatty():
            complain(f"waiting until {recording_sid} is READY (Ctrl-C ends it)")
        return client.wait_until_ready(recording_sid, wait_timeout, account_sid=account_sid)
    recording = client.get(recording_sid, account_sid=account_sid)
    if recording.state != RecordingState.RECORDING_STATE_READY:
        # The service says best why there are no bytes, and whether there will be.
        with client.open(recording_sid, account_sid=account_sid) as reader:
            reader.read(1)
        # It has become READY in between.
        return client.get(recording_sid, account_sid=account_sid)
    return recording


def pieces(client: "RecordingsClient", wanted: Wanted, already: int = 0) -> Iterator[memoryview]:
    """The bytes that are wanted, but for those at the start that are there already. Each piece is good until the next.

    Raises:
        RecordingsError: they can't be had, or are of another version by now.
    """
    offset = wanted.start + already
    if offset == wanted.end and wanted.size_bytes:
        return
    # To the end without a length: then the client compares a whole recording with its SHA-256 as well.
    length = None if wanted.end == wanted.size_bytes else wanted.end - offset
    buffer = memoryview(bytearray(_PIECE_BYTES))
    with client.open(
        wanted.recording_sid, account_sid=wanted.account_sid, offset=offset, length=length, etag=wanted.etag
    ) as reader:
        while count := reader.readinto1(buffer):
            yield buffer[:count]


def wanted_of(recording: Recording, byte_range: ByteRange | None) -> Wanted:
    """Those bytes of the recording, in its current version. CommandFailed if the range begins after the last byte."""
    size = recording.size_bytes
    start, end = byte_range.within(size) if byte_range else (0, size)
    if start >= size > 0 or (byte_range and not size):
        raise CommandFailed(ExitCode.USAGE, f"--range {byte_range} begins after the last byte: there are {size}")
    return Wanted(
        account_sid=recording.account_sid,
        recording_sid=recording.recording_sid,
        etag=recording.etag,
        sha256=recording.sha256,
        size_bytes=size,
        start=start,
        end=end,
    )


def _to_pipe(client: "RecordingsClient", wanted: Wanted, pipe: BinaryIO) -> None:
    with progress(wanted.recording_sid, wanted.end - wanted.start) as bar:
        for piece in pieces(client, wanted):
            pipe.write(piece)
            bar.update(len(piece))
        pipe.flush()


def _to_file(client: "RecordingsClient", wanted: Wanted, target: Path, *, resume: bool, again: str) -> None:
    from recordings.command_line.failures import command_failed, exit_code_of
    from recordings.errors import ChecksumMismatch, RecordingsError

    total = wanted.end - wanted.start
    with HalfFile(target, wanted, resume=resume) as half:

        def left(text: str) -> str:
            return f"{text}; {half.length} of {total} bytes are in {half.path}: go on with `{again}`"

        try:
            with progress(target.name, total) as bar:
                bar.update(half.length)
                for piece in pieces(client, wanted, half.length):
                    half.write(piece)
                    bar.update(len(piece))
            half.finish()
        except ChecksumMismatch:
            half.discard()
            raise
        except RecordingsError as error:
            if half.length == 0 or exit_code_of(error) is ExitCode.CHANGED:
                raise
            failed = command_failed(error)
            raise CommandFailed(failed.code, left(failed.text)) from error
        except KeyboardInterrupt:
            if half.length == 0:
                raise
            raise CommandFailed(ExitCode.INTERRUPTED, left("interrupted")) from None
        except OSError as error:
            if half.length == 0:
                raise
            raise CommandFailed(ExitCode.ERROR, left(f"{target}: {error.strerror or error}")) from error


def _is_there(target: Path, wanted: Wanted) -> bool:
    """Whether a fetch before has brought all of it: only a whole recording can be known again, by its SHA-256."""
    try:
        if not wanted.is_whole or not wanted.sha256 or target.stat().st_size != wanted.size_bytes:
            return False
        with target.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == wanted.sha256
    except FileNotFoundError:
        return False
