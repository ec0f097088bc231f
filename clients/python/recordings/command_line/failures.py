"""From the client's errors to an exit code and a line that says what to do."""

from collections.abc import Mapping
from typing import Final, TypeVar

from recordings import errors
from recordings.command_line.exit_codes import CommandFailed, ExitCode
from recordings.errors import RecordingsError

Value = TypeVar("Value")

#: The nearest class of an error's decides.
_CODES: Final[Mapping[type[RecordingsError], ExitCode]] = {
    errors.InvalidRequest: ExitCode.USAGE,
    errors.OffsetPastEnd: ExitCode.USAGE,
    errors.Unauthenticated: ExitCode.DENIED,
    errors.PermissionDenied: ExitCode.DENIED,
    errors.RecordingNotFound: ExitCode.NOT_FOUND,
    errors.RecordingDeleted: ExitCode.NOT_FOUND,
    errors.RecordingNotReady: ExitCode.NOT_READY,
    errors.RecordingTruncated: ExitCode.NOT_READY,
    errors.RecordingFailed: ExitCode.FAILED,
    errors.StepNotDone: ExitCode.NOT_READY,
    errors.StepWithoutResult: ExitCode.FAILED,
    errors.EnqueueFailed: ExitCode.UNAVAILABLE,
    errors.CapacityExhausted: ExitCode.UNAVAILABLE,
    errors.Unavailable: ExitCode.UNAVAILABLE,
    errors.DeadlineExceeded: ExitCode.UNAVAILABLE,
    errors.EtagMismatch: ExitCode.CHANGED,
    errors.ChecksumMismatch: ExitCode.CHANGED,
    errors.RevisionLost: ExitCode.CHANGED,
    errors.InternalError: ExitCode.ERROR,
    errors.ContractBroken: ExitCode.ERROR,
    errors.ClientClosed: ExitCode.ERROR,
    RecordingsError: ExitCode.ERROR,
}

#: What to do about it, where the service's own message doesn't say so.
_ADVICE: Final[Mapping[type[RecordingsError], str]] = {
    errors.Unauthenticated: "set RECORDING_GRPC_TOKEN, or give --token-file",
    errors.PermissionDenied: "ask for this right, or use another token",
    errors.RecordingNotFound: "check the SID, or ask for it with `recordings enqueue`",
    errors.RecordingNotReady: "wait for it with `recordings watch`, or with --wait",
    errors.RecordingTruncated: "it is being fetched again: wait for it with `recordings watch`",
    errors.StepNotDone: "it is still being processed: try again later",
    errors.RecordingFailed: "start anew with `recordings enqueue`",
    errors.EnqueueFailed: "ask again: that is safe",
    errors.CapacityExhausted: "try again later",
    errors.Unavailable: "is the service up, and --target right? Try again later",
    errors.DeadlineExceeded: "try again, perhaps with a longer --timeout",
    errors.EtagMismatch: "run it again from the start, without --resume",
    errors.ChecksumMismatch: "run it again",
    errors.InternalError: "this is a bug of the service: its log has more",
    errors.ContractBroken: "are the versions of client and service far apart?",
}


def exit_code_of(error: RecordingsError) -> ExitCode:
    """The exit code of a command that this error ends."""
    if isinstance(error, errors.EnqueueFailed) and error.reason == "INTERNAL":
        return ExitCode.ERROR
    return _nearest(_CODES, error, ExitCode.ERROR)


def text_of(error: RecordingsError) -> str:
    """The error for people, in one line: what is wrong, in which field, and what to do."""
    if error.field_violations:
        return "; ".join(f"{violation.field} {violation.description}" for violation in error.field_violations)
    advice = _nearest(_ADVICE, error, "")
    if error.reason == "INTERNAL" and (error_id := error.metadata.get("errorId")):
        advice = f"{advice} at errorId {error_id}"
    message = error.message.rstrip(".;: ")
    return f"{message}; {advice}" if advice else message


def command_failed(error: RecordingsError, then: str = "") -> CommandFailed:
    """What ends the command; `then` is what else there is to do."""
    return CommandFailed(exit_code_of(error), f"{text_of(error)}; {then}" if then else text_of(error))


def _nearest(table: Mapping[type[RecordingsError], Value], error: RecordingsError, otherwise: Value) -> Value:
    return next((table[each] for each in type(error).__mro__ if each in table), otherwise)
