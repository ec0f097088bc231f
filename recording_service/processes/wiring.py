"""Builds adapters and core objects of the settings: what several composition roots have in common."""

from collections.abc import Mapping
from datetime import timedelta
from math import ceil
from pathlib import Path
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from recording_service.adapters.disk_storage.root import StorageRootRefused
from recording_service.adapters.disk_storage.storage import DiskStorage
from recording_service.adapters.event_callbacks import EventCallbacks
from recording_service.adapters.event_callbacks.callbacks import TOTAL_SECONDS
from recording_service.adapters.redis_changes import RedisChangeFeed
from recording_service.adapters.redis_client import api_client
from recording_service.adapters.rq_queue.queue import RqBellQueue
from recording_service.adapters.sql_catalogue.catalogue import SqlCatalogue
from recording_service.adapters.twilio_decryption.decryptor import TwilioDecryptor
from recording_service.adapters.twilio_decryption.private_keys import PrivateKeysRefused, keys_of_folder
from recording_service.adapters.twilio_media.account import MediaFormat, TwilioAccount, TwilioLimits
from recording_service.adapters.twilio_media.media import TwilioMedia
from recording_service.config import Account, ConfigurationError, Settings
from recording_service.core.attempts import Attempts
from recording_service.core.clock import SystemClock
from recording_service.core.delivery_settings import DeliverySettings
from recording_service.core.dispatch import DispatchSettings
from recording_service.core.download import DownloadSettings
from recording_service.core.event_retention import RetentionSettings
from recording_service.core.model import Work
from recording_service.core.next_bells import AccountLimits, NextBells
from recording_service.core.ports import BellQueue, Catalogue, ChangeFeed
from recording_service.core.processor import ProcessingSettings
from recording_service.core.requests import RequestChecker
from recording_service.core.retry import RetryPolicy
from recording_service.core.scrub import ScrubSettings
from recording_service.core.sweep import SweepSettings

#: How much longer than a download or a transcript RQ lets a job last: their own deadlines must come first.
JOB_MARGIN_SECONDS = 120


def open_catalogue(settings: Settings) -> SqlCatalogue:
    """The catalogue, brought up to this version's schema. Raises ConfigurationError, CatalogueUnavailable."""
    if not settings.database_url.get_secret_value():
        make_private(settings.data_dir)
    try:
        return SqlCatalogue.open(settings.effective_database_url)
    except ValueError as error:
        raise ConfigurationError(["RECORDING_DATABASE_URL: is neither sqlite:/// nor postgresql://"]) from error


def open_storage(settings: Settings) -> DiskStorage:
    """The shelf. Raises ConfigurationError for a folder that is not safe, StorageUnavailable."""
    make_private(settings.storage_root.parent)
    try:
        return DiskStorage.at(settings.storage_root, reserve_bytes=settings.min_free_bytes)
    except StorageRootRefused as error:
        raise ConfigurationError([f"RECORDING_STORAGE_URL: {error}"]) from error


def make_private(folder: Path) -> None:
    """Makes a folder of ours, if it is not there. Raises ConfigurationError if it can't be made."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        problem = f"RECORDING_DATA_DIR, RECORDING_STORAGE_URL: {folder} can't be made: {error.strerror}"
        raise ConfigurationError([problem]) from error


def redis_url(settings: Settings) -> str:
    """Where Redis is. Raises ConfigurationError where none is named: only `serve` runs one of its own."""
    url = settings.redis_url.get_secret_value()
    if not url:
        raise ConfigurationError(["RECORDING_REDIS_URL: is not set; name a Redis, or run `recording-service serve`"])
    return url


def open_queue(settings: Settings) -> RqBellQueue:
    """The queue, with the short time-outs of those who answer callers."""
    seconds = {Work.DOWNLOAD: settings.download_seconds, Work.PROCESSING: settings.processing_seconds}
    job_timeouts = {work: ceil(longest) + JOB_MARGIN_SECONDS for work, longest in seconds.items()}
    return RqBellQueue(api_client(redis_url(settings)), job_timeouts=job_timeouts)


def open_changes(settings: Settings) -> RedisChangeFeed:
    """The change feed."""
    return RedisChangeFeed(api_client(redis_url(settings)))


def open_source(settings: Settings) -> TwilioMedia:
    """Twilio, with each account's credentials."""
    accounts = []
    for account in settings.accounts().values():
        username, password = account.credentials() or ("", "")
        accounts.append(
            TwilioAccount(
                account.account_sid,
                account.api_url,
                username,
                password,
                media_format=MediaFormat(account.media_format),
                dual_channel=account.dual_channel,
            )
        )
    limits = TwilioLimits(total_seconds=settings.download_seconds, max_bytes=settings.max_recording_bytes)
    return TwilioMedia(accounts, limits)


def open_decryptor(settings: Settings) -> TwilioDecryptor:
    """Each account's private keys. Raises ConfigurationError, which names every file that is wrong."""
    return TwilioDecryptor(
        {account_sid: encryption_keys(account) for account_sid, account in settings.accounts().items()}
    )


