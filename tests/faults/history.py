"""What happened in a scenario, in order: what was done to the service, and what its callers were told."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Evidence:
    """What catalogue and shelf held just after an answer: what an answer may not claim more than."""

    #: The row's columns by name; None where there was no row.
    row: dict[str, object] | None
    #: The size in bytes of the object that the row named; None where there was none.
    stored_bytes: int | None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a caller was told, and what was true then. Times are seconds since the scenario began."""

    asked_at: float
    told_at: float
    #: Which way it was asked: `enqueue`, `batch`, `webhook`, `report`, `get`, `watch`, `stream`, `play`, `delete`.
    method: str
    recording_sid: str
    #: `OK`, or the name of the gRPC status; for HTTP the number.
    status: str
    #: The reason of an enqueue, the state of a lookup or watch, the ErrorInfo reason of a refusal.
    said: str
    #: The recording's attempt as it was told; 0 where none was.
    attempt: int = 0
    #: Bytes that came, and whether they were those of the source, for `stream` and `play`.
    received_bytes: int = 0
    intact: bool = True
    #: Whether all that was promised came.
    complete: bool = True
    evidence: Evidence | None = None
    #: Everything else that it says, but for what its caller has sent.
    words: str = ""


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that was done to the service, or to the world around it."""

    began_at: float
    #: Equal to `began_at` for what takes no time.
    ended_at: float
    what: str
    #: The recording whose stored bytes it touched, if it did: claims about it may then be overtaken by events.
    recording_sid: str = ""


@dataclass
class History:
    """Everything of one scenario. Safe for many threads."""

    started: float = field(default_factory=time.monotonic)
    answers: list[Answer] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def seconds(self) -> float:
        """Seconds since the scenario began."""
        return time.monotonic() - self.started

    def told(self, answer: Answer) -> Answer:
        """Notes an answer; returns it."""
        with self._lock:
            self.answers.append(answer)
        return answer

    def struck(self, what: str, recording_sid: str = "") -> None:
        """Notes a fault that takes no time."""
        now = self.seconds()
        with self._lock:
            self.faults.append(Fault(now, now, what, recording_sid))

    @contextmanager
    def striking(self, what: str, recording_sid: str = "") -> Iterator[None]:
        """Notes a fault that lasts as long as the block."""
        began_at = self.seconds()
        try:
            yield
        finally:
            with self._lock:
                self.faults.append(Fault(began_at, self.seconds(), what, recording_sid))

    def disturbed(self, recording_sid: str, since: float, until: float) -> bool:
        """Whether the stored bytes of the recording were touched in that time."""
        with self._lock:
            return any(
                fault.recording_sid == recording_sid and fault.began_at <= until and fault.ended_at >= since
                for fault in self.faults
            )

    def lines(self) -> Iterator[str]:
        """One line of JSON for each thing that happened, in the order in which it began."""
        with self._lock:
            events = [(answer.asked_at, "answer", asdict(answer)) for answer in self.answers]
            events += [(fault.began_at, "fault", asdict(fault)) for fault in self.faults]
        for _, kind, fields in sorted(events, key=lambda event: event[0]):
            yield json.dumps({"kind": kind, **fields}, default=str)

    def write(self, path: Path) -> None:
        """Writes all of it to a file, a line each."""
        path.write_text("\n".join(self.lines()) + "\n", encoding="utf-8")
