"""`/recordings/{sid}/stream` and `/download` when all is well: the rules of reliability.md D1 on the wire."""

import random
from itertools import pairwise

import pytest

from recordings.v1.recording_pb2 import Recording
from tests.http_api.conftest import Settings
from tests.http_api.fake_recordings import ACCOUNT, RECORDING, FakeRecordings
from tests.http_api.running_app import Client, read_exactly, read_header, running_on_plain_uvicorn

CONTENT = random.Random(1).randbytes(300_000)
SIZE = len(CONTENT)
STREAM = f"/recordings/{RECORDING}/stream"
DOWNLOAD = f"/recordings/{RECORDING}/download"
READY = "Tue, 03 Mar 2026 10:00:00 GMT"
EARLIER = "Tue, 03 Mar 2026 09:00:00 GMT"


@pytest.fixture
def recording(recordings: FakeRecordings) -> Recording:
    return recordings.add(CONTENT)


def test_the_whole_recording_is_served_with_everything_a_player_needs(client: Client, recording: Recording) -> None:
    answer = client.get(STREAM)
    assert answer.status == 200
    assert answer.body == CONTENT
    headers = dict(answer.headers.items())
    del headers["date"]
    del headers["x-request-id"]
    assert headers == {
        "content-type": "audio/mpeg",
        "content-length": str(SIZE),
        "content-disposition": f'inline; filename="recording-{RECORDING}.mp3"',
        "etag": '"e1"',
        "last-modified": READY,
        "accept-ranges": "bytes",
        "cache-control": "private, max-age=3600, immutable",
        "vary": "Authorization, Cookie, Origin",
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
        "content-security-policy": "default-src 'none'; media-src 'self'; sandbox",
    }


def test_a_download_is_an_attachment_named_after_the_recording(client: Client, recording: Recording) -> None:
    recording.content_type = "audio/x-wav"
    answer = client.get(DOWNLOAD)
    assert answer.body == CONTENT
    assert answer.headers["content-disposition"] == f'attachment; filename="recording-{RECORDING}.wav"'
    assert answer.headers["content-type"] == "audio/wav"


@pytest.mark.parametrize(("content_type", "extension"), [("audio/mpeg", "mp3"), ("audio/x-wav", "wav")])
@pytest.mark.parametrize("path", [STREAM, DOWNLOAD])
def test_a_path_may_end_in_the_extension_of_what_is_stored(
    client: Client, recording: Recording, path: str, content_type: str, extension: str
) -> None:
    recording.content_type = content_type
    answer = client.get(f"{path}.{extension}")
    assert (answer.status, answer.body) == (200, CONTENT)
    assert answer.headers["content-disposition"] == client.get(path).headers["content-disposition"]
    assert client.get(f"{path}.{extension}", Range="bytes=5-9").body == CONTENT[5:10]
    assert client.get(f"{path}.{extension}", Range="bytes=-5").body == CONTENT[-5:]


@pytest.mark.parametrize(
    ("content_type", "extension"), [("audio/mpeg", "wav"), ("audio/wav", "mp3"), ("text/html", "mp3")]
)
@pytest.mark.parametrize("headers", [{}, {"Range": "bytes=-5"}, {"If-None-Match": "*"}])
def test_another_type_than_the_stored_one_is_not_found(
    client: Client, recording: Recording, content_type: str, extension: str, headers: dict[str, str]
) -> None:
    recording.content_type = content_type
    answer = client.request("GET", f"{STREAM}.{extension}", headers)
    assert (answer.status, answer.json()["reason"]) == (404, "REPRESENTATION_NOT_FOUND")
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("ending", [".ogg", ".MP3", ".", ".mp3.mp3", ".mp3x", "mp3", ".mp3/", ".json", ".bin"])
def test_no_other_ending_is_a_path(
    client: Client, recording: Recording, recordings: FakeRecordings, ending: str
) -> None:
    answer = client.get(STREAM + ending)
    assert (answer.status, answer.json()["reason"]) == (404, "NOT_FOUND")
    assert recordings.asked == []


@pytest.mark.parametrize("content_type", ["text/html", "image/svg+xml", "audio/mpeg\r\nX: y", ""])
def test_a_media_type_that_is_not_on_the_list_is_only_ever_saved(
    client: Client, recording: Recording, content_type: str
) -> None:
    recording.content_type = content_type
    answer = client.get(STREAM)
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"] == f'attachment; filename="recording-{RECORDING}.bin"'


