"""500 clients that take a byte a second, or nothing: memory stays bounded, and everybody else is served (B3 #34)."""

import os
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from statistics import median

import grpc
import pytest
import requests
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from recording_service.twilio_stand_in.server import TwilioStandIn
from recordings.v1 import enqueue_pb2
from tests.faults.slow_clients import SlowCrowd, slow_grpc_clients, slow_http_clients
from tests.support.running_service import ACCOUNT_SID, RunningService, error_reason, running_service
from tests.support.waiting import eventually

CLIENTS = 500
#: Of the recording that they take: nobody's buffers hold it, not even all of Linux's on the way (6 MiB).
SIZE_BYTES = 32 * 1024 * 1024
#: An MP3, as far as its first bytes say.
MAGIC = bytes.fromhex("fff340c4")
#: What a process may have more with 500 slow clients than idle, in MiB. Measured: 126 (HTTP), 65 (gRPC, 256 streams).
HTTP_MEMORY_MIB, GRPC_MEMORY_MIB = 250.0, 200.0
#: Longest that a crowd may take to be where it is to be, and the whole recording to be played to somebody else.
SETTLE_SECONDS, PLAY_SECONDS = 40.0, 20.0
#: Longest usual wait for a unary call beside them. Measured: 3 ms; this is for a busy machine.
CALL_SECONDS = 2.0
#: A new recording is queued. On a busy machine the dispatcher, four times as quick here, may ring before its caller.
RUNG = (enqueue_pb2.ENQUEUE_REASON_ENQUEUED, enqueue_pb2.ENQUEUE_REASON_DUPLICATE)
#: How often each call is made.
CALLS = 20
#: When the sweep of streams without progress cuts at the earliest: after 60 s, and clocks run four times as fast here.
SWEEP_SECONDS = 15.0


class Slow:
    """A service with one large recording, and what its processes had of memory before anybody was slow."""

    def __init__(self, service: RunningService, recording_sid: str, content: bytes) -> None:
        self.service = service
        self.twilio = service.twilio
        self.recording_sid = recording_sid
        self.content = content
        self.idle = {part: self.memory(part) for part in ("http", "grpc")}

    def memory(self, part: str) -> float:
        """MiB of a part's process (PSS)."""
        (process,) = self.service.parts(part)
        return process.memory.proportional_bytes / 1024**2

    def grown(self, part: str) -> float:
        """MiB it has more than idle."""
        return self.memory(part) - self.idle[part]

    def streams(self) -> int:
        """How many streams of stored bytes are open in the service: each has the object open."""
        (process,) = self.service.parts("grpc")
        opened = 0
        for descriptor in Path(f"/proc/{process.pid}/fd").iterdir():
            # It may be closed meanwhile.
            with suppress(FileNotFoundError):
                opened += f"/{self.recording_sid}/" in str(descriptor.readlink())
        return opened

    def play(self) -> requests.Response:
        """An ordinary player: the whole recording, as fast as it comes."""
        url = f"{self.service.http_url}/recordings/{self.recording_sid}/stream"
        return requests.get(url, timeout=PLAY_SECONDS)


@pytest.fixture(scope="module")
def slow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Slow]:
    content = MAGIC + os.urandom(SIZE_BYTES)
    with TwilioStandIn(account_sid=ACCOUNT_SID, auth_token="a-token-of-the-tests") as twilio:
        sid = twilio.add_recording(body=content).recording_sid
        folder = tmp_path_factory.mktemp("slow")
        with running_service(folder, twilio, RECORDING_TIME_SCALE="0.25") as service:
            service.enqueue(sid)
            service.ready(sid)
            running = Slow(service, sid, content)
            assert running.play().content == content
            yield running


def _settled(crowd: SlowCrowd, held: int) -> None:
    """Returns once so many hang; who is refused meanwhile is refused as it should be."""
    eventually(lambda: crowd.counts().held == held, within=SETTLE_SECONDS, what=f"{held} slow clients")
    assert set(crowd.refusals) <= {503, grpc.StatusCode.RESOURCE_EXHAUSTED.value[0]}


