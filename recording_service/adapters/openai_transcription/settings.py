"""Where clips are transcribed, as what, and within what limits."""

import ipaddress
import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from recording_service.adapters.openai_transcription.languages import CODES

_URL = re.compile(r"https?://(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?(?:/[A-Za-z0-9._~%-]+)*/?")
_PATH = re.compile(r"(?:/[A-Za-z0-9._~%-]+)+")
_MODEL = re.compile(r"[!-~]{1,200}")
_API_KEY = re.compile(r"[!-~]{0,4096}")

#: What these fields must be, in words that don't repeat what they are.
_DESCRIPTIONS = {
    "path": "must begin with / and have neither query nor fragment",
    "model": "must be a name of 1 to 200 visible ASCII characters",
    "api_key": "must be of visible ASCII characters, without spaces",
}

#: Limits that are counts of something, and so above 0.
_LIMITS = ("connect_seconds", "idle_seconds", "total_seconds", "max_answer_bytes")


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenAiTranscriptionSettings:
    """One server and one model of it. ValueError, which names the field, if something can't be meant.

    The sound of calls is sent there, and the key with it: so the URL is https, or http on loopback. Where a server of
    one's own stands in a network of one's own, `allow_plain_http` says that whoever can listen there may.
    """

    #: Where the API begins, such as `https://api.openai.com/v1`. Without credentials, query and fragment.
    url: str
    #: As the server calls it, such as `whisper-1`.
    model: str
    #: Sent as a bearer token. Empty: none is sent.
    api_key: str = field(default="", repr=False)
    #: What is spoken, as a code of ISO 639-1. Empty: the server finds out.
    language: str = ""
    #: What follows the URL. whisper.cpp's server has `/inference`, unless it is told otherwise.
    path: str = "/audio/transcriptions"
    #: Whether the times of words are asked for too. A few servers refuse that.
    word_times: bool = True
    #: From 0 to 1. None: the server's own, which is 0, and more only where the outcome makes no sense. To say 0 turns
    #: that off at some: faster-whisper then heard one sentence 28 times in five seconds of silence, else none.
    temperature: float | None = None
    allow_plain_http: bool = False
    #: PEM file of whom to trust, instead of certifi's.
    certificates: Path | None = None
    #: For a connection, and again for TLS.
    connect_seconds: float = 10.0
    #: For the next byte, the first one too: servers say nothing until they are done, and let requests wait in line.
    idle_seconds: float = 120.0
    #: For all of it: sending the clip, waiting, and the answer.
    total_seconds: float = 240.0
    #: Largest answer. Half a minute of speech has some 30 KB.
    max_answer_bytes: int = 4 * 1024 * 1024

    def __post_init__(self) -> None:
        self._check_url()
        for name, form in (("path", _PATH), ("model", _MODEL), ("api_key", _API_KEY)):
            if not form.fullmatch(getattr(self, name)):
                raise ValueError(f"{name}: {_DESCRIPTIONS[name]}")
        if self.language and self.language not in CODES:
            # One that nobody knows would never be what a server has heard: every transcript would fail.
            raise ValueError("language: must be the code that Whisper has for it, such as en (ISO 639-1), or empty")
        if self.temperature is not None and not 0 <= self.temperature <= 1:
            raise ValueError("temperature: must be between 0 and 1")
        for name in _LIMITS:
            if not 0 < getattr(self, name) < float("inf"):
                raise ValueError(f"{name}: must be above 0")

    @property
    def endpoint(self) -> str:
        """Where clips are sent."""
        return self.url.rstrip("/") + self.path

    def _check_url(self) -> None:
        host = _host_of(self.url)
        if not host:
            raise ValueError("url: must be where an API begins, such as https://api.openai.com/v1, and nothing else")
        if not self.url.startswith("https:") and not self.allow_plain_http and not _is_loopback(host):
            raise ValueError("url: must be https, or http on loopback; elsewhere plain http has to be allowed")


def _host_of(url: str) -> str:
    """The host of a URL that is nothing but an address; empty for any other."""
    try:
        parts = urlsplit(url)
        return parts.hostname or "" if _URL.fullmatch(url) and parts.port != 0 else ""
    except ValueError:
        return ""


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
