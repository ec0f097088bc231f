"""The outage this service was made after, on the real RQ, Redis, database, gRPC server and HTTP adapter.

RQ got `retry=3`, every enqueue raised, the dedup key had been set before, and the API said 200 "already queued".
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import pytest
import rq
from redis import Redis
from rq.job import Job
from rq.serializers import JSONSerializer

from recording_service.adapters.disk_storage.storage import DiskStorage
from recording_service.adapters.memory.changes import MemoryChangeFeed
from recording_service.adapters.redis_client import api_client
from recording_service.adapters.rq_queue import queue as rq_queue
from recording_service.adapters.rq_queue.job import RETRY
from recording_service.adapters.rq_queue.queue import RqBellQueue
from recording_service.adapters.sql_catalogue.catalogue import SqlCatalogue
from recording_service.core.clock import SystemClock
from recording_service.core.requests import RequestChecker
from recording_service.core.service import RecordingService
from recording_service.grpc_api.server import RecordingGrpcServer
from recording_service.grpc_api.settings import GrpcServerSettings
from recording_service.http_api.settings import HttpSettings
from recording_service.twilio_stand_in.server import TwilioStandIn
from recordings.v1 import enqueue_pb2, lookup_pb2, recording_pb2, recording_service_pb2_grpc
from tests.http_api.running_app import running_app
from tests.support.grpc_server import signer
from tests.support.redis_server import RedisServer
from tests.support.running_service import ACCOUNT_SID, AUTH_TOKEN, error_reason

ENQUEUED = enqueue_pb2.ENQUEUE_REASON_ENQUEUED
DUPLICATE = enqueue_pb2.ENQUEUE_REASON_DUPLICATE


@dataclass
class Front:
    """A service without workers or dispatcher: what it answers is all there is."""

    stub: Any
    http_url: str
    redis: RedisServer
    client: Redis
    twilio: "_SignsFor"

    def enqueue(self, recording_sid: str) -> int:
        """The reason of an answer that is OK; grpc.RpcError for any other."""
        request = enqueue_pb2.EnqueueRecordingRequest(account_sid=ACCOUNT_SID, recording_sid=recording_sid)
        reason: int = self.stub.EnqueueRecording(request, timeout=10).reason
        return reason

    def webhook(self, recording_sid: str) -> int:
        """The HTTP status of a `completed` webhook."""
        url = f"{self.http_url}/webhooks/twilio/recording-status"
        status: int = self.twilio.send_webhook(url, recording_sid).status
        return status


@pytest.fixture
def front(tmp_path: Path, twilio: TwilioStandIn) -> Iterator[Front]:
    """The service in this process, so that RQ can be made to fail as it failed then."""
    with ExitStack() as stack:
        redis = RedisServer(tmp_path / "redis", append_only=False)
        stack.enter_context(redis)
        client = stack.enter_context(closing(api_client(redis.url)))
        service = RecordingService(
            catalogue=stack.enter_context(closing(SqlCatalogue.open(f"sqlite:///{tmp_path}/catalogue.sqlite3"))),
            queue=stack.enter_context(closing(RqBellQueue(api_client(redis.url)))),
            storage=stack.enter_context(closing(DiskStorage.at(tmp_path / "recordings"))),
            changes=MemoryChangeFeed(),
            clock=SystemClock(),
        )
        stack.enter_context(closing(service))
        checker = RequestChecker(account_sids={ACCOUNT_SID}, source_hosts={"127.0.0.1"})
        server = RecordingGrpcServer(service, checker, signer(), GrpcServerSettings(address="127.0.0.1:0"))
        target = f"127.0.0.1:{server.start()}"
        stack.callback(server.stop, 0)
        channel = stack.enter_context(grpc.insecure_channel(target))
        public_url = "http://recordings.example"
        settings = HttpSettings(grpc_target=target, public_url=public_url, auth_tokens={ACCOUNT_SID: (AUTH_TOKEN,)})
        http = stack.enter_context(running_app(settings))
        stub = recording_service_pb2_grpc.RecordingServiceStub(channel)
        yield Front(stub, f"http://127.0.0.1:{http.port}", redis, client, _SignsFor(twilio, public_url))


class _SignsFor:
    """Sends webhooks as Twilio does behind a proxy: signed for the public URL, whatever the address."""

    def __init__(self, twilio: TwilioStandIn, public_url: str) -> None:
        self._twilio = twilio
        self._public_url = public_url

    def add_recording(self) -> str:
        return self._twilio.add_recording(duration=1).recording_sid

    def send_webhook(self, url: str, recording_sid: str) -> Any:
        signed_url = self._public_url + "/" + url.split("/", 3)[3]
        return self._twilio.send_webhook(url, recording_sid, signed_url=signed_url)


def retry_is_a_number(front: Front, monkeypatch: pytest.MonkeyPatch) -> None:
    """The founding bug itself: RQ's own AttributeError, raised by RQ."""
    monkeypatch.setattr(rq_queue, "RETRY", 3)


