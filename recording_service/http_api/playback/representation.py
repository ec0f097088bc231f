"""What is served of a READY recording: its size, validators, media type and file name, as header fields."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import formatdate
from typing import Final, Literal

from recording_service.http_api.playback.conditions import Validators
from recordings.errors import ContractBroken
from recordings.v1.recording_pb2 import Recording

Disposition = Literal["inline", "attachment"]

#: Media types that are served as such, with the name we use and the file extension (reliability.md C13).
_MEDIA_TYPES: Final[Mapping[str, tuple[str, str]]] = {
    "audio/mpeg": ("audio/mpeg", "mp3"),
    "audio/wav": ("audio/wav", "wav"),
    "audio/wave": ("audio/wav", "wav"),
    "audio/x-wav": ("audio/wav", "wav"),
    "audio/vnd.wave": ("audio/wav", "wav"),
}
#: The extensions that a path may ask for.
EXTENSIONS: Final = frozenset(extension for _, extension in _MEDIA_TYPES.values())
#: Anything else: never rendered, only saved.
_OPAQUE: Final = ("application/octet-stream", "bin")
#: The bytes behind an ETag never change; D1 lets a browser keep them for so long, in seconds, and no proxy at all.
MAX_AGE_SECONDS: Final = 3600
_ETAG: Final = re.compile(r"[!#-~]+")


@dataclass(frozen=True, slots=True)
class Representation:
    """One version of a recording's bytes."""

    recording_sid: str
    size: int
    validators: Validators
    media_type: str
    extension: str

    @classmethod
    def of(cls, recording: Recording) -> "Representation":
        """The stored bytes of a READY recording.

        Raises:
            ContractBroken: it has no usable etag or size.
        """
        if _ETAG.fullmatch(recording.etag) is None or recording.size_bytes < 0:
            raise ContractBroken("a READY recording without an etag or a size")
        # Whole seconds: HTTP has no finer date. Rounded down, so that it never lies in the future.
        ready = recording.ready_time.seconds if recording.HasField("ready_time") else None
        media_type, extension = _MEDIA_TYPES.get(recording.content_type.partition(";")[0].strip().lower(), _OPAQUE)
        return cls(
            recording.recording_sid,
            recording.size_bytes,
            Validators(recording.etag, ready),
            media_type,
            extension,
        )

    def version_headers(self, max_age_seconds: int = MAX_AGE_SECONDS) -> dict[str, str]:
        """The fields that a 200, a 206 and a 304 have in common (RFC 9110 §15.3.7, §15.4.5).

        Parameters:
            max_age_seconds: for how long a browser may play what it has kept without asking.
        """
        headers = {
            "ETag": f'"{self.validators.etag}"',
            "Cache-Control": f"private, max-age={max_age_seconds}, immutable",
            "Accept-Ranges": "bytes",
        }
        if self.validators.last_modified is not None:
            headers["Last-Modified"] = formatdate(self.validators.last_modified, usegmt=True)
        return headers

    def content_headers(self, disposition: Disposition) -> dict[str, str]:
        """The fields that describe the bytes. The file name is ASCII by construction, so it needs no RFC 8187 form."""
        shown: Disposition = disposition if self.media_type != _OPAQUE[0] else "attachment"
        return {
            "Content-Type": self.media_type,
            "Content-Disposition": f'{shown}; filename="recording-{self.recording_sid}.{self.extension}"',
        }
