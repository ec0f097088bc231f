"""The checker finds each kind of lie and loss, and nothing where there is none."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from recording_service.adapters.sql_catalogue.catalogue import SqlCatalogue
from recording_service.core.model import (
    FailureReason,
    Processing,
    ProcessingState,
    RecordingJob,
    RecordingKey,
    RecordingState,
    Step,
    StepEnd,
    StepReason,
    WaitingReason,
)
from recording_service.core.ports import Artefact
from recording_service.twilio_stand_in.server import TwilioStandIn
from tests.faults.catalogue_view import CatalogueView
from tests.faults.checker import Checker, tracebacks
from tests.faults.history import Answer, Evidence, History
from tests.faults.shelf_view import ShelfView
from tests.support.recordings import ACCOUNT_SID, a_recording, put

SID = "RE" + "b" * 32
OBJECT_KEY = f"{ACCOUNT_SID}/{SID}/1.mp3"
RUNG = datetime(2026, 3, 4, tzinfo=UTC)


@dataclass
class Records:
    """The four records, made by hand."""

    twilio: TwilioStandIn
    root: Path
    catalogue: SqlCatalogue
    view: CatalogueView
    history: History = field(default_factory=History)

    def row(self, **fields: Any) -> None:
        """The one recording's row."""
        put(self.catalogue, a_recording(**fields))

    def ready(self, **fields: Any) -> None:
        """The recording, READY as it should be."""
        stored = self.twilio.media(SID)
        usual = {
            "state": RecordingState.READY,
            "job": RecordingJob.DOWNLOAD_ONLY,
            "size_bytes": len(stored),
            "sha256": hashlib.sha256(stored).hexdigest(),
            "object_key": OBJECT_KEY,
        }
        self.row(rung_time=RUNG, ready_time=RUNG, **{**usual, **fields})
        self.store(stored)

    def store(self, data: bytes) -> None:
        """Bytes on the shelf."""
        path = self.root / OBJECT_KEY
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)

    def told(self, method: str, status: str, said: str, **fields: Any) -> None:
        """An answer, and what was true just then: the row as it is, unless `evidence` says otherwise."""
        usual = {"attempt": 1, "evidence": Evidence(self.view.row(SID), ShelfView(self.root).size(OBJECT_KEY))}
        self.history.told(Answer(0.0, 0.1, method, SID, status, said, **{**usual, **fields}))

    def found(self, *cannot_be_had: str) -> list[str]:
        """The invariants that did not hold."""
        checker = Checker(
            self.history, self.twilio, ShelfView(self.root), self.view, cannot_be_had=frozenset(cannot_be_had)
        )
        return [violation.invariant for violation in checker.violations()]


@pytest.fixture
def records(tmp_path: Path) -> Iterator[Records]:
    """A world with one recording at Twilio and nothing else."""
    url = f"sqlite:///{tmp_path}/catalogue.sqlite3"
    catalogue, view = SqlCatalogue.open(url), CatalogueView(url)
    with TwilioStandIn(account_sid=ACCOUNT_SID, auth_token="a token") as twilio:
        twilio.add_recording(recording_sid=SID, duration=1.0)
        yield Records(twilio, tmp_path / "shelf", catalogue, view)
    view.close()
    catalogue.close()


def test_a_world_in_which_all_is_well_has_no_violation(records: Records) -> None:
    records.ready()
    records.told("enqueue", "OK", "CACHED")
    records.told("get", "OK", "READY")
    records.told("stream", "OK", "", received_bytes=5)
    records.told("enqueue", "UNAVAILABLE", "ENQUEUE_FAILED+ENQUEUE_REASON_ERROR")

    assert records.found() == []


DONE = StepEnd(ProcessingState.DONE)
SKIPPED = StepEnd(ProcessingState.SKIPPED, StepReason.NOT_CONFIGURED)
ENDS = {Step.PROBE: DONE, Step.WAVEFORM: DONE, Step.TRANSCRIPT: SKIPPED}


@pytest.mark.parametrize(
    ("state", "ends", "drawn_of", "found"),
    [
        (ProcessingState.DONE, ENDS, "", []),
        (ProcessingState.PENDING, {Step.PROBE: DONE}, "", ["I2", "I2", "I2"]),
        (ProcessingState.DONE, {**ENDS, Step.PROBE: StepEnd(ProcessingState.FAILED)}, "", ["I2"]),
        (ProcessingState.DONE, ENDS, "of other bytes", ["I5"]),
        (ProcessingState.DONE, ENDS, None, ["I5"]),
    ],
)
def test_a_step_that_has_not_ended_or_is_of_other_bytes_is_found(
    records: Records, state: ProcessingState, ends: Mapping[Step, StepEnd], drawn_of: str | None, found: list[str]
) -> None:
    records.ready(job=RecordingJob.FULL, processing=Processing(state, attempt=1, next_attempt_time=RUNG, ends=ends))
    if drawn_of is not None:
        row = records.catalogue.get(RecordingKey(ACCOUNT_SID, SID))
        assert row is not None
        drawn = Artefact(row.key, Step.WAVEFORM, drawn_of or row.sha256, b"drawn")
        records.catalogue.amend([(row.key, lambda row: row and replace(row, revision=row.revision + 1))], [drawn])

    assert records.found() == found


