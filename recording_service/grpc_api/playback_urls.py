"""CreatePlaybackUrl: a URL for whoever may play one recording for a while. Nothing is stored."""

import math
import time
from collections.abc import Mapping
from typing import Final

from recording_service.core.errors import InvalidRequest
from recording_service.core.model import Recording
from recording_service.signed_urls import MAX_LIFETIME_SECONDS, UrlSigner
from recordings.v1 import playback_url_pb2

#: How long a URL works where nothing is asked for: so many times the recording's duration, and at least so long.
DEFAULT_DURATIONS: Final = 3
MIN_DEFAULT_SECONDS: Final = 3600

_DISPOSITIONS: Final[Mapping[int, str]] = {
    playback_url_pb2.PLAYBACK_DISPOSITION_UNSPECIFIED: "inline",
    playback_url_pb2.PLAYBACK_DISPOSITION_INLINE: "inline",
    playback_url_pb2.PLAYBACK_DISPOSITION_ATTACHMENT: "attachment",
}


def check(request: playback_url_pb2.CreatePlaybackUrlRequest) -> None:
    """Raises InvalidRequest for what is wrong whatever the recording: the ttl or the disposition."""
    if request.disposition not in _DISPOSITIONS:
        raise InvalidRequest.of("disposition", f"is {request.disposition}, which is not known here")
    ttl = request.ttl
    if request.HasField("ttl") and (ttl.nanos or not 1 <= ttl.seconds <= MAX_LIFETIME_SECONDS):
        raise InvalidRequest.of("ttl", f"must be whole seconds from 1 to {MAX_LIFETIME_SECONDS}; or leave it out")


def playback_url(
    request: playback_url_pb2.CreatePlaybackUrlRequest, recording: Recording, signer: UrlSigner
) -> playback_url_pb2.CreatePlaybackUrlResponse:
    """The URL that a checked request asks for, signed now."""
    expires = int(time.time()) + (request.ttl.seconds if request.HasField("ttl") else _default_ttl(recording))
    disposition = _DISPOSITIONS[request.disposition]
    signed = signer.sign(recording.account_sid, recording.recording_sid, expires, disposition)
    response = playback_url_pb2.CreatePlaybackUrlResponse(
        url=signed.url, status_url=signed.status_url, key_id=signed.key_id
    )
    response.expire_time.seconds = expires
    return response


def _default_ttl(recording: Recording) -> int:
    """In seconds: each seek is a new request with the same URL (reliability.md C15)."""
    duration = recording.call.duration
    seconds = 0.0 if duration is None else duration.total_seconds()
    return min(max(MIN_DEFAULT_SECONDS, math.ceil(DEFAULT_DURATIONS * seconds)), MAX_LIFETIME_SECONDS)
