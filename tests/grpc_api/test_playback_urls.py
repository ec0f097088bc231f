"""CreatePlaybackUrl over a real server."""

import time
from datetime import timedelta
from urllib.parse import parse_qsl, urlsplit

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration

from recording_service.core import errors
from recording_service.core.model import CallDetails, RecordingState
from recording_service.signed_urls import MAX_LIFETIME_SECONDS, UrlVerifier
from recordings.v1 import playback_url_pb2
from tests.support.grpc_server import SIGNING_KEY, RunningServer, refused
from tests.support.grpc_service import ACCOUNT, RECORDING, recording


def request(**fields: object) -> playback_url_pb2.CreatePlaybackUrlRequest:
    return playback_url_pb2.CreatePlaybackUrlRequest(recording_sid=RECORDING, **fields)  # type: ignore[arg-type]


def test_the_url_plays_until_it_expires(server: RunningServer) -> None:
    before = int(time.time())

    made = server.stub.CreatePlaybackUrl(request(ttl=Duration(seconds=90)))

    assert before + 90 <= made.expire_time.seconds <= time.time() + 90
    for url in (made.url, made.status_url):
        query = parse_qsl(urlsplit(url).query)
        assert UrlVerifier([SIGNING_KEY]).verify(RECORDING, query, time.time()).account_sid == ACCOUNT
        assert dict(query)["expires"] == str(made.expire_time.seconds)
    assert made.key_id == SIGNING_KEY.key_id


@pytest.mark.parametrize(("number", "disposition"), [(0, "inline"), (1, "inline"), (2, "attachment")])
def test_the_disposition_is_signed(server: RunningServer, number: int, disposition: str) -> None:
    made = server.stub.CreatePlaybackUrl(request(disposition=number))

    assert dict(parse_qsl(urlsplit(made.url).query))["disposition"] == disposition


@pytest.mark.parametrize(
    ("duration", "seconds"),
    [
        (None, 3600),
        (timedelta(minutes=5), 3600),
        (timedelta(hours=1, milliseconds=100), 10_801),
        (timedelta(days=30), MAX_LIFETIME_SECONDS),
    ],
)
def test_it_lasts_for_three_times_the_recording_and_at_least_an_hour(
    server: RunningServer, duration: timedelta | None, seconds: int
) -> None:
    server.service.answers["get"] = recording(call=CallDetails(duration=duration))
    before = int(time.time())

    made = server.stub.CreatePlaybackUrl(request())

    assert before + seconds <= made.expire_time.seconds <= time.time() + seconds


@pytest.mark.parametrize("state", [RecordingState.QUEUED, RecordingState.DOWNLOADING, RecordingState.FAILED])
def test_there_is_one_in_every_state_of_the_recording(server: RunningServer, state: RecordingState) -> None:
    server.service.answers["get"] = recording(state=state)

    assert server.stub.CreatePlaybackUrl(request()).url


@pytest.mark.parametrize(
    "ttl",
    [
        Duration(),
        Duration(seconds=-1),
        Duration(seconds=1, nanos=1),
        Duration(nanos=500_000_000),
        Duration(seconds=MAX_LIFETIME_SECONDS + 1),
    ],
)
def test_a_lifetime_that_there_is_not_is_refused_by_its_name(server: RunningServer, ttl: Duration) -> None:
    refusal = refused(lambda: server.stub.CreatePlaybackUrl(request(ttl=ttl)))

    assert (refusal.code, refusal.fields) == (grpc.StatusCode.INVALID_ARGUMENT, ["ttl"])
    assert server.service.asked("get") == []


def test_a_disposition_that_is_not_known_is_refused_by_its_name(server: RunningServer) -> None:
    message = request()
    message.MergeFromString(b"\x20\x09")

    assert refused(lambda: server.stub.CreatePlaybackUrl(message)).fields == ["disposition"]


def test_of_an_unknown_recording_there_is_none(server: RunningServer) -> None:
    server.service.answers["get"] = errors.RecordingNotFound(RECORDING)

    assert refused(lambda: server.stub.CreatePlaybackUrl(request())).reason == "RECORDING_NOT_FOUND"
