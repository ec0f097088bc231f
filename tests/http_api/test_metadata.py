"""`GET /recordings/{sid}`."""

from tests.http_api.fake_recordings import ACCOUNT, RECORDING, FakeRecordings
from tests.http_api.running_app import Client

PATH = f"/recordings/{RECORDING}"


def test_metadata_is_the_contracts_json_with_the_contracts_names(client: Client, recordings: FakeRecordings) -> None:
    recordings.add(b"0123456789", revision=7)
    answer = client.get(f"{PATH}?account_sid={ACCOUNT}")
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json() == {
        "account_sid": ACCOUNT,
        "recording_sid": RECORDING,
        "state": "RECORDING_STATE_READY",
        "size_bytes": "10",
        "etag": "e1",
        "content_type": "audio/mpeg",
        "revision": "7",
        "ready_time": "2026-03-03T10:00:00Z",
    }
    (request,) = recordings.of("GetRecording")
    assert (request.account_sid, request.recording_sid) == (ACCOUNT, RECORDING)


def test_head_is_the_same_without_the_body(client: Client, recordings: FakeRecordings) -> None:
    recordings.add(b"0123456789")
    whole = client.get(PATH)
    answer = client.request("HEAD", PATH)
    assert (answer.status, answer.body) == (200, b"")
    assert answer.headers["content-length"] == whole.headers["content-length"]
