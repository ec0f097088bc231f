"""`recording-service doctor`: looks at the configuration, then at everything the service stands on."""

import errno
import io
import socket
import wave
from collections.abc import Callable, Iterator
from contextlib import closing
from urllib.parse import urlsplit

from recording_service.adapters.embedded_redis import EmbeddedRedisFailed, find_redis_server
from recording_service.config import Account, Address, ConfigurationError, Settings, load_settings
from recording_service.core.errors import (
    DependencyUnavailable,
    SourceError,
    SourceNotFound,
    SourceUnauthorized,
    StorageFull,
    TranscriptionError,
    TranscriptionWrongLanguage,
)
from recording_service.core.model import RecordingKey
from recording_service.processes import steps, wiring
from recording_service.processes.access_findings import access_findings
from recording_service.processes.findings import Finding

#: A recording that no account has: asking for it tells whether the credentials are accepted.
NO_RECORDING_SID = "RE" + "0" * 32

_BYTES_A_MEBIBYTE = 1024**2


def examine() -> list[Finding]:
    """Looks at everything. A configuration that can't be read ends the examination."""
    try:
        settings = load_settings()
    except ConfigurationError as error:
        return [Finding("configuration", False, problem) for problem in error.problems]
    findings = [Finding("configuration", True, "can be read")]
    for look in (
        _failpoints,
        _accounts,
        _public_url,
        access_findings,
        _database,
        _storage,
        _room,
        _redis,
        transcription_findings,
        _events,
        _addresses,
    ):
        findings += look(settings)
    return findings


def _failpoints(settings: Settings) -> Iterator[Finding]:
    if settings.failpoints.strip():
        yield Finding("failpoints", False, "are armed, for tests only: it breaks itself; unset RECORDING_FAILPOINTS")


def _accounts(settings: Settings) -> Iterator[Finding]:
    accounts = settings.accounts()
    if not accounts:
        yield Finding("accounts", False, "none is configured: set TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN")
    for account in accounts.values():
        if not account.auth_tokens:
            text = "no auth token: its webhooks can't be checked and are refused; set TWILIO_AUTH_TOKEN"
            yield Finding(f"webhooks of {account.account_sid}", False, text)
        yield _credentials(settings, account)
        yield from encryption_key_findings(account)


def _credentials(settings: Settings, account: Account) -> Finding:
    """Asks Twilio for a recording that can't be there: 404 says that the credentials are good."""
    subject = f"account {account.account_sid}"
    if account.credentials() is None:
        return Finding(subject, False, "no credentials: set TWILIO_API_KEY and TWILIO_API_SECRET, or TWILIO_AUTH_TOKEN")
    try:
        with wiring.open_source(settings).open(RecordingKey(account.account_sid, NO_RECORDING_SID)):
            return Finding(subject, True, f"{account.api_url} accepts its credentials")
    except SourceNotFound:
        return Finding(subject, True, f"{account.api_url} accepts its credentials")
    except SourceUnauthorized:
        return Finding(subject, False, f"{account.api_url} refuses its credentials: check key, secret and token")
    except SourceError as error:
        return Finding(subject, False, f"{account.api_url} does not answer as Twilio does ({error}): check the URL")


def encryption_key_findings(account: Account) -> Iterator[Finding]:
    """How many private keys there are for what Twilio encrypts; nothing of what is in them."""
    if account.encryption_keys_folder is None:
        return
    subject = f"encryption keys of {account.account_sid}"
    try:
        count = len(wiring.encryption_keys(account))
    except ConfigurationError as error:
        for problem in error.problems:
            yield Finding(subject, False, problem)
        return
    if count:
        yield Finding(subject, True, f"{count} private {'key' if count == 1 else 'keys'} can be used")
    else:
        text = (
            f"none is in {account.encryption_keys_folder}: put <public_key_sid>.pem there, and start the workers anew"
        )
        yield Finding(subject, False, text)


def transcription_findings(settings: Settings) -> Iterator[Finding]:
    """Has a second of silence transcribed, where something is configured that could."""
    try:
        server = steps.transcription(settings)
    except ConfigurationError as error:
        yield from (Finding("transcription", False, problem) for problem in error.problems)
        return
    if server is None:
        return
    from recording_service.adapters.openai_transcription.transcriber import OpenAiTranscriber

    try:
        OpenAiTranscriber(server).transcribe(_silence(), "silence.wav")
    except TranscriptionWrongLanguage:
        # In silence it may hear any.
        yield Finding("transcription", True, f"{server.endpoint} transcribes as {server.model}")
    except TranscriptionError as error:
        yield Finding("transcription", False, f"{server.endpoint}: {error}")
    else:
        yield Finding("transcription", True, f"{server.endpoint} transcribes as {server.model}")


def _silence() -> bytes:
    """A WAV file of one second of it, as a telephone has it."""
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(bytes(2 * 8000))
    return file.getvalue()


