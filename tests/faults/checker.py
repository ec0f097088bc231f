"""The checker: four records (what callers were told, what Twilio served, the shelf, the catalogue) against the eight
invariants of reliability.md B2, after every scenario."""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from recording_service.twilio_stand_in.request_log import Outcome
from recording_service.twilio_stand_in.server import TwilioStandIn
from tests.faults.catalogue_view import CatalogueView
from tests.faults.history import Answer, History
from tests.faults.shelf_view import ShelfView

#: Answers that claim that a recording will come, or is there.
CLAIMS = frozenset({"ENQUEUED", "DUPLICATE", "CACHED"})
#: Ways to ask for a recording.
ASKING = frozenset({"enqueue", "batch", "webhook"})
#: Ends of a recording's way.
ENDS = frozenset({"ready", "failed", "deleted"})


@dataclass(frozen=True, slots=True)
class Violation:
    """One invariant that did not hold, by its name in reliability.md B2."""

    invariant: str
    recording_sid: str
    what: str

    def __str__(self) -> str:
        return f"{self.invariant} {self.recording_sid}: {self.what}"


@dataclass(frozen=True, slots=True)
class Figures:
    """What a scenario amounted to."""

    faults: int
    recordings: int
    answers: int
    #: Whole downloads beyond the first of each recording: allowed, and counted.
    duplicate_downloads: int
    #: Objects on the shelf that no row names, waiting for the sweep.
    orphans: int


