"""Sends requests in batches, and has patience with a service that is away for a while."""

import random
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Final

from recordings.command_line.exit_codes import ExitCode
from recordings.command_line.failures import exit_code_of, text_of
from recordings.command_line.importing.entries import Entry, Outcome
from recordings.command_line.output import short_name
from recordings.errors import RecordingsError
from recordings.v1.enqueue_pb2 import BatchEnqueueRecordingsResult, EnqueueReason

if TYPE_CHECKING:
    from recordings import RecordingsClient

#: Most items of one batch, and most bytes: the contract's limits, and some bytes less than 1 MiB.
MAX_BATCH_ITEMS: Final = 1000
MAX_BATCH_BYTES: Final = (1 << 20) - 1024
#: What an item takes in a batch beside its own bytes, at most.
_FRAME_BYTES: Final = 8

#: An item that could not be done just now is sent again so often.
_ITEM_ATTEMPTS: Final = 4
#: Longest wait for the answer to a batch, at least, in seconds.
BATCH_SECONDS: Final = 30.0
#: The waits between attempts, in seconds: they double from the first to the second, with jitter.
_FIRST_WAIT_SECONDS: Final = 0.5
_LONGEST_WAIT_SECONDS: Final = 10.0

_PASSING: Final = frozenset({"ENQUEUE_FAILED", "STORAGE_FULL", "DEPENDENCY_UNAVAILABLE", "CAPACITY_EXHAUSTED"})


def batches(entries: Iterable[Entry]) -> Iterator[list[Entry]]:
    """The entries in order, as many at a time as one call may have: those with nothing to send count as well."""
    batch: list[Entry] = []
    size = 0
    for entry in entries:
        entry_bytes = entry.request.ByteSize() + _FRAME_BYTES if entry.request else 0
        if batch and (len(batch) == MAX_BATCH_ITEMS or size + entry_bytes > MAX_BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(entry)
        size += entry_bytes
    if batch:
        yield batch


class Sender:
    """Sends batches by one client.

    Parameters:
        patience: how long one batch is tried again while the service is away, in seconds.
        timeout: of one call, in seconds.
        sleep: how it waits.
    """

    def __init__(
        self,
        client: "RecordingsClient",
        *,
        patience: float,
        timeout: float = BATCH_SECONDS,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._client = client
        self._patience = patience
        self._timeout = timeout
        self._sleep = sleep

    def send(self, batch: Sequence[Entry]) -> None:
        """Sends what is to be sent, and notes what became of it.

        Raises:
            RecordingsError: the service could not take it, for as long as there was patience. Nothing is certain about
                entries without an outcome; sending them again is safe.
        """
        pending = [entry for entry in batch if entry.request is not None]
        for attempt in range(_ITEM_ATTEMPTS):
            if not pending:
                return
            if attempt:
                self._sleep(_wait_seconds(attempt))
            is_last = attempt == _ITEM_ATTEMPTS - 1
            results = self._call(pending)
            pending = [
                entry
                for entry, result in zip(pending, results, strict=True)
                if not _settled(entry, result, is_last=is_last)
            ]

    def _call(self, entries: Sequence[Entry]) -> Sequence[BatchEnqueueRecordingsResult]:
        requests = [entry.request for entry in entries if entry.request is not None]
        give_up = time.monotonic() + self._patience
        attempt = 0
        while True:
            try:
                return self._client.batch_enqueue(requests, timeout=self._timeout)
            except RecordingsError as error:
                attempt += 1
                wait = max(_wait_seconds(attempt), error.retry_delay or 0.0)
                if exit_code_of(error) is not ExitCode.UNAVAILABLE or time.monotonic() + wait > give_up:
                    raise
            self._sleep(wait)


def stopped(error: RecordingsError, after_line: int) -> str:
    """What to say when an import has stopped."""
    where = f"after line {after_line}" if after_line else "before the first line was taken"
    return f"stopped {where}: {text_of(error)}; then run it again from the start: that is safe"


def _settled(entry: Entry, result: BatchEnqueueRecordingsResult, *, is_last: bool) -> bool:
    if result.reason != EnqueueReason.ENQUEUE_REASON_ERROR:
        entry.outcome = Outcome(short_name(EnqueueReason, result.reason))
        return True
    if result.error.reason in _PASSING and not is_last:
        return False
    entry.refuse(result.error.message, error_reason=result.error.reason, field=result.error.field)
    return True


def _wait_seconds(attempt: int) -> float:
    longest = min(_FIRST_WAIT_SECONDS * 2 ** min(attempt - 1, 10), _LONGEST_WAIT_SECONDS)
    return random.uniform(longest / 2, longest)  # noqa: S311 - jitter is no secret