@pytest.mark.parametrize(
    ("range_field", "start", "end"),
    [
        ("bytes=0-1", 0, 2),
        (f"bytes=0-{SIZE - 1}", 0, SIZE),
        ("bytes=0-", 0, SIZE),
        ("bytes=100000-", 100_000, SIZE),
        (f"bytes={SIZE - 1}-", SIZE - 1, SIZE),
        ("bytes=65535-65536", 65_535, 65_537),
        (f"bytes=5-{10**30}", 5, SIZE),
        ("bytes=-1", SIZE - 1, SIZE),
        (f"bytes=-{SIZE + 1}", 0, SIZE),
        ("bytes=0-9,10-19", 0, 20),
        ("bytes=5-9,-1,0-299999", 0, SIZE),
        ("BYTES= ,7-8 ,", 7, 9),
    ],
)
def test_a_range_is_answered_with_exactly_its_bytes(
    client: Client, recording: Recording, range_field: str, start: int, end: int
) -> None:
    answer = client.get(STREAM, Range=range_field)
    assert answer.status == 206
    assert answer.body == CONTENT[start:end]
    assert answer.headers["content-range"] == f"bytes {start}-{end - 1}/{SIZE}"
    assert answer.headers["content-length"] == str(end - start)
    for name in ("etag", "last-modified", "cache-control", "accept-ranges", "vary", "content-type"):
        assert answer.headers[name] is not None


@pytest.mark.parametrize(
    "range_field", ["items=0-1", "bytes=2-1", "bytes=a-b", "bytes=0-1,5-6", "bytes=" + "0-1," * 17, "bytes"]
)
def test_what_is_no_single_byte_range_is_answered_with_the_whole(
    client: Client, recording: Recording, range_field: str
) -> None:
    answer = client.get(STREAM, Range=range_field)
    assert (answer.status, answer.body) == (200, CONTENT)
    assert "content-range" not in answer.headers


def test_two_range_fields_are_ignored(client: Client, recording: Recording) -> None:
    with client.raw() as connection:
        connection.sendall(f"GET {STREAM} HTTP/1.1\r\nHost: h\r\nRange: bytes=0-1\r\nRange: bytes=3-4\r\n\r\n".encode())
        assert connection.recv(15) == b"HTTP/1.1 200 OK"


@pytest.mark.parametrize(
    "range_field", [f"bytes={SIZE}-", f"bytes={SIZE + 1}-", f"bytes={10**25}-", "bytes=-0", f"bytes={SIZE}-,-0"]
)
def test_a_range_without_a_byte_is_answered_with_the_size(
    client: Client, recording: Recording, range_field: str
) -> None:
    answer = client.get(STREAM, Range=range_field)
    assert answer.status == 416
    assert answer.headers["content-range"] == f"bytes */{SIZE}"
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json()["reason"] == "RANGE_NOT_SATISFIABLE"


@pytest.mark.parametrize("path", [STREAM, DOWNLOAD])
def test_head_is_the_header_of_the_whole_and_opens_no_stream(
    client: Client, recording: Recording, recordings: FakeRecordings, path: str
) -> None:
    answer = client.request("HEAD", path, {"Range": "bytes=0-1"})
    assert (answer.status, answer.body) == (200, b"")
    assert answer.headers["content-length"] == str(SIZE)
    assert answer.headers["etag"] == '"e1"'
    assert answer.headers["accept-ranges"] == "bytes"
    assert "content-range" not in answer.headers
    assert recordings.of("StreamRecording") == []


