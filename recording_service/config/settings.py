"""Settings, from environment variables. Read by the composition roots (`processes/`) only.

Secrets may also come from files: `TWILIO_AUTH_TOKEN_FILE=/run/secrets/token` stands for `TWILIO_AUTH_TOKEN`.
"""

import os
import re
import ssl
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import unquote, urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from recording_service.config.accounts import TWILIO_API_URL, Account, account_of_variables, accounts_of_file
from recording_service.config.addresses import Address, is_loopback
from recording_service.config.callers import CallerEntry, callers_of_file
from recording_service.config.errors import ConfigurationError, explaining
from recording_service.config.event_secrets import event_secrets_of
from recording_service.config.playback_keys import playback_keys_of
from recording_service.signed_urls import SigningKey

#: Variables that may also be given as `<name>_FILE`.
SECRET_VARIABLES = (
    "TWILIO_AUTH_TOKEN",
    "TWILIO_API_KEY",
    "TWILIO_API_SECRET",
    "RECORDING_REDIS_URL",
    "RECORDING_DATABASE_URL",
    "RECORDING_GRPC_TOKEN",
    "RECORDING_PLAYBACK_KEYS",
    "RECORDING_TRANSCRIPTION_API_KEY",
    "RECORDING_EVENTS_SECRET",
)


#: What can be a token, in metadata, and can't be guessed.
_TOKEN = re.compile(r"[!-~]{32,512}")


class _FromFiles(PydanticBaseSettingsSource):
    """Reads `<NAME>_FILE` for every secret."""

    def get_field_value(self, field: Any, field_name: str) -> tuple[Any, str, bool]:
        return None, field_name, False

    def __call__(self) -> dict[str, Any]:
        named = {variable: os.environ.get(f"{variable}_FILE") for variable in SECRET_VARIABLES}
        # Fields of ours go by their own names, Twilio's by their variables (`validation_alias`).
        return {
            variable.removeprefix("RECORDING_").lower() if variable.startswith("RECORDING_") else variable: _secret_of(
                f"{variable}_FILE", Path(path)
            )
            for variable, path in named.items()
            if path
        }


