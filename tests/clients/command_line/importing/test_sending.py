from collections.abc import Sequence
from typing import Any, cast

import grpc
import pytest

from recordings.command_line.importing.entries import Entry, Outcome
from recordings.command_line.importing.sending import MAX_BATCH_BYTES, MAX_BATCH_ITEMS, Sender, batches
from recordings.errors import InvalidRequest, RecordingsError, Unavailable
from recordings.v1.enqueue_pb2 import (
    BatchEnqueueRecordingsRequest,
    BatchEnqueueRecordingsResult,
    EnqueueError,
    EnqueueReason,
    EnqueueRecordingRequest,
)

ENQUEUED = BatchEnqueueRecordingsResult(reason=EnqueueReason.ENQUEUE_REASON_ENQUEUED)


def an_error(reason: str) -> BatchEnqueueRecordingsResult:
    error = EnqueueError(reason=reason, field="account_sid", message="no")
    return BatchEnqueueRecordingsResult(reason=EnqueueReason.ENQUEUE_REASON_ERROR, error=error)


class ScriptedClient:
    """Answers as it is told, then ENQUEUED."""

    def __init__(self, *answers: list[BatchEnqueueRecordingsResult] | RecordingsError) -> None:
        self._answers = list(answers)
        self.asked: list[list[str]] = []

    def batch_enqueue(self, requests: Sequence[EnqueueRecordingRequest], *, timeout: float) -> Any:
        self.asked.append([request.recording_sid for request in requests])
        answer = self._answers.pop(0) if self._answers else [ENQUEUED] * len(requests)
        if isinstance(answer, RecordingsError):
            raise answer
        return answer


def entries(count: int, text: str = "") -> list[Entry]:
    return [
        Entry(number, str(number), EnqueueRecordingRequest(recording_sid=str(number), from_number=text))
        for number in range(1, count + 1)
    ]


def sender(client: ScriptedClient, waits: list[float], patience: float = 60.0) -> Sender:
    return Sender(cast(Any, client), patience=patience, sleep=waits.append)


def test_a_batch_has_at_most_a_thousand_items() -> None:
    assert [len(batch) for batch in batches(entries(2500))] == [MAX_BATCH_ITEMS, MAX_BATCH_ITEMS, 500]


def test_a_batch_has_at_most_a_mebibyte() -> None:
    made = list(batches(entries(500, "x" * 10_000)))

    sizes = [
        BatchEnqueueRecordingsRequest(requests=[e.request for e in batch if e.request]).ByteSize() for batch in made
    ]
    assert sum(len(batch) for batch in made) == 500
    assert max(sizes) <= 1 << 20
    assert min(sizes[:-1]) > MAX_BATCH_BYTES - 11_000


def test_a_service_that_is_away_is_tried_again_with_growing_waits() -> None:
    away = Unavailable("away", code=grpc.StatusCode.UNAVAILABLE)
    client, waits, batch = ScriptedClient(*[away] * 5), list[float](), entries(2)

    sender(client, waits).send(batch)

    assert [entry.outcome for entry in batch] == [Outcome.ENQUEUED] * 2
    assert len(client.asked) == 6
    assert waits[0] <= 0.5
    assert waits[-1] >= 2 * waits[0]


def test_a_wait_is_as_long_as_the_service_asks_for() -> None:
    away = Unavailable("away", code=grpc.StatusCode.UNAVAILABLE, retry_delay=17.0)
    waits: list[float] = []

    sender(ScriptedClient(away), waits).send(entries(1))

    assert waits == [17.0]


def test_patience_ends() -> None:
    away = Unavailable("away", code=grpc.StatusCode.UNAVAILABLE, retry_delay=61.0)
    batch = entries(1)

    with pytest.raises(Unavailable):
        sender(ScriptedClient(away), []).send(batch)
    assert batch[0].outcome is None


def test_what_will_not_pass_is_not_tried_again() -> None:
    client = ScriptedClient(InvalidRequest("wrong", code=grpc.StatusCode.INVALID_ARGUMENT))

    with pytest.raises(InvalidRequest):
        sender(client, []).send(entries(1))
    assert len(client.asked) == 1


def test_only_items_that_failed_for_now_are_sent_again() -> None:
    client = ScriptedClient([ENQUEUED, an_error("ENQUEUE_FAILED"), an_error("INVALID_REQUEST")])
    batch = entries(3)

    sender(client, []).send(batch)

    assert client.asked == [["1", "2", "3"], ["2"]]
    assert [entry.outcome for entry in batch] == [Outcome.ENQUEUED, Outcome.ENQUEUED, Outcome.REFUSED]
    assert (batch[2].error_reason, batch[2].field, batch[2].why) == ("INVALID_REQUEST", "account_sid", "no")


def test_an_item_that_keeps_failing_is_refused_in_the_end() -> None:
    client = ScriptedClient(*[[an_error("ENQUEUE_FAILED")]] * 4)
    batch = entries(1)

    sender(client, []).send(batch)

    assert (batch[0].outcome, batch[0].error_reason, len(client.asked)) == (Outcome.REFUSED, "ENQUEUE_FAILED", 4)


def test_a_batch_with_nothing_to_send_asks_nobody() -> None:
    client = ScriptedClient()

    sender(client, []).send([Entry(1).refuse("no")])

    assert client.asked == []
