"""Twilio in memory, for tests of the core: recordings, and what is to happen each time one is asked for."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from threading import Lock

from recording_service.core.errors import DecryptionError, SourceError, SourceNotFound, SourceTruncated
from recording_service.core.model import EncryptionDetails, RecordingKey

#: Largest piece of a body, in bytes, as the port promises.
PIECE_BYTES = 65536


@dataclass(frozen=True, slots=True)
class Answer:
    """A body, and how it is sent."""

    body: bytes
    #: The connection breaks after that many bytes; None: it does not.
    cut_after_bytes: int | None = None
    #: Whether its length is announced.
    announced: bool = True


#: What may happen when a recording is asked for; bytes stand for the Answer of that body.
Outcome = bytes | Answer | SourceError


class MemoryMedia:
    """Implements `ports.Media`."""

    def __init__(self, answer: Answer, asked_for: str, piece_bytes: int) -> None:
        self._answer = answer
        self._asked_for = asked_for
        self._piece_bytes = piece_bytes

    @property
    def content_length(self) -> int | None:
        """The length of the whole body, if it is announced."""
        return len(self._answer.body) if self._answer.announced else None

    @property
    def asked_for(self) -> str:
        """What the source was told."""
        return self._asked_for

    def chunks(self) -> Iterator[bytes]:
        """The body, piece by piece. SourceTruncated where it is cut."""
        sent = self._answer.body[: self._answer.cut_after_bytes]
        for offset in range(0, len(sent), self._piece_bytes):
            yield sent[offset : offset + self._piece_bytes]
        if self._answer.cut_after_bytes is not None:
            raise SourceTruncated("the connection ended before the recording did")


class MemorySource:
    """Implements `ports.MediaSource`. Safe to use from many threads."""

    def __init__(
        self, recordings: Mapping[RecordingKey, bytes] | None = None, *, piece_bytes: int = PIECE_BYTES
    ) -> None:
        """`recordings` are there from the beginning; all others are not found."""
        self._script: dict[RecordingKey, list[Outcome]] = {key: [body] for key, body in (recordings or {}).items()}
        self._piece_bytes = piece_bytes
        #: The format that is asked for; tests choose it.
        self.asked_for = "mp3"
        self._asked: list[RecordingKey] = []
        #: What the resource of each recording says of its encryption, or the error that asking for it ends in; and how
        #: often it was asked for. Tests set the first, and read the second.
        self.encryption: dict[RecordingKey, EncryptionDetails | SourceError | DecryptionError] = {}
        self.asked_for_details: list[RecordingKey] = []
        self._lock = Lock()

    @property
    def asked(self) -> list[RecordingKey]:
        """Every request so far, in order."""
        with self._lock:
            return list(self._asked)

    def script(self, key: RecordingKey, outcomes: Iterable[Outcome]) -> None:
        """What happens when the recording is asked for: one outcome each time, and the last one for ever after."""
        with self._lock:
            self._script[key] = list(outcomes)

    @contextmanager
    def open(self, key: RecordingKey) -> Iterator[MemoryMedia]:
        """Asks for the recording. Raises SourceError."""
        outcome = self._next(key)
        if isinstance(outcome, SourceError):
            raise outcome
        answer = Answer(outcome) if isinstance(outcome, bytes) else outcome
        yield MemoryMedia(answer, self.asked_for, self._piece_bytes)

    def open_encrypted(self, key: RecordingKey) -> AbstractContextManager[MemoryMedia]:
        """Asks for a recording that is encrypted: the same outcomes."""
        return self.open(key)

    def encryption_details(self, key: RecordingKey) -> EncryptionDetails | None:
        """What was set; None if nothing was."""
        with self._lock:
            self.asked_for_details.append(key)
            said = self.encryption.get(key)
        if isinstance(said, Exception):
            raise said
        return said

    def _next(self, key: RecordingKey) -> Outcome:
        with self._lock:
            self._asked.append(key)
            outcomes = self._script.get(key)
            if not outcomes:
                return SourceNotFound("Twilio has no such recording")
            return outcomes.pop(0) if len(outcomes) > 1 else outcomes[0]
