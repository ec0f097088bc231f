"""A Twilio whose body a test writes piece by piece, and lies about as it likes."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager

from recording_service.core.model import EncryptionDetails, RecordingKey
from recording_service.core.ports import Media


class ScriptedMedia:
    """Implements `ports.Media`: the pieces are taken when they are asked for."""

    def __init__(self, pieces: Iterable[bytes], content_length: int | None) -> None:
        self._pieces = pieces
        self._content_length = content_length

    @property
    def content_length(self) -> int | None:
        """What is announced, whatever comes."""
        return self._content_length

    @property
    def asked_for(self) -> str:
        """MP3, whatever comes."""
        return "mp3"

    def chunks(self) -> Iterator[bytes]:
        """The pieces."""
        yield from self._pieces


class ScriptedSource:
    """Implements `ports.MediaSource`: each recording that is asked for has these pieces, encrypted or not."""

    def __init__(self, pieces: Callable[[], Iterable[bytes]], content_length: int | None = None) -> None:
        self._pieces = pieces
        self._content_length = content_length

    @contextmanager
    def open(self, key: RecordingKey) -> Iterator[Media]:
        """Asks for the recording."""
        yield ScriptedMedia(self._pieces(), self._content_length)

    def open_encrypted(self, key: RecordingKey) -> AbstractContextManager[Media]:
        """Asks for a recording that is encrypted."""
        return self.open(key)

    def encryption_details(self, key: RecordingKey) -> EncryptionDetails | None:
        """None of these is known to be encrypted."""
        return None
