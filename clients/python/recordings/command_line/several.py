"""The same for several recordings: one that is refused does not keep the others from being done."""

from collections.abc import Callable, Sequence

from recordings.command_line.exit_codes import CommandFailed, ExitCode
from recordings.command_line.failures import command_failed, exit_code_of, text_of
from recordings.errors import EnqueueFailed, RecordingsError

#: With the others it would be no better.
_HOPELESS = (ExitCode.UNAVAILABLE, ExitCode.DENIED, ExitCode.ERROR)


def for_each(recording_sids: Sequence[str], do: Callable[[str], None], complain: Callable[[str], None]) -> ExitCode:
    """Does it for each. SOME_REFUSED if some of several were refused.

    Raises:
        RecordingsError: the only one was refused.
        CommandFailed: the service can't do it for any; those before are done.
    """
    if len(recording_sids) == 1:
        do(recording_sids[0])
        return ExitCode.OK
    code = ExitCode.OK
    for number, recording_sid in enumerate(recording_sids):
        try:
            do(recording_sid)
        except RecordingsError as error:
            if exit_code_of(error) in _HOPELESS and not isinstance(error, EnqueueFailed):
                failed = command_failed(error)
                left = len(recording_sids) - number
                text = f"{recording_sid}: {failed.text}; {left} of {len(recording_sids)} not done"
                raise CommandFailed(failed.code, text) from error
            complain(f"{recording_sid}: {text_of(error)}")
            code = ExitCode.SOME_REFUSED
    return code