class Settings(BaseSettings):
    """The whole configuration. Frozen; addresses are `host:port`."""

    model_config = SettingsConfigDict(frozen=True, env_prefix="RECORDING_", extra="ignore", populate_by_name=True)

    #: Where everything is kept that is not kept elsewhere.
    data_dir: Path = Path("data")
    grpc_address: str = "127.0.0.1:50051"
    http_address: str = "127.0.0.1:8080"
    #: Empty: `serve` runs a private Redis.
    redis_url: SecretStr = SecretStr("")
    #: Empty: SQLite in the data directory.
    database_url: SecretStr = SecretStr("")
    #: Empty: a folder in the data directory.
    storage_url: str = ""
    #: Worker processes: how many recordings are downloaded at once.
    workers: Annotated[int, Field(ge=0, le=64)] = 2
    #: Worker processes for what follows the download: how many recordings are processed at once.
    processing_workers: Annotated[int, Field(ge=0, le=64)] = 1
    #: How many recordings of one account are downloaded, or processed, at once; 0: as many as there are workers. What
    #: somebody waits to hear is not held back by it.
    downloads_per_account: Annotated[int, Field(ge=0)] = 0
    processing_per_account: Annotated[int, Field(ge=0)] = 0
    #: Where recordings are transcribed: the beginning of an API that is OpenAI's or like it. Empty: they are not.
    transcription_url: str = ""
    transcription_api_key: SecretStr = SecretStr("")
    #: As the server calls it.
    transcription_model: str = "whisper-1"
    #: What is spoken, as a code of ISO 639-1. Empty: the server finds out.
    transcription_language: str = ""
    #: What follows the URL.
    transcription_path: str = "/audio/transcriptions"
    #: Whether the times of words are asked for too.
    transcription_word_times: bool = True
    #: Send sound and key in the clear, beyond loopback too.
    transcription_allow_plain_http: bool = False
    #: PEM file of whom to trust there, instead of the usual authorities.
    transcription_ca_file: Path | None = None
    #: What Twilio and browsers call us by: webhooks are signed for it.
    public_url: str = ""
    #: Origins whose pages may play recordings.
    cors_origins: Annotated[tuple[str, ...], NoDecode] = ()
    #: Who may call: a TOML file, a table a caller.
    callers_file: Path | None = None
    #: The adapter's own credential for gRPC. `serve` makes one up.
    grpc_token: SecretStr = SecretStr("")
    #: Where the adapter reaches gRPC. Empty: where gRPC listens.
    grpc_target: str = ""
    #: TLS of the gRPC server: PEM files. With a client CA, clients need a certificate of it.
    grpc_tls_certificate_file: Path | None = None
    grpc_tls_key_file: Path | None = None
    grpc_tls_client_ca_file: Path | None = None
    #: TLS of the adapter as a client of gRPC: whom it trusts, and its own certificate.
    grpc_ca_file: Path | None = None
    grpc_client_certificate_file: Path | None = None
    grpc_client_key_file: Path | None = None
    #: Keys that sign playback URLs: `name:secret`, comma-separated, the one that signs first. Empty: one in the data
    #: directory.
    playback_keys: SecretStr = SecretStr("")
    #: Serve everyone, also beyond loopback and without any credential.
    allow_everyone: bool = False
    #: Accept webhooks without a signature. Only for development.
    allow_unsigned_webhooks: bool = False
    #: Offer gRPC reflection although not on loopback.
    grpc_reflection: bool = False
    #: Largest recording that is kept, in bytes.
    max_recording_bytes: Annotated[int, Field(gt=0)] = 4 * 1024**3
    #: Free space that recordings leave to others, above all to the catalogue; below it no more are taken. In bytes.
    min_free_bytes: Annotated[int, Field(ge=0)] = 256 * 1024**2
    #: Longest download, in seconds.
    download_seconds: Annotated[float, Field(gt=0, le=86_000)] = 600.0
    #: Longest attempt at processing a recording, in seconds: its transcript has to be done in that time.
    processing_seconds: Annotated[float, Field(gt=0, le=86_000)] = 3600.0
    #: How fast stored bytes are read again and compared with their SHA-256; 0: never.
    scrub_bytes_per_second: Annotated[int, Field(ge=0)] = 4 * 1024**2
    #: How long an object is left alone once it was read, in seconds. Not scaled.
    scrub_interval_seconds: Annotated[float, Field(gt=0)] = 24 * 3600.0
    #: Where events are delivered; empty: nowhere.
    events_url: str = ""
    #: What signs them: `whsec_…`, comma-separated while rotating.
    events_secret: SecretStr = SecretStr("")
    #: Whom to trust that the receiver is who it says (PEM). Empty: whom everybody trusts.
    events_ca_file: Path | None = None
    #: Deliver by plain http beyond loopback, too.
    events_allow_http: bool = False
    #: How long events are kept, in days: well more than the three for which their delivery is tried. Not scaled.
    events_retention_days: Annotated[float, Field(ge=7, le=3650)] = 30.0
    log_level: str = "INFO"
    #: Multiplies every waiting time (back-off, leases, probes, sweeps, restarts): below 1 for tests of whole processes.
    time_scale: Annotated[float, Field(gt=0, le=1)] = 1.0
    #: For the fault harness only: where the service breaks itself, as in `core.failpoint_rules`. Empty: nowhere.
    failpoints: str = ""
    #: Where failpoints are counted and noted; needed if there are any.
    failpoints_dir: str = ""
    #: Several accounts: a TOML file, a table an AccountSid.
    accounts_file: Path | None = None
    twilio_account_sid: Annotated[str, Field(validation_alias="TWILIO_ACCOUNT_SID")] = ""
    twilio_auth_token: Annotated[SecretStr, Field(validation_alias="TWILIO_AUTH_TOKEN")] = SecretStr("")
    twilio_api_key: Annotated[SecretStr, Field(validation_alias="TWILIO_API_KEY")] = SecretStr("")
    twilio_api_secret: Annotated[SecretStr, Field(validation_alias="TWILIO_API_SECRET")] = SecretStr("")
    twilio_api_url: Annotated[str, Field(validation_alias="TWILIO_API_URL")] = TWILIO_API_URL
    #: What is fetched of the one account, as in `Account`.
    twilio_media_format: Annotated[str, Field(validation_alias="TWILIO_MEDIA_FORMAT")] = "mp3"
    twilio_dual_channel: Annotated[bool, Field(validation_alias="TWILIO_DUAL_CHANNEL")] = False

    #: Where the private keys of the one account are, as in `Account`. Empty: it has none.
    twilio_encryption_keys_folder: Annotated[str, Field(validation_alias="TWILIO_ENCRYPTION_KEYS_FOLDER")] = ""

    @field_validator("data_dir")
    @classmethod
    def _fit_for_sqlite(cls, value: Path) -> Path:
        if "?" in str(value):
            raise ValueError("has a question mark in its path, which a database URL can't have")
        return value

    @field_validator("storage_url")
    @classmethod
    def _is_a_folder(cls, value: str) -> str:
        if "://" in value and not value.startswith("file:///"):
            raise ValueError("is neither a path nor a file:/// URL")
        return value

    @field_validator("cors_origins", mode="before")
    @classmethod
    def _origins(cls, value: object) -> object:
        return tuple(filter(None, (part.strip() for part in value.split(",")))) if isinstance(value, str) else value

    @field_validator("cors_origins")
    @classmethod
    def _are_origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for origin in value:
            parts = urlsplit(origin)
            if not parts.netloc or origin != f"{parts.scheme}://{parts.netloc}":
                raise ValueError("names what is no origin; write them as browsers do: https://app.example.com")
        return value

    @field_validator("grpc_address", "http_address")
    @classmethod
    def _address(cls, value: str) -> str:
        Address.parse(value)
        return value

    @field_validator("public_url")
    @classmethod
    def _absolute(cls, value: str) -> str:
        url = urlsplit(value)
        if not value:
            return value
        if url.scheme not in ("http", "https") or not url.hostname or "@" in url.netloc or url.query or url.fragment:
            raise ValueError("is no URL of a server, such as https://recordings.example.com")
        return value.rstrip("/")

    @field_validator("events_url")
    @classmethod
    def _names_a_receiver(cls, value: str) -> str:
        url = urlsplit(value)
        if value and (url.scheme not in ("http", "https") or not url.hostname or "@" in url.netloc or url.fragment):
            raise ValueError("is no URL of a receiver, such as https://example.com/hooks")
        return value

    @field_validator("transcription_ca_file", "events_ca_file")
    @classmethod
    def _has_certificates(cls, value: Path | None) -> Path | None:
        if value is not None:
            try:
                ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(value)
            except ssl.SSLError:
                raise ValueError("has no certificate of an authority in it; it must be a PEM file") from None
            except OSError as error:
                raise ValueError(f"can't be read: {error.strerror}") from error
        return value

    @field_validator("log_level")
    @classmethod
    def _level(cls, value: str) -> str:
        if value.upper() not in ("DEBUG", "INFO", "WARNING", "ERROR"):
            raise ValueError("is none of DEBUG, INFO, WARNING, ERROR")
        return value.upper()

    @field_validator("grpc_token")
    @classmethod
    def _is_a_token(cls, value: SecretStr) -> SecretStr:
        if value.get_secret_value() and not _TOKEN.fullmatch(value.get_secret_value()):
            raise ValueError("is no token of at least 32 characters; `recording-service token` makes one")
        return value

    @model_validator(mode="after")
    def _whole_pairs(self) -> "Settings":
        for one, other in (
            ("grpc_tls_certificate_file", "grpc_tls_key_file"),
            ("grpc_client_certificate_file", "grpc_client_key_file"),
        ):
            if bool(getattr(self, one)) != bool(getattr(self, other)):
                raise ValueError(f"RECORDING_{one.upper()} and RECORDING_{other.upper()} go together; one is missing")
        if self.grpc_tls_client_ca_file and not self.grpc_tls_certificate_file:
            raise ValueError("RECORDING_GRPC_TLS_CLIENT_CA_FILE needs RECORDING_GRPC_TLS_CERTIFICATE_FILE")
        return self

    @model_validator(mode="after")
    def _can_deliver(self) -> "Settings":
        url = urlsplit(self.events_url)
        if self.events_url and not self.events_secret.get_secret_value():
            raise ValueError("RECORDING_EVENTS_URL needs RECORDING_EVENTS_SECRET, which signs the events")
        if url.scheme == "http" and not (self.events_allow_http or is_loopback(url.hostname or "")):
            raise ValueError("RECORDING_EVENTS_URL must be https (or set RECORDING_EVENTS_ALLOW_HTTP=1)")
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments first, then variables, then the files that variables name; no .env file, no secrets folder."""
        return init_settings, env_settings, _FromFiles(settings_cls)

    @property
    def grpc(self) -> "Address":
        """Where gRPC listens."""
        return Address.parse(self.grpc_address)

    @property
    def http(self) -> "Address":
        """Where HTTP listens."""
        return Address.parse(self.http_address)

    @property
    def effective_database_url(self) -> str:
        """The catalogue's database."""
        return self.database_url.get_secret_value() or f"sqlite:///{self.data_dir.absolute() / 'catalogue.sqlite3'}"

    @property
    def storage_root(self) -> Path:
        """The folder of the shelf."""
        if not self.storage_url:
            return self.data_dir.absolute() / "recordings"
        url = self.storage_url
        return Path(unquote(urlsplit(url).path)) if url.startswith("file:") else Path(url).absolute()

    @property
    def effective_public_url(self) -> str:
        """What Twilio and browsers call us by."""
        return self.public_url or f"http://{self.http_address}"

    @property
    def effective_grpc_target(self) -> str:
        """Where the adapter reaches gRPC."""
        return self.grpc_target or self.grpc_address

    @property
    def reaches_grpc_by_tls(self) -> bool:
        """Whether the adapter speaks TLS to gRPC."""
        files = (self.grpc_ca_file, self.grpc_client_certificate_file, self.grpc_tls_certificate_file)
        return not self.effective_grpc_target.startswith("unix:") and any(files)

    @property
    def requires_credentials(self) -> bool:
        """Whether callers have to prove who they are: as soon as any credential is configured."""
        return bool(
            self.callers_file
            or self.grpc_tls_client_ca_file
            # By it the adapter would let everyone in as itself.
            or self.grpc_client_certificate_file
            or self.grpc_token.get_secret_value()
            or self.playback_keys.get_secret_value()
        )

    def callers(self) -> tuple[CallerEntry, ...]:
        """Everybody who may call, but the adapter. Raises ConfigurationError."""
        return callers_of_file(self.callers_file) if self.callers_file is not None else ()

    def signing_keys(self) -> tuple[SigningKey, ...]:
        """The keys that are configured, the one that signs first. Raises ConfigurationError."""
        return playback_keys_of("RECORDING_PLAYBACK_KEYS", self.playback_keys.get_secret_value())

    def event_secrets(self) -> tuple[bytes, ...]:
        """What signs the events that are delivered. Raises ConfigurationError."""
        return event_secrets_of("RECORDING_EVENTS_SECRET", self.events_secret.get_secret_value())

    def accounts(self) -> dict[str, Account]:
        """Every configured account, by its SID. Raises ConfigurationError."""
        accounts = accounts_of_file(self.accounts_file) if self.accounts_file is not None else {}
        api_key, api_secret = self.twilio_api_key.get_secret_value(), self.twilio_api_secret.get_secret_value()
        auth_tokens = self.twilio_auth_token.get_secret_value().split(",")
        if self.twilio_account_sid:
            accounts[self.twilio_account_sid] = account_of_variables(
                account_sid=self.twilio_account_sid,
                auth_tokens=[token.strip() for token in auth_tokens],
                api_key=api_key,
                api_secret=api_secret,
                api_url=self.twilio_api_url,
                media_format=self.twilio_media_format,
                dual_channel=self.twilio_dual_channel,
                encryption_keys_folder=self.twilio_encryption_keys_folder,
            )
        elif api_key or api_secret or any(auth_tokens):
            raise ConfigurationError(["TWILIO_ACCOUNT_SID: is missing; whose are the token and the key?"])
        elif self.twilio_dual_channel or self.twilio_media_format != "mp3":
            raise ConfigurationError(
                ["TWILIO_ACCOUNT_SID: is missing; of accounts in a file, the file says what is fetched"]
            )
        elif self.twilio_encryption_keys_folder:
            raise ConfigurationError(
                ["TWILIO_ACCOUNT_SID: is missing; of accounts in a file, the file names the encryption_keys_folder"]
            )
        return accounts


def load_settings(**overrides: object) -> Settings:
    """The settings of this environment. Raises ConfigurationError, which names every variable that is wrong."""
    with explaining("RECORDING_"):
        settings = Settings(**overrides)  # type: ignore[arg-type]  # pydantic checks them
    settings.accounts()
    settings.callers()
    settings.signing_keys()
    if settings.events_url:
        settings.event_secrets()
    return settings


def _secret_of(variable: str, path: Path) -> str:
    try:
        secret = path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ConfigurationError([f"{variable}: can't be read: {error.strerror}"]) from error
    except UnicodeDecodeError:
        raise ConfigurationError([f"{variable}: is no text in UTF-8"]) from None
    if not secret:
        # Taken for "not set", it would open what it was meant to close.
        raise ConfigurationError([f"{variable}: {path} is empty"])
    return secret