def _public_url(settings: Settings) -> Iterator[Finding]:
    url = settings.effective_public_url
    if settings.allow_unsigned_webhooks:
        yield Finding("webhooks", False, "unsigned ones are accepted; unset RECORDING_ALLOW_UNSIGNED_WEBHOOKS")
    if settings.public_url or settings.http.is_loopback:
        yield Finding("public URL", True, f"Twilio's webhooks must go to {url}/webhooks/twilio/recording-status")
    else:
        yield Finding("public URL", False, "set RECORDING_PUBLIC_URL to what Twilio calls us by; signatures cover it")


def _database(settings: Settings) -> Iterator[Finding]:
    def look() -> str:
        with closing(wiring.open_catalogue(settings)) as catalogue:
            catalogue.check()
        return "answers, with this version's schema"

    yield _looked("catalogue", look, "check RECORDING_DATABASE_URL, and that the database runs")


def _storage(settings: Settings) -> Iterator[Finding]:
    def look() -> str:
        with closing(wiring.open_storage(settings)) as storage:
            storage.check()
        return f"{settings.storage_root} can be read and written"

    yield _looked("storage", look, f"check {settings.storage_root} and RECORDING_STORAGE_URL: rights, and free space")


def _room(settings: Settings) -> Iterator[Finding]:
    subject, reserve = "free space", _mebibytes(settings.min_free_bytes)
    remedy = f"free some of the disk that {settings.storage_root} is on, or lower RECORDING_MIN_FREE_BYTES"
    try:
        with closing(wiring.open_storage(settings)) as storage:
            free_bytes = storage.free_bytes()
            text = f"{_mebibytes(free_bytes)} to be written, of which {reserve} are kept in reserve"
            try:
                storage.check_room()
            except StorageFull:
                yield Finding(subject, False, f"new recordings are refused, there is no room ({text}): {remedy}")
            else:
                yield Finding(subject, True, text)
    except (DependencyUnavailable, ConfigurationError) as error:
        yield Finding(subject, False, f"{error}: {remedy}")


def _mebibytes(size_bytes: int | None) -> str:
    return "an unknown number of MiB" if size_bytes is None else f"{size_bytes // _BYTES_A_MEBIBYTE} MiB"


def _redis(settings: Settings) -> Iterator[Finding]:
    def look() -> str:
        if not settings.redis_url.get_secret_value():
            return f"embedded: `serve` will run {find_redis_server()}"
        with closing(wiring.open_queue(settings)) as queue:
            queue.check()
        return "answers"

    yield _looked("queue", look, "check RECORDING_REDIS_URL, and that Redis runs")


def _events(settings: Settings) -> Iterator[Finding]:
    """Whether the receiver of events can be reached, which it is asked by HEAD, and what waits for it."""
    if not settings.events_url:
        return
    subject, host = "events", urlsplit(settings.events_url).netloc
    with closing(wiring.open_receiver(settings)) as receiver:
        answer = receiver.reach()
    if answer.status is None:
        yield Finding(subject, False, f"{host} {answer.problem}: check RECORDING_EVENTS_URL, and that it runs")
    else:
        yield Finding(subject, True, f"{host} can be reached")
    try:
        with closing(wiring.open_catalogue(settings)) as catalogue:
            counts = catalogue.count_deliveries()
    except (DependencyUnavailable, ConfigurationError) as error:
        yield Finding("deliveries", False, f"{error}: check RECORDING_DATABASE_URL, and that the database runs")
        return
    text = f"{counts.pending} wait for their next attempt, {counts.given_up} were given up"
    if counts.forgotten:
        text += f", {counts.forgotten} were forgotten before they were delivered (RECORDING_EVENTS_RETENTION_DAYS)"
    remedy = "; watch the events (after_revision) to have them" if counts.given_up else ""
    yield Finding("deliveries", not counts.given_up, text + remedy)


def _looked(subject: str, look: Callable[[], str], remedy: str) -> Finding:
    try:
        return Finding(subject, True, look())
    except DependencyUnavailable as error:
        return Finding(subject, False, f"{error}: {remedy}")
    except (ConfigurationError, EmbeddedRedisFailed, OSError) as error:
        return Finding(subject, False, f"{error}; {remedy}")


def _addresses(settings: Settings) -> Iterator[Finding]:
    for name, variable, address in (
        ("gRPC address", "RECORDING_GRPC_ADDRESS", settings.grpc),
        ("HTTP address", "RECORDING_HTTP_ADDRESS", settings.http),
    ):
        problem = _cannot_listen(address)
        if problem:
            where = f"{address.host}:{address.port}"
            yield Finding(name, False, f"{where} {problem}; stop the other one, or set {variable}")
        else:
            yield Finding(name, True, f"{address.host}:{address.port} is free")


def _cannot_listen(address: Address) -> str:
    """Why nobody can listen there now; empty if one can."""
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((address.host, address.port))
        except OSError as error:
            return "is taken" if error.errno == errno.EADDRINUSE else "is not an address of this machine"
    return ""
