"""Secrets are found in whatever form they get out, and nothing else is."""

import base64
import json
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, quote_plus, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.faults.canaries import MOST_FINDINGS, Canaries, Finding
from tests.faults.redis_process import RedisProcess

TOKEN = "canary-auth-token-7f3a91c2"
SECRETS = {
    "auth token": TOKEN,
    "API key secret": 'cänary/secret+with="everything"\\n~%41',
    "Redis password": "canary-redis-password-5d21",
    "caller": "+15005550006",
    "source": "https://someone:canary%2Fpassword-31@media.example.com/r.mp3?token=canary+query+4711&format=mp3",
}
CANARIES = Canaries(SECRETS)


def names(findings: list[Finding]) -> set[str]:
    return {finding.secret for finding in findings}


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_is_found_as_it_is(name: str) -> None:
    [finding] = CANARIES.in_text(f"before {SECRETS[name]} behind", "the log")
    assert (finding.secret, finding.form, finding.where) == (name, "as it is", "the log")
    assert finding.around == f"before {SECRETS[name]} behind"
    assert str(finding) == f"{name} (as it is) in the log: …before {SECRETS[name]} behind…"


@pytest.mark.parametrize("name", SECRETS)
@pytest.mark.parametrize(
    "encode",
    [
        quote,
        quote_plus,
        lambda value: quote(value, safe=""),
        lambda value: re.sub("%..", lambda code: code[0].lower(), quote(value, safe="")),
        lambda value: urlencode({"key": value}),
        json.dumps,
        lambda value: json.dumps({"key": value}, ensure_ascii=False),
        lambda value: json.dumps(value).replace("/", "\\/"),
        lambda value: json.dumps({"body": json.dumps({"key": value})}),
        repr,
        lambda value: repr(value.encode()),
        lambda value: base64.b64encode(value.encode()).decode(),
        lambda value: quote(base64.b64encode(value.encode()).decode(), safe=""),
        lambda value: base64.urlsafe_b64encode(b"?" + value.encode() + b">>>").decode(),
        lambda value: "Authorization: Basic " + base64.b64encode(f"AC123:{value}".encode()).decode(),
    ],
)
def test_a_secret_is_found_however_it_is_encoded(name: str, encode: object) -> None:
    assert callable(encode)
    assert names(CANARIES.in_text(f"before {encode(SECRETS[name])} behind", "the log")) == {name}


@given(before=st.binary(max_size=20), behind=st.binary(max_size=20), name=st.sampled_from(sorted(SECRETS)))
def test_a_secret_is_found_in_base64_wherever_it_begins(before: bytes, behind: bytes, name: str) -> None:
    secret = SECRETS[name].encode()
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        assert name in names(CANARIES.in_bytes(encode(before + secret + behind), "a header"))


@given(before=st.binary(max_size=40), behind=st.binary(max_size=40), level=st.integers(0, 9))
def test_a_secret_is_found_in_what_is_compressed(before: bytes, behind: bytes, level: int) -> None:
    compressed = zlib.compress(b"Traceback: " + TOKEN.encode() * 3, level)
    for data in (compressed, base64.b64encode(compressed)):
        assert names(CANARIES.in_bytes(before + b"\n" + data + b"\n" + behind, "a job")) == {"auth token"}


@given(st.binary(max_size=2000))
def test_nothing_is_found_where_nothing_is(data: bytes) -> None:
    assert CANARIES.in_bytes(data, "noise") == []
    assert CANARIES.in_bytes(base64.b64encode(data), "noise") == []
    assert CANARIES.in_bytes(zlib.compress(data), "noise") == []


def test_what_is_no_secret_is_not_found() -> None:
    harmless = "https://media.example.com/r.mp3?format=mp3 someone +1500555000 15005550 canary auth-token ****06"
    assert CANARIES.in_text(harmless, "the log") == []


def test_digits_of_a_phone_number_are_found_without_the_plus() -> None:
    [finding] = CANARIES.in_text("called by 15005550006.", "the log")
    assert (finding.secret, finding.form) == ("caller", "as it is, without its plus")


def test_parts_of_a_url_are_as_secret_as_the_whole() -> None:
    for text, form in {
        "canary%2Fpassword-31": "as it is, its password",
        "canary/password-31": "as it is, its password",
        "canary query 4711": "as it is, of its query",
        "token=canary+query+4711": "percent-encoded, of its query",
        "token=canary%20query%204711": "percent-encoded, of its query",
    }.items():
        [finding] = CANARIES.in_text(text, "the log")
        assert (finding.secret, finding.form) == ("source", form), text


def test_each_place_is_told_of_and_not_every_line() -> None:
    assert len(CANARIES.in_text(f"{TOKEN}\n" * 3, "the log")) == 3
    assert len(CANARIES.in_text(f"{TOKEN}\n" * 1000, "the log")) == MOST_FINDINGS
    assert names(CANARIES.in_text(f"{TOKEN}\n" * 1000 + SECRETS["caller"], "the log")) == {"auth token", "caller"}


def test_what_stands_around_may_be_anything() -> None:
    [finding] = CANARIES.in_bytes(b"\xff\x00" + TOKEN.encode() + b"\xfe", "a file")
    assert finding.around == f"\\xff\x00{TOKEN}\\xfe"


def test_files_and_folders_are_searched(tmp_path: Path) -> None:
    (tmp_path / "logs" / "old").mkdir(parents=True)
    (tmp_path / "logs" / "old" / "serve.log").write_text(f"password={TOKEN}")
    (tmp_path / "logs" / "clean.log").write_text("nothing")
    single = tmp_path / "other.log"
    single.write_bytes(SECRETS["Redis password"].encode())
    findings = CANARIES.in_files(tmp_path / "logs", single)
    assert [(finding.secret, finding.where) for finding in findings] == [
        ("auth token", str(tmp_path / "logs" / "old" / "serve.log")),
        ("Redis password", str(single)),
    ]
    with pytest.raises(FileNotFoundError):
        CANARIES.in_files(tmp_path / "missing.log")


def test_rows_are_searched_column_by_column() -> None:
    rows: list[dict[str, object]] = [
        {"sid": "RE1", "size": 3, "note": None},
        {"sid": "RE2", "note": f"401 for {TOKEN}", "blob": TOKEN.encode()},
    ]
    findings = CANARIES.in_rows(rows, "recordings")
    assert [finding.where for finding in findings] == ["recordings.note", "recordings.blob"]


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisProcess]:
    with RedisProcess(tmp_path / "redis", password=SECRETS["Redis password"]) as running:
        yield running


def test_redis_is_searched_names_of_keys_included(redis: RedisProcess) -> None:
    exception = base64.b64encode(zlib.compress(f"Traceback … {SECRETS['source']}".encode()))
    with redis.client() as client:
        client.set("harmless", "1")
        client.hset("rq:job:1", mapping={"data": zlib.compress(TOKEN.encode())})
        client.xadd("rq:results:1", {"exc_string": exception})
        client.set(f"calls:{SECRETS['caller']}", "1")
    findings = CANARIES.in_redis(redis.dump())
    assert {(finding.secret, finding.where) for finding in findings} == {
        ("auth token", "Redis' hash rq:job:1 (decompressed)"),
        ("source", "Redis' stream rq:results:1 (base64, decompressed)"),
        ("caller", "Redis' string calls:+15005550006"),
    }
    assert CANARIES.in_files(redis.log_file) == []


def test_what_would_be_found_by_chance_is_no_canary() -> None:
    with pytest.raises(ValueError, match="pin has less than"):
        Canaries({"pin": "1234"})
