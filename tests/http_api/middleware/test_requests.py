"""What every request has: an id, a log line, security headers, and a problem for an answer that is none."""

import logging
import re

import pytest

from recording_service.http_api.recording_client import RecordingClient
from tests.http_api.conftest import Settings
from tests.http_api.fake_recordings import RECORDING, FakeRecordings
from tests.http_api.running_app import Client, running_app
from tests.support.waiting import eventually

STREAM = f"/recordings/{RECORDING}/stream"


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"X-Request-Id": "abcDEF_-0123"}, "abcDEF_-0123"),
        ({"X-Request-Id": "a" * 64, "I-Twilio-Idempotency-Token": "b" * 8}, "a" * 64),
        ({"I-Twilio-Idempotency-Token": "11111111-2222-3333-4444-555555555555"}, None),
        ({"X-Request-Id": "short", "I-Twilio-Idempotency-Token": "b" * 8}, "b" * 8),
    ],
)
def test_a_harmless_request_id_runs_from_the_caller_to_the_service_and_back(
    client: Client,
    recordings: FakeRecordings,
    caplog: pytest.LogCaptureFixture,
    headers: dict[str, str],
    expected: str | None,
) -> None:
    caplog.set_level(logging.INFO)
    recordings.add(b"0123456789")
    expected = expected or headers["I-Twilio-Idempotency-Token"]
    for path, range_field in ((STREAM, "bytes=0-"), (STREAM, "bytes=-1"), (f"/recordings/{RECORDING}", "")):
        answer = client.request("GET", path, headers | {"Range": range_field})
        assert answer.headers["x-request-id"] == expected
    assert {call.metadata["x-request-id"] for call in recordings.asked} == {expected}
    # The line is written when the answer is out.
    eventually(lambda: caplog.text.count(f"request_id={expected}") == 3)


@pytest.mark.parametrize("given", ["short", "a" * 65, "with space in it", "line\tbreak__", "ümlaut_ümlaut", ""])
def test_any_other_request_id_is_replaced(client: Client, recordings: FakeRecordings, given: str) -> None:
    answer = client.get(STREAM, X_Request_Id=given.encode().decode("latin-1"))
    assert re.fullmatch("[0-9a-f]{32}", answer.headers["x-request-id"])


def test_each_request_has_one_log_line_without_its_query(
    client: Client, recordings: FakeRecordings, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    recordings.add(b"0123456789")
    # The line of a request before this test may be written during it.
    request_id = "0123456789abcdef" * 2
    client.get(f"{STREAM}?sig=a-secret", Range="bytes=0-3", X_Request_Id=request_id)
    client.get("/a%0Ab" + "c" * 300, X_Request_Id=request_id)

    def lines_of_both() -> list[str]:
        messages = [record.getMessage() for record in caplog.records if "request_context" in record.name]
        lines = [message for message in messages if message.endswith(f"request_id={request_id}")]
        return sorted(lines) if len(lines) >= 2 else []

    lines = eventually(lines_of_both)
    assert len(lines) == 2
    assert lines[0].startswith("GET /a%0Abccc")
    assert len(lines[0]) < 280
    assert re.fullmatch(rf"GET {STREAM} 206 4B \d+ms request_id={request_id}", lines[1])
    assert "a-secret" not in caplog.text


@pytest.mark.parametrize("path", ["/nothing", "/healthz/", f"/recordings/{RECORDING}/", "/recordings/", "/docs"])
def test_an_unknown_path_is_a_problem_and_redirects_nowhere(client: Client, path: str) -> None:
    answer = client.get(path)
    assert answer.status == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["reason"] == "NOT_FOUND"
    assert "location" not in answer.headers


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        (STREAM, "GET, HEAD, OPTIONS"),
        (f"/recordings/{RECORDING}", "GET, HEAD, OPTIONS"),
        ("/healthz", "GET, HEAD"),
        ("/readyz", "GET, HEAD"),
    ],
)
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_a_wrong_method_says_which_are_allowed(client: Client, path: str, allowed: str, method: str) -> None:
    answer = client.request(method, path)
    assert (answer.status, answer.headers["allow"]) == (405, allowed)
    assert answer.json()["reason"] == "METHOD_NOT_ALLOWED"


@pytest.mark.parametrize("path", ["/", "/healthz", STREAM, "/webhooks/twilio/recording"])
def test_every_answer_has_the_security_headers_and_names_no_server(client: Client, path: str) -> None:
    answer = client.get(path)
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "server" not in answer.headers


def test_an_unexpected_exception_is_a_500_that_tells_nothing(
    recordings: FakeRecordings,
    settings: Settings,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def broken(*_: object) -> None:
        raise LookupError("an internal text")

    monkeypatch.setattr(RecordingClient, "get_recording", broken)
    with running_app(settings()) as client:
        answer = client.get(f"/recordings/{RECORDING}")
    assert answer.status == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["reason"] == "INTERNAL"
    assert answer.json()["request_id"] == answer.headers["x-request-id"]
    assert b"internal text" not in answer.body
    assert b"Traceback" not in answer.body
    record = next(record for record in caplog.records if record.exc_info)
    assert answer.headers["x-request-id"] in record.getMessage()
