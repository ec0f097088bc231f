"""Playback URLs: what is signed can't be changed, and nothing works that was not signed (reliability.md C15)."""

from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recording_service.signed_urls import (
    CLOCK_SKEW_SECONDS,
    MAX_LIFETIME_SECONDS,
    Grant,
    Refusal,
    SignatureRefused,
    SigningKey,
    UrlSigner,
    UrlVerifier,
)

ACCOUNT = "AC" + "0a" * 16
RECORDING = "RE" + "1b" * 16
NOW = 1_800_000_000
KEY = SigningKey("k1", bytes(range(32)))
OTHER_KEY = SigningKey("k2", bytes(range(1, 33)))

Query = list[tuple[str, str]]


def signed(*keys: SigningKey, expires: int = NOW + 60, disposition: str = "inline") -> Query:
    url = UrlSigner(keys or (KEY,), "https://recordings.example.com").sign(ACCOUNT, RECORDING, expires, disposition)
    return parse_qsl(urlsplit(url.url).query)


def refusal(query: Query, *keys: SigningKey, recording_sid: str = RECORDING, now: float = NOW) -> Refusal:
    with pytest.raises(SignatureRefused) as caught:
        UrlVerifier(keys or (KEY,)).verify(recording_sid, query, now)
    return caught.value.refusal


def test_a_signed_url_allows_what_it_was_made_for() -> None:
    assert UrlVerifier([KEY]).verify(RECORDING, signed(), NOW) == Grant(ACCOUNT, "inline", NOW + 60)


@pytest.mark.parametrize(("disposition", "path"), [("inline", "stream"), ("attachment", "download")])
def test_the_url_and_that_of_the_status_have_the_same_signature(disposition: str, path: str) -> None:
    made = UrlSigner([KEY], "https://recordings.example.com/").sign(ACCOUNT, RECORDING, NOW + 60, disposition)

    assert made.url.startswith(f"https://recordings.example.com/recordings/{RECORDING}/{path}?")
    assert made.status_url.startswith(f"https://recordings.example.com/recordings/{RECORDING}/status?")
    assert urlsplit(made.url).query == urlsplit(made.status_url).query
    assert made.key_id == "k1"


def test_it_works_until_the_second_it_expires() -> None:
    query = signed(expires=NOW + 60)

    UrlVerifier([KEY]).verify(RECORDING, query, NOW + 59.9)
    assert refusal(query, now=NOW + 60) is Refusal.EXPIRED


def test_another_recording_is_not_played_by_it() -> None:
    assert refusal(signed(), recording_sid="RE" + "2c" * 16) is Refusal.INVALID


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("account_sid", "AC" + "0b" * 16),
        ("expires", str(NOW + 61)),
        ("expires", f"0{NOW + 60}"),
        ("expires", f"+{NOW + 60}"),
        ("expires", f"{NOW + 60}\n"),
        ("disposition", "attachment"),
        ("disposition", "INLINE"),
        ("key_id", "k2"),
        ("signature", "A" * 43),
        ("signature", ""),
    ],
)
def test_no_part_of_it_can_be_changed(name: str, value: str) -> None:
    changed = [(key, value if key == name else old) for key, old in signed()]

    assert refusal(changed, KEY, OTHER_KEY) is Refusal.INVALID


@pytest.mark.parametrize("name", ["account_sid", "expires", "disposition", "key_id", "signature"])
def test_each_part_has_to_be_there_once(name: str) -> None:
    query = signed()

    assert refusal([pair for pair in query if pair[0] != name]) is Refusal.INVALID
    assert refusal([*query, next(pair for pair in query if pair[0] == name)]) is Refusal.INVALID


def test_further_parameters_are_nobodys_business() -> None:
    assert UrlVerifier([KEY]).verify(RECORDING, [*signed(), ("wait", "30"), ("wait", "1")], NOW).account_sid == ACCOUNT


@given(st.integers(0, 42), st.sampled_from("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"))
def test_no_character_of_the_signature_can_be_another(position: int, character: str) -> None:
    query = dict(signed())
    old = query["signature"]
    query["signature"] = old[:position] + character + old[position + 1 :]

    if query["signature"] != old:
        assert refusal(list(query.items())) is Refusal.INVALID


def test_a_retired_key_is_believed_as_long_as_it_is_there_and_the_first_one_signs() -> None:
    by_the_old = signed(OTHER_KEY)

    assert UrlVerifier([KEY, OTHER_KEY]).verify(RECORDING, by_the_old, NOW).account_sid == ACCOUNT
    assert refusal(by_the_old, KEY) is Refusal.INVALID
    assert dict(signed(KEY, OTHER_KEY))["key_id"] == "k1"


def test_a_key_of_the_same_name_and_another_secret_is_another_key() -> None:
    assert refusal(signed(), SigningKey("k1", bytes(32))) is Refusal.INVALID


def test_what_claims_to_work_for_longer_than_anything_does_is_not_believed() -> None:
    # A clock that has jumped back would make everything that has expired good again (reliability.md B3 #30).
    query = signed(expires=NOW + MAX_LIFETIME_SECONDS)

    UrlVerifier([KEY]).verify(RECORDING, query, NOW - CLOCK_SKEW_SECONDS)
    assert refusal(query, now=NOW - CLOCK_SKEW_SECONDS - 1) is Refusal.INVALID


@pytest.mark.parametrize(("key_id", "secret"), [("", bytes(32)), ("a b", bytes(32)), ("x" * 33, bytes(32)), ("k", b"")])
def test_what_is_no_key_is_refused(key_id: str, secret: bytes) -> None:
    with pytest.raises(ValueError, match="a key"):
        SigningKey(key_id, secret)


def test_nobody_signs_without_a_key() -> None:
    with pytest.raises(ValueError, match="no key"):
        UrlSigner([], "https://recordings.example.com")


def test_a_secret_is_in_no_representation() -> None:
    assert repr(KEY) == "SigningKey(key_id='k1')"


@pytest.mark.parametrize("recording_sid", ["R\u00e9", "", "RE1", RECORDING + "\n", f"{RECORDING}|1"])
def test_of_what_is_no_recording_there_is_no_signed_url(recording_sid: str) -> None:
    assert refusal(signed(), recording_sid=recording_sid) is Refusal.INVALID