def encryption_keys(account: Account) -> Mapping[str, RSAPrivateKey]:
    """The account's private keys, by the SIDs of the public ones. Raises ConfigurationError, which names every file."""
    if account.encryption_keys_folder is None:
        return {}
    try:
        return keys_of_folder(account.encryption_keys_folder)
    except PrivateKeysRefused as error:
        prefix = f"TWILIO_ENCRYPTION_KEYS_FOLDER, encryption_keys_folder of {account.account_sid}: "
        raise ConfigurationError([f"{prefix}{problem}" for problem in error.problems]) from error


def open_receiver(settings: Settings) -> EventCallbacks:
    """Where events are delivered. Its deadline is scaled: it must be over before a claim lapses."""
    return EventCallbacks(
        settings.events_url,
        settings.event_secrets(),
        SystemClock(),
        total_seconds=TOTAL_SECONDS * settings.time_scale,
        certificates=settings.events_ca_file,
    )


def request_checker(settings: Settings) -> RequestChecker:
    """What checks requests, knowing the configured accounts and the hosts they are fetched from."""
    accounts = settings.accounts()
    return RequestChecker(account_sids=accounts.keys(), source_hosts=source_hosts(settings))


def source_hosts(settings: Settings) -> frozenset[str]:
    """The hosts that a recording's URL may name."""
    hosts = (urlsplit(account.api_url).hostname for account in settings.accounts().values())
    return frozenset(host for host in hosts if host)


def attempts(settings: Settings, catalogue: Catalogue, changes: ChangeFeed) -> Attempts:
    """What ends attempts, with this configuration's patience."""
    return Attempts(catalogue, changes, RetryPolicy(scale=settings.time_scale), SystemClock())


def account_limits(settings: Settings) -> AccountLimits:
    """How many attempts an account may have running at once."""
    return AccountLimits(settings.downloads_per_account or None, settings.processing_per_account or None)


def next_bells(settings: Settings, catalogue: Catalogue, queue: BellQueue) -> NextBells:
    """What workers ring for after an attempt."""
    return NextBells(catalogue, queue, SystemClock(), account_limits(settings))


def dispatch_settings(settings: Settings) -> DispatchSettings:
    """The dispatcher's clocks."""
    scale, usual = settings.time_scale, DispatchSettings()
    return DispatchSettings(
        tick_seconds=usual.tick_seconds * scale,
        grace_seconds=usual.grace_seconds * scale,
        lease_seconds=usual.lease_seconds * scale,
        election_seconds=usual.election_seconds * scale,
        bell_check_seconds=usual.bell_check_seconds * scale,
        probe_patience_seconds=usual.probe_patience_seconds * scale,
        longest_wait_seconds=usual.longest_wait_seconds * scale,
        longest_probe_wait_seconds=usual.longest_probe_wait_seconds * scale,
        wait_check_seconds=usual.wait_check_seconds * scale,
        limits=account_limits(settings),
    )


def delivery_settings(settings: Settings) -> DeliverySettings:
    """The sender's clocks."""
    return DeliverySettings().scaled(settings.time_scale)


def retention_settings(settings: Settings) -> RetentionSettings:
    """How long events are kept, which is not scaled."""
    interval_seconds = RetentionSettings().interval_seconds * settings.time_scale
    return RetentionSettings(timedelta(days=settings.events_retention_days), interval_seconds)


def download_settings(settings: Settings) -> DownloadSettings:
    """How a worker keeps its lease and its manners."""
    scale, usual = settings.time_scale, DownloadSettings()
    return DownloadSettings(
        lease_interval_seconds=usual.lease_interval_seconds * scale,
        probe_interval_seconds=usual.probe_interval_seconds * scale,
        limits=account_limits(settings),
    )


def processing_settings(settings: Settings) -> ProcessingSettings:
    """How a worker that processes keeps its lease."""
    usual = ProcessingSettings()
    return ProcessingSettings(
        lease_interval_seconds=usual.lease_interval_seconds * settings.time_scale, limits=account_limits(settings)
    )


def sweep_settings(settings: Settings) -> SweepSettings:
    """How often the shelf is walked over."""
    usual = SweepSettings()
    return SweepSettings(
        interval_seconds=usual.interval_seconds * settings.time_scale,
        orphan_age_seconds=usual.orphan_age_seconds * settings.time_scale,
        busy_seconds=usual.busy_seconds * settings.time_scale,
    )


def scrub_settings(settings: Settings) -> ScrubSettings:
    """How fast and how often stored bytes are read again. Neither is scaled: both are about disks."""
    scale, usual = settings.time_scale, ScrubSettings()
    return ScrubSettings(
        bytes_per_second=settings.scrub_bytes_per_second,
        burst_seconds=usual.burst_seconds * scale,
        busy_seconds=usual.busy_seconds * scale,
        interval_seconds=settings.scrub_interval_seconds,
        rest_seconds=min(usual.rest_seconds * scale, settings.scrub_interval_seconds),
    )