def rq_raises(error: Exception) -> Callable[[Front, pytest.MonkeyPatch], None]:
    """RQ raises it when it makes the job."""

    def fail(front: Front, monkeypatch: pytest.MonkeyPatch) -> None:
        def create_job(*_: Any, **__: Any) -> Job:
            raise error

        monkeypatch.setattr(rq.Queue, "create_job", create_job)

    return fail


def redis_is_full(front: Front, monkeypatch: pytest.MonkeyPatch) -> None:
    """Redis answers "OOM command not allowed"."""
    front.client.config_set("maxmemory-policy", "noeviction")
    front.client.config_set("maxmemory", "1")
    monkeypatch.setattr(front, "mend", lambda: front.client.config_set("maxmemory", "0"), raising=False)


def redis_is_gone(front: Front, monkeypatch: pytest.MonkeyPatch) -> None:
    """Connections are refused."""
    front.redis.kill()
    monkeypatch.setattr(front, "mend", front.redis.start, raising=False)


def redis_is_deaf(front: Front, monkeypatch: pytest.MonkeyPatch) -> None:
    """Connections stand, and nothing answers."""
    front.redis.freeze()
    monkeypatch.setattr(front, "mend", front.redis.thaw, raising=False)


@pytest.mark.parametrize(
    ("fail", "refusal"),
    [
        (retry_is_a_number, (grpc.StatusCode.INTERNAL, "INTERNAL")),
        (rq_raises(AttributeError("'int' object has no attribute 'max'")), (grpc.StatusCode.INTERNAL, "INTERNAL")),
        (rq_raises(ConnectionError()), (grpc.StatusCode.INTERNAL, "INTERNAL")),
        (rq_raises(TimeoutError()), (grpc.StatusCode.INTERNAL, "INTERNAL")),
        (redis_is_full, (grpc.StatusCode.UNAVAILABLE, "ENQUEUE_FAILED")),
        (redis_is_gone, (grpc.StatusCode.UNAVAILABLE, "ENQUEUE_FAILED")),
        (redis_is_deaf, (grpc.StatusCode.UNAVAILABLE, "ENQUEUE_FAILED")),
    ],
    ids=["retry=3", "AttributeError", "ConnectionError", "TimeoutError", "out of memory", "refused", "black hole"],
)
def test_an_enqueue_that_raises_is_an_error_and_never_a_duplicate(
    front: Front,
    monkeypatch: pytest.MonkeyPatch,
    fail: Callable[[Front, pytest.MonkeyPatch], None],
    refusal: tuple[grpc.StatusCode, str],
) -> None:
    over_grpc, over_http = front.twilio.add_recording(), front.twilio.add_recording()
    with monkeypatch.context() as broken:
        fail(front, broken)
        mend: Callable[[], object] = getattr(front, "mend", lambda: None)
        for _ in range(2):
            with pytest.raises(grpc.RpcError) as refused:
                front.enqueue(over_grpc)
            assert error_reason(refused.value) == refusal
            assert "max" not in str(refused.value), "internal text in a message"
            assert front.webhook(over_http) == 500
        # The row is committed all the same: an error is never a loss.
        request = lookup_pb2.GetRecordingRequest(recording_sid=over_grpc)
        assert front.stub.GetRecording(request).recording.state == recording_pb2.RECORDING_STATE_QUEUED
        mend()

    assert front.enqueue(over_grpc) == ENQUEUED
    assert front.enqueue(over_grpc) == DUPLICATE
    assert front.webhook(over_http) == 200


def test_rq_gets_a_retry_object(front: Front) -> None:
    recording_sid = front.twilio.add_recording()
    assert front.enqueue(recording_sid) == ENQUEUED

    job = Job.fetch(f"{ACCOUNT_SID}-{recording_sid}-1", connection=front.client, serializer=JSONSerializer)

    assert isinstance(RETRY, rq.Retry)
    assert job.retries_left == RETRY.max == 3
    assert job.retry_intervals == [0], "back-off is the catalogue's (reliability.md A2)"