@pytest.mark.parametrize("range_field", [None, "bytes=0-", "bytes=-5"])
def test_a_recording_without_a_byte_is_served_as_such(
    client: Client, recordings: FakeRecordings, range_field: str | None
) -> None:
    recordings.add(b"")
    answer = client.request("GET", STREAM, {"Range": range_field} if range_field else {})
    assert (answer.status, answer.body) == (200, b"")
    assert answer.headers["content-length"] == "0"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"If-None-Match": '"e1"'}, 304),
        ({"If-None-Match": 'W/"e1"'}, 304),
        ({"If-None-Match": "*"}, 304),
        ({"If-None-Match": '"e1"', "Range": "bytes=0-1"}, 304),
        ({"If-None-Match": '"e0"'}, 200),
        ({"If-None-Match": '"e0"', "Range": "bytes=0-1"}, 206),
        ({"If-Modified-Since": READY}, 304),
        ({"If-Modified-Since": EARLIER}, 200),
        ({"If-Match": '"e1"', "Range": "bytes=0-1"}, 206),
        ({"If-Match": '"e0"'}, 412),
        ({"If-Match": 'W/"e1"'}, 412),
        ({"If-Unmodified-Since": EARLIER}, 412),
        ({"If-Unmodified-Since": READY}, 200),
        ({"If-Range": '"e1"', "Range": "bytes=0-1"}, 206),
        ({"If-Range": READY, "Range": "bytes=0-1"}, 206),
        ({"If-Range": '"e0"', "Range": "bytes=0-1"}, 200),
        ({"If-Range": 'W/"e1"', "Range": "bytes=0-1"}, 200),
        ({"If-Range": EARLIER, "Range": "bytes=0-1"}, 200),
        ({"If-Range": '"e0"', "Range": f"bytes={SIZE}-"}, 200),
        ({"If-Range": '"e1"'}, 200),
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_conditions_are_answered_by_the_rfc(
    client: Client, recording: Recording, method: str, headers: dict[str, str], status: int
) -> None:
    answer = client.request(method, STREAM, headers)
    assert answer.status == (200 if method == "HEAD" and status == 206 else status)
    if answer.status == 206:
        assert answer.body == CONTENT[:2]
    elif answer.status == 200:
        assert answer.headers["content-length"] == str(SIZE)
    elif answer.status == 304:
        assert answer.body == b""
        assert answer.headers["etag"] == '"e1"'
        assert answer.headers["cache-control"] == "private, max-age=3600, immutable"
    else:
        assert method == "HEAD" or answer.json()["reason"] == "PRECONDITION_FAILED"
        assert answer.headers["cache-control"] == "no-store"


def test_a_player_costs_one_call_a_seek(client: Client, recording: Recording, recordings: FakeRecordings) -> None:
    for range_field in ("bytes=0-1", "bytes=0-", "bytes=200000-"):
        assert client.get(STREAM, Range=range_field).status == 206
    assert client.get(STREAM).status == 200
    assert [call.method for call in recordings.asked] == ["StreamRecording"] * 4


def test_without_a_connection_yet_the_recording_is_looked_up_first(
    recordings: FakeRecordings, recording: Recording, settings: Settings
) -> None:
    with running_on_plain_uvicorn(settings(), "httptools") as client:
        assert client.get(STREAM, Range="bytes=5-").body == CONTENT[5:]
        assert client.get(STREAM, Range="bytes=6-").body == CONTENT[6:]
    assert [call.method for call in recordings.asked] == ["GetRecording", "StreamRecording", "StreamRecording"]


def test_a_range_that_needs_the_size_is_pinned_to_the_version_that_was_seen(
    client: Client, recording: Recording, recordings: FakeRecordings
) -> None:
    assert client.get(STREAM, Range="bytes=-5").body == CONTENT[-5:]
    (request,) = recordings.of("StreamRecording")
    assert (request.offset, request.length, request.etag) == (SIZE - 5, 5, "e1")
    assert request.account_sid == ACCOUNT


def test_the_account_narrows_the_recording_down(client: Client, recording: Recording) -> None:
    assert client.get(f"{STREAM}?account_sid={ACCOUNT}").status == 200
    assert client.get(f"{STREAM}?account_sid=AC{'ff' * 16}").status == 404


def test_a_recording_ready_at_an_unknown_time_has_no_last_modified(client: Client, recording: Recording) -> None:
    recording.ClearField("ready_time")
    answer = client.get(STREAM)
    assert answer.status == 200
    assert "last-modified" not in answer.headers


def test_a_kept_alive_connection_carries_one_request_after_the_other(client: Client, recording: Recording) -> None:
    requests = b"".join(
        f"GET {STREAM} HTTP/1.1\r\nHost: h\r\nRange: bytes={start}-{end - 1}\r\n\r\n".encode()
        for start, end in pairwise([0, 10, 20, 30])
    )
    with client.raw() as connection:
        connection.sendall(requests)
        for start in (0, 10, 20):
            assert b" 206 " in read_header(connection)
            assert read_exactly(connection, 10) == CONTENT[start : start + 10]
