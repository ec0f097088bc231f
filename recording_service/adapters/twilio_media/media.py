"""Recordings from Twilio, over HTTP (twilio.md A4, reliability.md C 8 to 11)."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import requests
from requests.auth import HTTPBasicAuth
from urllib3.exceptions import HTTPError
from urllib3.response import BaseHTTPResponse

from recording_service.adapters.answer_times import time_of_answer
from recording_service.adapters.twilio_media.account import (
    MediaFormat,
    TwilioAccount,
    TwilioLimits,
    media_url,
    resource_url,
)
from recording_service.adapters.twilio_media.answers import announced_length, error_of
from recording_service.adapters.twilio_media.connection import PatientAdapter
from recording_service.adapters.twilio_media.patience import Patience
from recording_service.adapters.twilio_media.redirects import MAX_REDIRECTS, REDIRECT_STATUSES, RedirectRules
from recording_service.adapters.twilio_media.resource import (
    MAX_ERROR_BYTES,
    MAX_RESOURCE_BYTES,
    encryption_of_resource,
    says_encrypted,
)
from recording_service.core.errors import (
    RedirectRefused,
    SourceEncrypted,
    SourceError,
    SourceNotAudio,
    SourceTimedOut,
    SourceTooLarge,
    SourceTruncated,
    SourceUnauthorized,
    SourceUnavailable,
)
from recording_service.core.model import EncryptionDetails, RecordingKey

#: Largest piece of a body that is handed on, in bytes.
PIECE_BYTES = 65536

#: What is asked for: media, and what Twilio knows of it.
AUDIO, JSON = "audio/*", "application/json"

#: What every request says. The bytes are wanted as they are, and the connection for this answer only.
HEADERS = {
    "Accept-Encoding": "identity",
    "Connection": "close",
    "User-Agent": "recording-service",
}

#: What the libraries raise, and what it is called here; the first that fits. Neither their texts nor they themselves
#: go on, for they carry the URL, and a URL that Twilio redirected to is as good as a key.
OPENING_ERRORS: Mapping[type[Exception], SourceError] = {
    requests.Timeout: SourceTimedOut("Twilio did not answer in time"),
    requests.RequestException: SourceUnavailable("no answer came from Twilio"),
    HTTPError: SourceUnavailable("no answer came from Twilio"),
}
READING_ERRORS: Mapping[type[Exception], SourceError] = {
    HTTPError: SourceTruncated("the connection to Twilio ended before the recording did"),
}


#: Answers with which Twilio may refuse a format of an encrypted recording. It documents the code, and no status.
ENCRYPTED_STATUSES = frozenset({400, 404, 406, 409, 415, 422})


class _Answer(NamedTuple):
    """The answer at the end of all redirects, and whether it was asked for with the account's credentials."""

    raw: BaseHTTPResponse
    by_account: bool


class TwilioRecording:
    """Implements `ports.Media`: the body of one answer. To be read once."""

    def __init__(
        self, raw: BaseHTTPResponse, asked_for: str, content_length: int | None, max_bytes: int, patience: Patience
    ) -> None:
        self._raw = raw
        self._asked_for = asked_for
        self._content_length = content_length
        self._max_bytes = max_bytes
        self._patience = patience

    @property
    def content_length(self) -> int | None:
        """The length that was announced, in bytes."""
        return self._content_length

    @property
    def asked_for(self) -> str:
        """The format that was asked for, by its extension."""
        return self._asked_for

    def chunks(self) -> Iterator[bytes]:
        """The body as it arrives. SourceTimedOut, SourceTruncated, SourceTooLarge."""
        self._patience.begin_body()
        received = 0
        while piece := self._next():
            received += len(piece)
            if received > self._max_bytes:
                raise SourceTooLarge(f"the recording has more than {self._max_bytes} bytes")
            yield piece
        if self._content_length not in (None, received):
            raise SourceTruncated(f"Twilio announced {self._content_length} bytes and sent {received}")

    def _next(self) -> bytes:
        """What has arrived, at least a byte; nothing at the end. `read` and `stream` would wait to fill a piece."""
        with _translated(READING_ERRORS):
            return self._raw.read1(PIECE_BYTES, decode_content=False)


