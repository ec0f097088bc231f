"""What the configuration makes of the core's settings."""

from dataclasses import asdict
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from recording_service.adapters.event_callbacks.callbacks import CONNECT_SECONDS, TOTAL_SECONDS
from recording_service.adapters.twilio_media.account import TwilioAccount
from recording_service.config import Account, ConfigurationError, Settings
from recording_service.core.errors import EncryptionKeyUnknown
from recording_service.core.event_retention import RetentionSettings
from recording_service.core.scrub import ScrubSettings
from recording_service.processes import doctor, wiring
from tests.support.encrypted import (
    OTHER_PUBLIC_KEY_SID,
    PUBLIC_KEY_SID,
    an_encryption,
    details,
    private_key,
    write_keys,
)

ACCOUNT, OTHER_ACCOUNT = "AC" + "0a" * 16, "AC" + "0b" * 16


def test_the_scrub_waits_by_the_time_scale_and_reads_as_fast_and_as_often_as_is_set() -> None:
    usual = asdict(ScrubSettings())
    settings = Settings(time_scale=0.01, scrub_bytes_per_second=12345, scrub_interval_seconds=7.0)
    scaled = asdict(wiring.scrub_settings(settings))
    assert (scaled.pop("bytes_per_second"), scaled.pop("interval_seconds")) == (12345, 7.0)
    assert (usual.pop("bytes_per_second"), usual.pop("interval_seconds")) == (
        Settings().scrub_bytes_per_second,
        Settings().scrub_interval_seconds,
    )
    assert scaled == {name: pytest.approx(seconds * 0.01) for name, seconds in usual.items()}


def test_the_scrub_rests_no_longer_than_objects_are_left_alone() -> None:
    assert wiring.scrub_settings(Settings(scrub_interval_seconds=7.0)).rest_seconds == 7.0


URLS = st.from_regex(r"\A(?:https?|HTTPS)://[a-z0-9._\-\[\]:@ä]{1,12}(?::[0-9]{0,5})?[/?#\n]{0,2}\Z")


@given(
    URLS | st.sampled_from(["https://api.twilio.com", "https://api.twilio.com/", "http://[::1]:8099", "https://a:0"])
)
def test_where_media_is_fetched_is_refused_by_the_configuration_or_taken_by_what_fetches(url: str) -> None:
    try:
        account = Account(account_sid=ACCOUNT, api_url=url)
    except ValidationError:
        return
    assert TwilioAccount(ACCOUNT, account.api_url).origin.host


def test_each_account_has_the_keys_of_its_own_folder(tmp_path: Path) -> None:
    write_keys(tmp_path / "one", {PUBLIC_KEY_SID: private_key()})
    file = tmp_path / "accounts.toml"
    file.write_text(f'[{ACCOUNT}]\nencryption_keys_folder = "{tmp_path}/one"\n[{OTHER_ACCOUNT}]\n')
    decryptor = wiring.open_decryptor(Settings(accounts_file=file))
    given = details(an_encryption())
    decryptor.open_key(ACCOUNT, given)
    with pytest.raises(EncryptionKeyUnknown):
        decryptor.open_key(OTHER_ACCOUNT, given)


def test_a_key_that_can_not_be_used_is_an_error_of_the_configuration_that_names_its_file(tmp_path: Path) -> None:
    folder = write_keys(tmp_path / "keys", {PUBLIC_KEY_SID: private_key()})
    broken = folder / f"{OTHER_PUBLIC_KEY_SID}.pem"
    broken.write_text("-----BEGIN PRIVATE KEY-----")
    settings = Settings(twilio_account_sid=ACCOUNT, twilio_encryption_keys_folder=str(folder))
    with pytest.raises(ConfigurationError) as caught:
        wiring.open_decryptor(settings)
    (problem,) = caught.value.problems
    assert problem.startswith("TWILIO_ENCRYPTION_KEYS_FOLDER")
    assert ACCOUNT in problem
    assert f"{broken} is no private key" in problem


@pytest.mark.parametrize(("count", "said"), [(0, "none is in"), (1, "1 private key can"), (2, "2 private keys can")])
def test_the_doctor_counts_the_keys_of_each_account(tmp_path: Path, count: int, said: str) -> None:
    keys = {PUBLIC_KEY_SID: private_key(), OTHER_PUBLIC_KEY_SID: private_key(2)}
    folder = write_keys(tmp_path / "keys", dict(list(keys.items())[:count]))
    (finding,) = doctor.encryption_key_findings(Account(account_sid=ACCOUNT, encryption_keys_folder=folder))
    assert (finding.subject, finding.well) == (f"encryption keys of {ACCOUNT}", count > 0)
    assert said in finding.text


def test_the_doctor_names_each_key_that_can_not_be_used(tmp_path: Path) -> None:
    for sid in (PUBLIC_KEY_SID, OTHER_PUBLIC_KEY_SID):
        (tmp_path / f"{sid}.pem").write_text("x")
    findings = list(doctor.encryption_key_findings(Account(account_sid=ACCOUNT, encryption_keys_folder=tmp_path)))
    assert [finding.well for finding in findings] == [False, False]
    assert [sid in finding.text for sid, finding in zip((PUBLIC_KEY_SID, OTHER_PUBLIC_KEY_SID), findings, strict=True)]


def test_the_doctor_says_nothing_of_keys_where_none_are_wanted() -> None:
    assert list(doctor.encryption_key_findings(Account(account_sid=ACCOUNT))) == []


def test_a_claim_lapses_only_after_its_attempt_is_over_whatever_the_time_scale() -> None:
    for time_scale in (1.0, 0.1):
        settings = Settings(time_scale=time_scale)
        # An attempt's deadline, and what a connection to a second address may take.
        longest = (TOTAL_SECONDS + CONNECT_SECONDS) * time_scale
        assert wiring.delivery_settings(settings).lease_seconds > 2 * longest


def test_events_are_kept_for_as_long_as_is_set() -> None:
    settings = Settings(time_scale=0.1, events_retention_days=9)
    assert wiring.retention_settings(settings) == RetentionSettings(timedelta(days=9), interval_seconds=6.0)
