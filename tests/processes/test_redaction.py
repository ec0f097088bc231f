"""What is taken out of the log, and what stays."""

import base64
from urllib.parse import quote

import pytest

from recording_service.config import Settings
from recording_service.processes.redaction import REDACTED, Redaction, secrets_of

SECRET = "a+secret/with?signs"


@pytest.mark.parametrize(
    "line",
    [
        f"the token is {SECRET}.",
        f"redis://:{quote(SECRET, safe='')}@host:6379/0",
        f"GET /x?token={quote(SECRET)}",
        repr({"token": SECRET}),
    ],
)
def test_a_secret_of_the_configuration_is_taken_out_in_every_form(line: str) -> None:
    redacted = Redaction([SECRET])(line)
    assert SECRET not in redacted
    assert quote(SECRET, safe="") not in redacted
    assert REDACTED in redacted


@pytest.mark.parametrize(
    ("line", "redacted"),
    [
        ("from +15550142857 to %2B442079460958", "from +…57 to %2B…58"),
        (f"Authorization: Basic {base64.b64encode(b'user:password').decode()}", f"Authorization: {REDACTED}"),
        ("{'Authorization': 'Bearer abcdef', 'Host': 'h'}", "{'Authorization': '" + REDACTED + "', 'Host': 'h'}"),
        ("https://user:password@host/path", f"https://{REDACTED}@host/path"),
        ("/stream?a=b&access_token=abc&c=d", f"/stream?a=b&access_token={REDACTED}&c=d"),
        ("key SK0123456789abcdef0123456789abcdef", f"key SK{REDACTED}"),
        (
            "DETAIL:  Failing row contains (RE1, (x). y, canary).\nCONTEXT: z",
            f"DETAIL:  Failing row contains ({REDACTED}).\nCONTEXT: z",
        ),
    ],
)
def test_what_looks_like_a_secret_is_taken_out(line: str, redacted: str) -> None:
    assert Redaction()(line) == redacted


@pytest.mark.parametrize(
    "line",
    [
        "2026-11-23T14:47:36.012Z INFO grpc recording_service.core.download: ready recording_sid=RE0123 size=720039",
        "2026-11-23T14:47:36+00:00 after +2.5 s, +1234",
        "HTTP listens on http://127.0.0.1:8080, mail to someone@example.org",
        f"account_sid=AC{'a' * 32} job=RE{'b' * 32}-1",
        "Basic authentication is used",
    ],
)
def test_everything_else_stays(line: str) -> None:
    assert Redaction(["", "abc"])(line) == line


def test_every_secret_of_the_configuration_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWILIO_ACCOUNT_SID", f"AC{'a' * 32}")
    monkeypatch.setenv("TWILIO_AUTH_TOKEN", "token-one, token-two")
    monkeypatch.setenv("TWILIO_API_KEY", "key")
    monkeypatch.setenv("TWILIO_API_SECRET", "secret")
    monkeypatch.setenv("RECORDING_REDIS_URL", "redis://:pass%2Fword@host/0")
    monkeypatch.setenv("RECORDING_DATABASE_URL", "postgresql://user:of-the-database@host/db")
    assert secrets_of(Settings()) == {"token-one", "token-two", "key", "secret", "pass/word", "of-the-database"}


def test_what_signs_events_and_what_their_receiver_knows_them_by_is_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECORDING_EVENTS_URL", "https://example.com/hooks?of=a-receiver")
    monkeypatch.setenv("RECORDING_EVENTS_SECRET", "whsec_QUJDQUJDQUJDQUJDQUJDQUJDQUJDQUJD, whsec_of-before")
    assert secrets_of(Settings()) == {"QUJDQUJDQUJDQUJDQUJDQUJDQUJDQUJD", "of-before", "of=a-receiver"}