class TwilioMedia:
    """Implements `ports.MediaSource`. Holds no connection: may be used by many threads, and built before a fork."""

    def __init__(
        self,
        accounts: Iterable[TwilioAccount],
        limits: TwilioLimits | None = None,
        *,
        further_redirect_origins: Collection[str] = (),
        certificates: Path | None = None,
    ) -> None:
        """`certificates` are trusted instead of certifi's. ValueError if an origin is none (`RedirectRules`)."""
        self._accounts = {account.account_sid: account for account in accounts}
        self._rules = {
            account.account_sid: RedirectRules(account.api_url, further_redirect_origins)
            for account in self._accounts.values()
        }
        self._limits = limits or TwilioLimits()
        self._certificates = certificates

    @contextmanager
    def open(self, key: RecordingKey) -> Iterator[TwilioRecording]:
        """Asks for the recording in its account's format, with its account's credentials. Raises SourceError."""
        account, patience = self._account(key), Patience(self._limits)
        with self._opened(self._answer(account, key, patience), account.media_format, patience) as recording:
            yield recording

    @contextmanager
    def open_encrypted(self, key: RecordingKey) -> Iterator[TwilioRecording]:
        """Asks for a recording that is encrypted, as WAV: Twilio refuses others (error 16109). Raises SourceError.

        No channels are asked for: nobody can take apart what only the private key opens.
        """
        account, patience = self._account(key), Patience(self._limits)
        answer = self._follow(account, resource_url(account, key, MediaFormat.WAV), patience)
        with self._opened(answer, MediaFormat.WAV, patience) as recording:
            yield recording

    def encryption_details(self, key: RecordingKey) -> EncryptionDetails | None:
        """How the recording is encrypted, by Twilio's resource of it; None if it is not.

        Raises SourceError, and EncryptionDetailsInvalid if what the resource says can't be read.
        """
        account, patience = self._account(key), Patience(self._limits)
        answer = self._follow(account, resource_url(account, key, "json"), patience, JSON)
        with self._opened(answer, "json", patience) as resource:
            document = b""
            for piece in resource.chunks():
                document += piece
                if len(document) > MAX_RESOURCE_BYTES:
                    raise SourceUnavailable("Twilio's answer is not the resource of a recording")
        return encryption_of_resource(document)

    def _account(self, key: RecordingKey) -> TwilioAccount:
        account = self._accounts.get(key.account_sid)
        if account is None or not account.has_credentials:
            raise SourceUnauthorized("no credentials are configured for the account")
        return account

    @contextmanager
    def _opened(self, answer: _Answer, asked_for: str, patience: Patience) -> Iterator[TwilioRecording]:
        with closing(answer.raw) as raw:
            yield TwilioRecording(raw, asked_for, self._accepted(answer), self._limits.max_bytes, patience)

    def _answer(self, account: TwilioAccount, key: RecordingKey, patience: Patience) -> _Answer:
        """The answer to what the account asks for; without a second channel at Twilio, the mono recording's."""
        if not account.dual_channel:
            return self._follow(account, media_url(account, key), patience)
        answer = self._follow(account, media_url(account, key, 2), patience)
        if not _says_that_there_is_no_second_channel(answer):
            return answer
        answer.raw.close()
        return self._follow(account, media_url(account, key, 1), patience)

    def _follow(self, account: TwilioAccount, url: str, patience: Patience, accept: str = AUDIO) -> _Answer:
        """The answer at that URL, or where it redirects to. Credentials are sent until it leads away from the API."""
        rules = self._rules[account.account_sid]
        adapter = PatientAdapter(patience, public_only=not account.origin.is_loopback, certificates=self._certificates)
        seen: set[str] = set()
        by_account = True
        while url not in seen:
            if len(seen) > MAX_REDIRECTS:
                raise RedirectRefused(f"Twilio redirected more than {MAX_REDIRECTS} times")
            seen.add(url)
            by_account = by_account and rules.sends_credentials(url)
            raw = _asked(adapter, url, account if by_account else None, accept)
            if raw.status not in REDIRECT_STATUSES:
                return _Answer(raw, by_account)
            raw.close()
            url = rules.follow(url, raw.headers.get("Location"))
        raise RedirectRefused("Twilio redirected in a circle")

    def _accepted(self, answer: _Answer) -> int | None:
        """The announced length of an answer that may be a recording. Raises SourceError if it is none."""
        headers = answer.raw.headers
        if answer.raw.status != requests.codes.ok:
            if answer.by_account and answer.raw.status in ENCRYPTED_STATUSES and says_encrypted(_beginning(answer.raw)):
                raise SourceEncrypted("Twilio gives the recording in another format only: it is encrypted (16109)")
            sent = time_of_answer(headers.get("Date"), datetime.now(UTC))
            raise error_of(answer.raw.status, headers.get("Retry-After"), sent, by_account=answer.by_account)
        if headers.get("Content-Encoding", "identity").strip().lower() != "identity":
            raise SourceNotAudio("Twilio sent the recording in an encoding that was not asked for")
        length = announced_length(headers.get("Content-Length"), headers.get("Transfer-Encoding"))
        if length is not None and length > self._limits.max_bytes:
            raise SourceTooLarge(f"the recording has {length} bytes; at most {self._limits.max_bytes} are taken")
        return length


def _beginning(raw: BaseHTTPResponse) -> bytes:
    """The first bytes of an error's document; what has come of it, where it breaks off: the status says the rest."""
    document = b""
    try:
        while len(document) < MAX_ERROR_BYTES and (piece := raw.read1(MAX_ERROR_BYTES, decode_content=False)):
            document += piece
    except (HTTPError, SourceError):
        return document
    return document


def _says_that_there_is_no_second_channel(answer: _Answer) -> bool:
    """400, from the API itself (twilio.md A4). A page for people is of something in between."""
    is_page = answer.raw.headers.get("Content-Type", "").lower().startswith("text/html")
    return answer.raw.status == requests.codes.bad_request and answer.by_account and not is_page


def _asked(adapter: PatientAdapter, url: str, account: TwilioAccount | None, accept: str) -> BaseHTTPResponse:
    """The answer at that URL, its headers read; asked for with credentials if an account is given."""
    auth = HTTPBasicAuth(account.username.encode(), account.password.encode()) if account else None
    request = requests.Request("GET", url, headers={"Accept": accept, **HEADERS}, auth=auth)
    with _translated(OPENING_ERRORS):
        raw: BaseHTTPResponse = adapter.fetch(request.prepare()).raw
    return raw


@contextmanager
def _translated(errors: Mapping[type[Exception], SourceError]) -> Iterator[None]:
    """Turns what the libraries raise into the errors of the port, from what was at the bottom of it."""
    try:
        yield
    except tuple(errors) as exc:
        error = next(error for kind, error in errors.items() if isinstance(exc, kind))
        raise type(error)(error.message) from _bottom(exc)


def _bottom(error: BaseException) -> BaseException:
    """What set off an error: an OSError, most often, that says nothing of a URL."""
    while (inner := error.__cause__ or error.__context__) is not None:
        error = inner
    return error