class Checker:
    """Compares the four records. Nothing may be going on any more."""

    def __init__(
        self,
        history: History,
        twilio: TwilioStandIn,
        shelf: ShelfView,
        catalogue: CatalogueView,
        *,
        cannot_be_had: frozenset[str] = frozenset(),
    ) -> None:
        self._history = history
        self._twilio = twilio
        self._shelf = shelf
        self._rows = {str(row["recording_sid"]): row for row in catalogue.rows()}
        self._drawn_of = catalogue.drawn_of()
        self._cannot_be_had = cannot_be_had

    def violations(self) -> list[Violation]:
        """Everything that did not hold."""
        found: list[Violation] = []
        for answer in self._history.answers:
            found += self._of_answer(answer)
        for recording_sid, row in self._rows.items():
            found += self._of_row(recording_sid, row)
        return found + list(self._of_ringing())

    def figures(self) -> Figures:
        """What it amounted to."""
        whole = Counter(
            request.recording_sid
            for request in self._twilio.requests
            if request.status == 200
            and request.outcome is Outcome.SENT
            and request.recording_sid in self._rows
            and request.bytes_sent == len(self._twilio.media(request.recording_sid))
        )
        named = {str(row["object_key"]) for row in self._rows.values() if row["object_key"]}
        return Figures(
            faults=len(self._history.faults),
            recordings=len(self._rows),
            answers=len(self._history.answers),
            duplicate_downloads=sum(count - 1 for count in whole.values()),
            orphans=len(self._shelf.object_keys() - named),
        )

    def _of_answer(self, answer: Answer) -> Iterator[Violation]:
        sid, said = answer.recording_sid, answer.said
        told = f"{answer.method} at {answer.asked_at:.2f} to {answer.told_at:.2f} s was told {answer.status} {said}"
        successful = answer.status in ("OK", "200")
        if answer.method in ASKING and said != "NONE":
            if successful and said not in CLAIMS and not (answer.method == "batch" and said == "ERROR"):
                yield Violation("I4", sid, f"{told}: success without a claim")
            if not successful and said in CLAIMS:
                yield Violation("I4", sid, f"{told}: a claim without success")
        if answer.method in ASKING and successful and said in CLAIMS:
            yield from self._of_claim(answer, told)
            if sid not in self._rows:
                yield Violation("I2", sid, f"{told}, and there is no row in the end")
        if answer.method in ("get", "watch") and said == "READY":
            yield from self._of_object(answer, told)
        if answer.method in ("stream", "play"):
            yield from self._of_bytes(answer, told)

    def _of_claim(self, answer: Answer, told: str) -> Iterator[Violation]:
        """What ENQUEUED, DUPLICATE and CACHED say, against the row and the shelf of that moment (design.md §2)."""
        row = answer.evidence.row if answer.evidence else None
        if row is None:
            yield Violation("I1", answer.recording_sid, f"{told}, and there was no row")
            return
        if answer.said == "CACHED":
            yield from self._of_object(answer, told)
        elif _is_unrung(row) and answer.attempt == row["attempt"]:
            # Of another attempt it would be true: the one that was rung for is over, and the dispatcher goes on.
            yield Violation("I1", answer.recording_sid, f"{told}, and no bell had rung")

    def _of_object(self, answer: Answer, told: str) -> Iterator[Violation]:
        evidence = answer.evidence
        row = evidence.row if evidence else None
        if evidence is None or row is None:
            yield Violation("I5", answer.recording_sid, f"{told}, and there was no row")
        elif row["state"] == "ready" and evidence.stored_bytes != row["size_bytes"]:
            if not self._history.disturbed(answer.recording_sid, answer.asked_at, self._history.seconds()):
                yield Violation("I5", answer.recording_sid, f"{told}, and {evidence.stored_bytes} bytes were stored")
        elif row["state"] in ("queued", "downloading", "failed") and not self._history.disturbed(
            answer.recording_sid, 0.0, self._history.seconds()
        ):
            yield Violation("I5", answer.recording_sid, f"{told}, and the row was {row['state']}")

    def _of_bytes(self, answer: Answer, told: str) -> Iterator[Violation]:
        # A bit that was turned over on the disk is the scrub's business (design.md §2).
        damaged = self._history.disturbed(answer.recording_sid, 0.0, answer.told_at)
        if not answer.intact and not damaged:
            yield Violation("I5", answer.recording_sid, f"{told} and got bytes that are not the source's")
        if answer.status in ("OK", "200", "206") and not answer.complete:
            yield Violation("I4", answer.recording_sid, f"{told} and got {answer.received_bytes} bytes, not all")
        if answer.said == "WRONG_OFFSET":
            yield Violation("I5", answer.recording_sid, f"{told} and a chunk with another offset than its place")

    def _of_row(self, recording_sid: str, row: dict[str, object]) -> Iterator[Violation]:
        state = row["state"]
        if state not in ENDS:
            yield Violation("I2", recording_sid, f"is {state} in the end, waiting for {row['waiting_reason']}")
        elif state == "failed":
            if not row["failure_reason"]:
                yield Violation("I2", recording_sid, "FAILED without a reason")
            if recording_sid not in self._cannot_be_had:
                yield Violation("I2", recording_sid, f"FAILED ({row['failure_message']}), though Twilio has it")
        elif state == "ready":
            yield from self._of_stored(recording_sid, row)
        elif state == "deleted" and any(recording_sid in key for key in self._shelf.object_keys()):
            yield Violation("I3", recording_sid, "DELETED, and its bytes are there")

    def _of_stored(self, recording_sid: str, row: dict[str, object]) -> Iterator[Violation]:
        object_key = str(row["object_key"])
        if self._shelf.size(object_key) is None:
            yield Violation("I5", recording_sid, "READY, and nothing is stored")
            return
        sha256 = self._shelf.sha256(object_key)
        if sha256 != row["sha256"]:
            yield Violation("I5", recording_sid, "READY, and the stored bytes have another hash than the row")
        if sha256 != _sha256(self._twilio.media(recording_sid)):
            yield Violation("I5", recording_sid, "READY, and the stored bytes are not the source's")
        yield from self._of_processing(recording_sid, row)

    def _of_processing(self, recording_sid: str, row: dict[str, object]) -> Iterator[Violation]:
        """Every step that was asked for has ended, with its reason if not well, and of these very bytes."""
        if row["job"] != "full":
            return
        if row["processing_state"] != "done":
            yield Violation("I2", recording_sid, f"its processing is {row['processing_state']} in the end")
        ends = json.loads(str(row["processing_ends"]))
        for step in ("probe", "waveform", "transcript"):
            state, reason, _ = ends.get(step, ("missing", "", ""))
            if state not in ("done", "failed", "skipped") or (state == "done") == bool(reason):
                yield Violation("I2", recording_sid, f"its {step} is {state}, reason {reason or 'none'}")
        if ends.get("waveform", [""])[0] == "done" and self._drawn_of.get(recording_sid) != row["sha256"]:
            yield Violation("I5", recording_sid, "its waveform was drawn of other bytes, or is not there")

    def _of_ringing(self) -> Iterator[Violation]:
        """ENQUEUED is said once a bell: of many simultaneous callers to exactly one (design.md §2)."""
        said = Counter(
            (answer.recording_sid, answer.attempt)
            for answer in self._history.answers
            if answer.said == "ENQUEUED" and answer.status == "OK"
        )
        for (recording_sid, attempt), count in said.items():
            if count > 1:
                yield Violation("I1", recording_sid, f"ENQUEUED was said {count} times of attempt {attempt}")


def _is_unrung(row: Mapping[str, object]) -> bool:
    return row["state"] == "queued" and row["rung_time"] is None and row["waiting_reason"] is None


#: What a log must not hold at the level of an error, unless a scenario brings it about on purpose.
#: RQ logs one of its own where Redis goes away just as a bell has been answered, which costs nothing.
_TRACEBACK = re.compile(rb"^\d{4}-\S+ \w+ \S+ (?!rq\.)\S+: [^\n]*\nTraceback \(most recent call last\):", re.MULTILINE)


def tracebacks(log: Path) -> int:
    """How many tracebacks of the service's own a log has."""
    return len(_TRACEBACK.findall(log.read_bytes()))


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