def test_a_claim_about_a_recording_without_a_row_is_a_false_duplicate_and_a_loss(records: Records) -> None:
    records.told("webhook", "200", "DUPLICATE")

    assert records.found() == ["I1", "I2"]


def test_a_duplicate_for_which_no_bell_has_rung_is_false(records: Records) -> None:
    records.row()
    records.told("enqueue", "OK", "DUPLICATE")

    assert "I1" in records.found()


def test_a_duplicate_that_waits_for_its_next_attempt_is_true(records: Records) -> None:
    records.row(attempt=2, waiting_reason=WaitingReason.RETRY)
    records.told("enqueue", "OK", "DUPLICATE", attempt=2)

    assert "I1" not in records.found()


def test_enqueued_said_twice_of_one_attempt_is_a_lie(records: Records) -> None:
    records.ready()
    for _ in range(2):
        records.told("enqueue", "OK", "ENQUEUED")

    assert records.found() == ["I1"]


@pytest.mark.parametrize(
    ("status", "said"), [("OK", "ERROR"), ("OK", "UNSPECIFIED"), ("200", ""), ("500", "DUPLICATE")]
)
def test_a_success_for_a_failure_is_a_lie(records: Records, status: str, said: str) -> None:
    records.ready()
    records.told("webhook" if status.isdigit() else "enqueue", status, said)

    assert records.found() == ["I4"]


def test_a_row_that_has_not_come_to_an_end_is_a_loss(records: Records) -> None:
    records.row(rung_time=RUNG)

    assert records.found() == ["I2"]


def test_a_failure_is_a_loss_unless_twilio_does_not_have_the_recording(records: Records) -> None:
    records.row(state=RecordingState.FAILED, failure_reason=FailureReason.WORKER_CRASHED)

    assert records.found() == ["I2"]
    assert records.found(SID) == []


def test_ready_without_an_object_is_a_lie(records: Records) -> None:
    records.ready()
    (records.root / OBJECT_KEY).unlink()
    records.told("enqueue", "OK", "CACHED")

    assert records.found() == ["I5", "I5"]


def test_a_removed_object_is_no_lie_of_whoever_was_told_before(records: Records) -> None:
    records.ready()
    (records.root / OBJECT_KEY).unlink()
    records.history.struck("object removed", SID)
    records.told("get", "OK", "READY")

    assert records.found() == ["I5"], "the row itself is still wrong in the end"


def test_stored_bytes_that_are_not_the_sources_are_found(records: Records) -> None:
    records.ready()
    records.store(b"something else")

    assert records.found() == ["I5", "I5"]


@pytest.mark.parametrize(
    "fields", [{"intact": False}, {"complete": False}, {"intact": False, "complete": False}], ids=str
)
def test_wrong_or_missing_bytes_under_a_success_are_found(records: Records, fields: dict[str, bool]) -> None:
    records.ready()
    records.told("play", "206", "", **fields)

    assert records.found()


def test_a_stream_that_was_refused_in_the_middle_need_not_be_complete(records: Records) -> None:
    records.ready()
    records.told("stream", "UNAVAILABLE", "SERVER_DRAINING", complete=False)

    assert records.found() == []


def test_bytes_of_a_deleted_recording_are_found(records: Records) -> None:
    records.ready(state=RecordingState.DELETED)

    assert "I3" in records.found()


@pytest.mark.parametrize(
    ("logger", "count"),
    [("recording_service.core.download", 1), ("recording_service.processes.logs", 1), ("rq.worker", 0)],
)
def test_tracebacks_of_the_services_own_are_counted(tmp_path: Path, logger: str, count: int) -> None:
    log = tmp_path / "service.log"
    log.write_text(
        "2026-11-23T20:11:34.433Z INFO http recording_service.http_api: 200\n"
        f"2026-11-23T20:11:34.622Z ERROR worker-1 {logger}: it failed\n"
        "Traceback (most recent call last):\n  File\nValueError\n\nDuring handling\n\n"
        "Traceback (most recent call last):\n  File\nKeyError\n"
    )

    assert tracebacks(log) == count