def _others_are_served(slow: Slow) -> None:
    """Metadata, an enqueue that ends READY, and a webhook's endpoint, as fast as ever."""
    looks, enqueues = [], []
    for number in range(CALLS):
        began = time.monotonic()
        slow.service.get(slow.recording_sid)
        looks.append(time.monotonic() - began)
        sid = slow.twilio.add_recording(body=MAGIC + os.urandom(10_000)).recording_sid
        began = time.monotonic()
        answer = slow.service.enqueue(sid)
        enqueues.append(time.monotonic() - began)
        assert answer.reason in RUNG
        if number == 0:
            slow.service.ready(sid)
    assert median(looks) < CALL_SECONDS
    assert median(enqueues) < CALL_SECONDS
    began = time.monotonic()
    assert requests.get(f"{slow.service.http_url}/readyz", timeout=PLAY_SECONDS).status_code == 200
    assert time.monotonic() - began < CALL_SECONDS


def test_500_players_that_hang_hold_bounded_memory_and_no_stream(slow: Slow) -> None:
    with slow_http_clients(slow.service.http_url, slow.recording_sid, CLIENTS) as crowd:
        _settled(crowd, CLIENTS)
        # Whoever paused has let go of its stream: one more player is served at once, and whole.
        eventually(lambda: slow.play().status_code == 200, within=SETTLE_SECONDS)
        began = time.monotonic()
        assert slow.play().content == slow.content
        assert time.monotonic() - began < PLAY_SECONDS
        _others_are_served(slow)
        assert slow.grown("http") < HTTP_MEMORY_MIB
        assert slow.grown("grpc") < GRPC_MEMORY_MIB
        # Nobody was cut for it: they are paused, and may go on.
        assert crowd.counts().held == CLIENTS


@pytest.mark.parametrize(
    ("streams_a_connection", "reads_socket"), [(100, True), (1, True), (1, False)], ids=["shared", "own", "unread"]
)
def test_500_slow_calls_hold_what_streams_there_are_until_the_sweep_cuts_them(
    slow: Slow, streams_a_connection: int, reads_socket: bool
) -> None:
    # Of those who have left a moment ago some streams are still being ended: they are none of these.
    eventually(lambda: not slow.streams(), within=SETTLE_SECONDS, what="the end of all streams before")
    began = time.monotonic()
    with slow_grpc_clients(
        slow.service.grpc_address,
        slow.recording_sid,
        CLIENTS,
        account_sid=ACCOUNT_SID,
        streams_a_connection=streams_a_connection,
        reads_socket=reads_socket,
    ) as crowd:
        refused = eventually(lambda: crowd.refusals, within=SETTLE_SECONDS, what="a refusal")
        assert set(refused) == {grpc.StatusCode.RESOURCE_EXHAUSTED.value[0]}
        _a_further_stream_is_refused_with_a_time_to_ask_again(slow)
        _others_are_served(slow)
        assert slow.grown("grpc") < GRPC_MEMORY_MIB
        # Those who take nothing, and those who take a byte a second, are cut alike: no chunk is done in time.
        eventually(lambda: slow.play().status_code == 200, within=SETTLE_SECONDS, what="the sweep")
        assert time.monotonic() - began > SWEEP_SECONDS
        assert slow.service.stream(slow.recording_sid) == slow.content
        if reads_socket:
            # The others are not told before they read: nothing gets through to them.
            eventually(lambda: crowd.counts().held == 0, within=SETTLE_SECONDS, what="the end of those that were cut")


def _a_further_stream_is_refused_with_a_time_to_ask_again(slow: Slow) -> None:
    with pytest.raises(grpc.RpcError) as refused:
        slow.service.stream(slow.recording_sid)
    assert error_reason(refused.value) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "CAPACITY_EXHAUSTED")
    status = rpc_status.from_call(refused.value)  # type: ignore[arg-type]
    assert status is not None
    assert any(detail.Is(error_details_pb2.RetryInfo.DESCRIPTOR) for detail in status.details)
    answer = slow.play()
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) >= 1


def test_players_and_calls_mixed_are_500_together(slow: Slow) -> None:
    service = slow.service
    calls, players = 200, CLIENTS - 200
    with (
        slow_grpc_clients(
            service.grpc_address, slow.recording_sid, calls, account_sid=ACCOUNT_SID, streams_a_connection=4
        ) as callers,
        slow_http_clients(service.http_url, slow.recording_sid, players) as crowd,
    ):
        _settled(crowd, players)
        _others_are_served(slow)
        assert slow.grown("http") < HTTP_MEMORY_MIB
        assert slow.grown("grpc") < GRPC_MEMORY_MIB
        eventually(lambda: slow.play().content == slow.content, within=SETTLE_SECONDS, what="a player that is served")
        eventually(lambda: callers.counts().held == 0, within=SETTLE_SECONDS, what="the sweep")
        assert crowd.counts().held == players
