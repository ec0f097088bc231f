"""A recording as Twilio knows it, and the shelf of them with their audio."""

import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from recording_service.twilio_stand_in.audio import conversation, mixed, wav
from recording_service.twilio_stand_in.encryption import Encryption
from recording_service.twilio_stand_in.mp3 import BIT_RATE, mp3_of_duration, mp3_of_size

#: The extension that Twilio's answer to a URL without one has: WAV (twilio.md A4).
DEFAULT_EXTENSION = ".wav"

#: Content-Type of each form of the audio (twilio.md A4).
MEDIA_TYPES = {".wav": "audio/x-wav", ".mp3": "audio/mpeg"}


def new_sid(prefix: str) -> str:
    """A new SID, such as `new_sid("RE")`: the prefix and 32 hex digits."""
    return prefix + uuid.uuid4().hex


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


@dataclass(frozen=True, kw_only=True)
class Recording:
    """What Twilio knows of a recording. Everything has a default but can be chosen."""

    recording_sid: str = field(default_factory=lambda: new_sid("RE"))
    account_sid: str = ""
    """Left empty, the stand-in's first account."""
    call_sid: str | None = field(default_factory=lambda: new_sid("CA"))
    conference_sid: str | None = None
    duration: float = 5.0
    """Seconds of audio."""
    channels: int = 1
    """1, or 2 for a dual-channel recording with one party a channel."""
    seed: str | None = None
    """What the audio is made from; None takes the recording_sid."""
    size: int | None = None
    """Exact bytes of the MP3, in place of `duration`."""
    body: bytes | None = None
    """Exact bytes to serve whatever the extension, in place of `duration` and `size`."""
    status: str = "completed"
    """As Twilio's REST resource has it; there is media only when `completed`."""
    source: str = "StartCallRecordingAPI"
    track: str = "both"
    start_time: datetime = field(default_factory=_now)
    error_code: int = 0
    encryption: Encryption | None = None
    """Encrypts it for a public key: it is then had as WAV only, and as it was recorded."""

    def __post_init__(self) -> None:
        if self.channels not in (1, 2):
            raise ValueError(f"a recording has 1 or 2 channels, not {self.channels}")

    @property
    def seconds(self) -> float:
        """How long the audio is: `duration`, or what follows from `size` at 32 kbit/s."""
        return self.duration if self.size is None else self.size * 8 / BIT_RATE


class Recordings:
    """The recordings and, made once when first asked for, their audio. Thread-safe.

    Args:
        account_sid: The account of recordings that name none.
        invent: Makes up a recording for an unknown SID; None leaves it unknown.
    """

    def __init__(self, account_sid: str, invent: Callable[[str], Recording] | None = None) -> None:
        self._account_sid = account_sid
        self._invent = invent
        self._lock = threading.Lock()
        self._recordings: dict[str, Recording] = {}
        self._media: dict[tuple[str, str, int], bytes] = {}
        self._making: dict[str, threading.Lock] = {}

    def add(self, recording: Recording) -> Recording:
        """Adds a recording and returns it with its account; raises ValueError when its SID is taken."""
        with self._lock:
            if recording.recording_sid in self._recordings:
                raise ValueError(f"there is a recording {recording.recording_sid} already")
            return self._added(recording, self._account_sid)

    def get(self, recording_sid: str) -> Recording:
        """The recording of that SID, whosever it is; raises KeyError when there is none."""
        recording = self.find(recording_sid, None)
        if recording is None:
            raise KeyError(recording_sid)
        return recording

    def find(self, recording_sid: str, account_sid: str | None) -> Recording | None:
        """The recording of that SID if it is the account's, or of any account for None; it may be invented."""
        with self._lock:
            recording = self._recordings.get(recording_sid)
            if recording is None and self._invent is not None:
                recording = self._added(self._invent(recording_sid), account_sid or self._account_sid)
        if recording is None or account_sid not in (None, recording.account_sid):
            return None
        return recording

    def _added(self, recording: Recording, account_sid: str) -> Recording:
        recording = replace(recording, account_sid=recording.account_sid or account_sid)
        self._recordings[recording.recording_sid] = recording
        self._making[recording.recording_sid] = threading.Lock()
        return recording

    def set_status(self, recording_sid: str, status: str) -> Recording:
        """Moves a recording to another status; raises KeyError when it is unknown."""
        recording = self.get(recording_sid)
        with self._lock:
            self._recordings[recording_sid] = replace(recording, status=status)
            return self._recordings[recording_sid]

    def media(self, recording_sid: str, extension: str, channels: int | None = None) -> bytes:
        """The audio, byte for byte as served; `channels` as RequestedChannels, None as recorded.

        Raises KeyError when the recording or the extension is unknown. The first call for a form makes it, others wait.
        """
        recording = self.get(recording_sid)
        key = (recording_sid, extension, channels or recording.channels)
        with self._making[recording_sid]:
            if key not in self._media:
                self._media[key] = _rendered(recording, extension, key[2])
            return self._media[key]

    def plain_media(self, recording_sid: str) -> bytes:
        """The audio before it was encrypted; KeyError when the recording is unknown."""
        recording = self.get(recording_sid)
        return _rendered(replace(recording, encryption=None), DEFAULT_EXTENSION, recording.channels)

    def media_if_made(self, recording_sid: str, extension: str, channels: int) -> bytes | None:
        """The audio if it has been made already: never waits."""
        return self._media.get((recording_sid, extension, channels))


def _rendered(recording: Recording, extension: str, channels: int) -> bytes:
    seed = recording.recording_sid if recording.seed is None else recording.seed
    if extension not in MEDIA_TYPES:
        raise KeyError(extension)
    if recording.encryption is not None:
        return recording.encryption.sealed(_rendered(replace(recording, encryption=None), extension, channels))
    if recording.body is not None:
        return recording.body
    if extension == ".wav":
        call = conversation(seed, recording.seconds)
        return wav(call if channels == 2 else mixed(call))
    if recording.size is not None:
        return mp3_of_size(seed, recording.size, channels)
    return mp3_of_duration(seed, recording.duration, channels)
