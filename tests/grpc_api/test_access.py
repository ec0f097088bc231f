"""The gate: every method of the server, called by everybody who may and may not."""

import hashlib
import threading
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health, health_pb2
from grpc_reflection.v1alpha import reflection, reflection_pb2, reflection_pb2_grpc

from recording_service.core import errors
from recording_service.core.callers import Caller, CallerLimits, Scope
from recording_service.core.enqueueing import EnqueueResult
from recording_service.core.model import CallDetails, EnqueueReason
from recording_service.grpc_api.access import SCOPES
from recording_service.grpc_api.credentials import CallerCredentials
from recording_service.grpc_api.methods import SERVICE
from recordings.v1 import (
    deletion_pb2,
    enqueue_pb2,
    lookup_pb2,
    playback_url_pb2,
    results_pb2,
    stream_pb2,
    watch_pb2,
)
from tests.support.grpc_server import RunningServer, refused, running_server
from tests.support.grpc_service import ACCOUNT, RECORDING, FakeRecordingService, recording
from tests.support.waiting import eventually

FOREIGN = "AC" + "f" * 32
CODE = grpc.StatusCode

#: A request of every method that would be answered, but for the caller.
REQUESTS: dict[str, Any] = {
    "EnqueueRecording": enqueue_pb2.EnqueueRecordingRequest(account_sid=ACCOUNT, recording_sid=RECORDING),
    "BatchEnqueueRecordings": enqueue_pb2.BatchEnqueueRecordingsRequest(
        requests=[enqueue_pb2.EnqueueRecordingRequest(account_sid=ACCOUNT, recording_sid=RECORDING)]
    ),
    "ReportRecordingUnavailable": enqueue_pb2.ReportRecordingUnavailableRequest(
        account_sid=ACCOUNT, recording_sid=RECORDING, reason=enqueue_pb2.UNAVAILABLE_REASON_ABSENT
    ),
    "GetRecording": lookup_pb2.GetRecordingRequest(account_sid=ACCOUNT, recording_sid=RECORDING),
    "ListRecordings": lookup_pb2.ListRecordingsRequest(),
    "WatchRecording": watch_pb2.WatchRecordingRequest(account_sid=ACCOUNT, recording_sid=RECORDING),
    "WatchRecordings": watch_pb2.WatchRecordingsRequest(),
    "StreamRecording": stream_pb2.StreamRecordingRequest(account_sid=ACCOUNT, recording_sid=RECORDING),
    "CreatePlaybackUrl": playback_url_pb2.CreatePlaybackUrlRequest(account_sid=ACCOUNT, recording_sid=RECORDING),
    "GetWaveform": results_pb2.GetWaveformRequest(account_sid=ACCOUNT, recording_sid=RECORDING),
    "GetTranscript": results_pb2.GetTranscriptRequest(account_sid=ACCOUNT, recording_sid=RECORDING),
    "DeleteRecording": deletion_pb2.DeleteRecordingRequest(account_sid=ACCOUNT, recording_sid=RECORDING),
}

#: Every method of the server that is not the contract's: how it is called, and what it takes.
OTHER_METHODS = (
    "/grpc.health.v1.Health/Check",
    "/grpc.health.v1.Health/Watch",
    "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
    "/recordings.v1.RecordingService/NoSuchMethod",
    "/no.such.Service/AtAll",
)


def credentials(name: str, *scopes: Scope, account_sids: frozenset[str] | None, **limits: Any) -> CallerCredentials:
    """A caller whose token is its name."""
    caller = Caller(name, frozenset(scopes), account_sids, CallerLimits(**limits))
    return CallerCredentials(caller, (hashlib.sha256(name.encode()).hexdigest(),))


OWN = frozenset({ACCOUNT})
KNOWN = (
    credentials("everything", *Scope, account_sids=OWN),
    credentials("operator", *Scope, account_sids=None),
    credentials("enqueue", Scope.ENQUEUE, account_sids=OWN),
    credentials("read", Scope.READ, account_sids=OWN),
    credentials("manage", Scope.MANAGE, account_sids=OWN),
    credentials("foreign", *Scope, account_sids=frozenset({FOREIGN})),
    credentials("hurried", *Scope, account_sids=OWN, requests_per_second=1.0),
    credentials("listener", *Scope, account_sids=OWN, streams=2),
)


@pytest.fixture
def guarded(service: FakeRecordingService) -> Iterator[RunningServer]:
    service.content = b"x" * (recording().size_bytes or 0)
    with running_server(service, callers=KNOWN, reflection=True) as running:
        yield running


def bearing(token: str) -> tuple[tuple[str, str], ...]:
    return (("authorization", f"Bearer {token}"),)


def call(server: RunningServer, method: str, metadata: tuple[tuple[str, Any], ...], request: Any = None) -> Any:
    """Calls a method of the contract and reads its first response."""
    answer = getattr(server.stub, method)(request or REQUESTS[method], metadata=metadata, timeout=10)
    return next(answer) if SERVICE.methods_by_name[method].server_streaming else answer


def call_any(server: RunningServer, path: str, metadata: tuple[tuple[str, Any], ...]) -> Any:
    """Calls any method there may be, with an empty request, as whoever probes a server would."""
    if path.endswith("ServerReflectionInfo"):
        stub: Any = reflection_pb2_grpc.ServerReflectionStub(server.channel)
        asked = reflection_pb2.ServerReflectionRequest(list_services="")
        return next(stub.ServerReflectionInfo(iter([asked]), metadata=metadata, timeout=10))
    if path.endswith("/Watch"):
        return next(server.health.Watch(health_pb2.HealthCheckRequest(), metadata=metadata, timeout=10))
    raw = server.channel.unary_unary(path, request_serializer=bytes, response_deserializer=bytes)
    return raw(b"", metadata=metadata, timeout=10)


def reached(server: RunningServer) -> list[str]:
    """The use cases that a call has come to; the server looks at its own health all the time."""
    return [name for name, _ in server.service.calls if name != "health"]


def test_every_method_of_the_contract_has_a_scope_and_is_called_here() -> None:
    methods = {f"/{SERVICE.full_name}/{method.name}" for method in SERVICE.methods}

    assert {path for path in SCOPES if path.startswith(f"/{SERVICE.full_name}/")} == methods
    assert set(REQUESTS) == {method.name for method in SERVICE.methods}
    assert f"/{reflection.SERVICE_NAME}/ServerReflectionInfo" in SCOPES
    assert health.SERVICE_NAME in {path.split("/")[1] for path in OTHER_METHODS}


WRONG: list[tuple[tuple[str, Any], ...]] = [
    (),
    bearing("nobody"),
    bearing(""),
    bearing("everything "),
    bearing(hashlib.sha256(b"everything").hexdigest()),
    (("authorization", "everything"),),
    (("authorization", "Basic ZXZlcnl0aGluZw=="),),
    (("authorization", "Bearer" + " everything"), ("authorization", "Bearer everything")),
    bearing("x" * 5000),
]


@pytest.mark.parametrize("metadata", WRONG, ids=lambda metadata: str(metadata)[:60])
@pytest.mark.parametrize("method", REQUESTS)
def test_without_good_credentials_nothing_is_answered(
    guarded: RunningServer, method: str, metadata: tuple[tuple[str, Any], ...]
) -> None:
    found = refused(lambda: call(guarded, method, metadata))

    assert (found.code, found.reason, found.metadata) == (CODE.UNAUTHENTICATED, "UNAUTHENTICATED", {})
    assert reached(guarded) == []


def test_nobody_unknown_has_a_request_read_and_kept(guarded: RunningServer) -> None:
    held = threading.Event()

    def never() -> Iterator[bytes]:
        held.wait(20)
        yield b""

    call = guarded.channel.stream_unary(
        f"/{SERVICE.full_name}/GetRecording", request_serializer=bytes, response_deserializer=bytes
    )
    try:
        # Not one byte of a request has come, and it is answered.
        assert refused(lambda: call(never(), timeout=10)).code is CODE.UNAUTHENTICATED
    finally:
        held.set()


def test_whoever_may_not_read_is_told_nothing_by_enqueueing_what_is_there(guarded: RunningServer) -> None:
    full = recording(call=CallDetails(from_number="+15550001", labels={"case": "1"}))
    guarded.service.answers["enqueue"] = EnqueueResult(EnqueueReason.CACHED, full)
    guarded.service.answers["enqueue_batch"] = lambda _: [EnqueueResult(EnqueueReason.CACHED, full)]
    guarded.service.answers["report_unavailable"] = full

    for name, is_told in (("enqueue", False), ("everything", True)):
        answers = [
            call(guarded, "EnqueueRecording", bearing(name)).recording,
            call(guarded, "BatchEnqueueRecordings", bearing(name)).results[0].recording,
            call(guarded, "ReportRecordingUnavailable", bearing(name)).recording,
        ]
        assert [bool(answer.from_number or answer.labels) for answer in answers] == [is_told] * 3
        assert all(answer.recording_sid == RECORDING for answer in answers)


@pytest.mark.parametrize("metadata", [(), bearing("nobody")])
@pytest.mark.parametrize("path", OTHER_METHODS)
def test_health_reflection_and_what_there_is_not_are_behind_the_gate_too(
    guarded: RunningServer, path: str, metadata: tuple[tuple[str, str], ...]
) -> None:
    assert refused(lambda: call_any(guarded, path, metadata)).code is CODE.UNAUTHENTICATED


@pytest.mark.parametrize("path", OTHER_METHODS[:2])
def test_whoever_is_known_may_ask_for_the_health(guarded: RunningServer, path: str) -> None:
    assert call_any(guarded, path, bearing("enqueue"))


@pytest.mark.parametrize("path", OTHER_METHODS[3:])
def test_a_method_that_there_is_not_is_told_to_whoever_is_known(guarded: RunningServer, path: str) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        call_any(guarded, path, bearing("read"))
    error: Any = caught.value
    assert error.code() is CODE.UNIMPLEMENTED


def test_reflection_takes_the_scope_manage(guarded: RunningServer) -> None:
    assert refused(lambda: call_any(guarded, OTHER_METHODS[2], bearing("read"))).reason == "SCOPE_MISSING"
    assert call_any(guarded, OTHER_METHODS[2], bearing("manage"))


@pytest.mark.parametrize("scope", Scope)
@pytest.mark.parametrize("method", REQUESTS)
def test_a_scope_opens_its_own_methods_and_no_other(guarded: RunningServer, method: str, scope: Scope) -> None:
    needed = SCOPES[f"/{SERVICE.full_name}/{method}"]
    if scope is needed:
        assert call(guarded, method, bearing(scope.value)) is not None
        return

    found = refused(lambda: call(guarded, method, bearing(scope.value)))

    assert (found.code, found.reason, found.metadata) == (CODE.PERMISSION_DENIED, "SCOPE_MISSING", {"scope": needed})
    assert reached(guarded) == []


@pytest.mark.parametrize("method", ["EnqueueRecording", "ReportRecordingUnavailable"])
def test_asking_for_another_accounts_recording_is_denied_before_anything_is_looked_up(
    guarded: RunningServer, method: str
) -> None:
    found = refused(lambda: call(guarded, method, bearing("foreign")))

    assert (found.code, found.reason) == (CODE.PERMISSION_DENIED, "ACCOUNT_NOT_ALLOWED")
    assert RECORDING not in found.everything
    assert reached(guarded) == []


def test_an_item_of_another_account_is_denied_without_failing_the_batch(guarded: RunningServer) -> None:
    guarded.service.answers["enqueue_batch"] = lambda wishes: [
        EnqueueResult(EnqueueReason.ENQUEUED, recording()) for _ in wishes
    ]
    items = [
        enqueue_pb2.EnqueueRecordingRequest(account_sid=account, recording_sid=RECORDING)
        for account in (FOREIGN, ACCOUNT)
    ]
    request = enqueue_pb2.BatchEnqueueRecordingsRequest(requests=items)

    answer = call(guarded, "BatchEnqueueRecordings", bearing("everything"), request)

    assert [result.reason for result in answer.results] == [
        enqueue_pb2.ENQUEUE_REASON_ERROR,
        enqueue_pb2.ENQUEUE_REASON_ENQUEUED,
    ]
    assert answer.results[0].error.reason == "ACCOUNT_NOT_ALLOWED"
    assert not answer.results[0].HasField("recording")
    ((wishes,),) = guarded.service.asked("enqueue_batch")
    assert [wish.key.account_sid for wish in wishes] == [ACCOUNT]


TARGETED = {
    "GetRecording": "get",
    "WatchRecording": "watch",
    "StreamRecording": "open_range",
    "CreatePlaybackUrl": "get",
    "GetWaveform": "waveform",
    "GetTranscript": "transcript",
    "DeleteRecording": "delete",
}


@pytest.mark.parametrize("method", TARGETED)
def test_whose_recordings_exist_for_the_caller_is_told_to_the_core(guarded: RunningServer, method: str) -> None:
    guarded.service.answers[TARGETED[method]] = errors.RecordingNotFound(RECORDING)

    refused(lambda: call(guarded, method, bearing("foreign")))
    refused(lambda: call(guarded, method, bearing("operator")))

    foreign, operator = (arguments[0] for arguments in guarded.service.asked(TARGETED[method]))
    assert foreign.permitted == {FOREIGN}
    assert foreign.key is None
    assert operator.permitted is None


def test_a_list_has_nothing_of_other_accounts(guarded: RunningServer) -> None:
    asked = lookup_pb2.ListRecordingsRequest(account_sids=[ACCOUNT])

    assert not call(guarded, "ListRecordings", bearing("foreign"), asked).recordings
    assert guarded.service.asked("list") == []
    call(guarded, "ListRecordings", bearing("foreign"))
    assert guarded.service.asked("list")[0][0].account_sids == {FOREIGN}


def test_a_watched_list_is_narrowed_to_the_callers_accounts(guarded: RunningServer) -> None:
    elsewhere = watch_pb2.WatchRecordingsRequest(account_sids=[ACCOUNT])

    for request in (None, elsewhere):
        assert call(guarded, "WatchRecordings", bearing("foreign"), request).snapshot_complete
    call(guarded, "WatchRecordings", bearing("operator"))

    own, nothing, everything = (matching for matching, _ in guarded.service.asked("watch_many"))
    assert own.account_sids == {FOREIGN}
    assert not nothing.matches(recording())
    assert not nothing.matches(recording(account_sid=FOREIGN))
    assert everything.account_sids == frozenset()


def test_the_feed_of_events_is_narrowed_to_the_callers_accounts(guarded: RunningServer) -> None:
    for caller, account_sids in (("foreign", []), ("foreign", [ACCOUNT]), ("operator", [])):
        request = watch_pb2.WatchRecordingsRequest(account_sids=account_sids, after_revision=0)
        # Refused by the core, so that there is an answer.
        assert refused(partial(call, guarded, "WatchRecordings", bearing(caller), request)).reason == "REVISION_PRUNED"

    own, nothing, everything = (matching for matching, _ in guarded.service.asked("watch_events"))
    assert own.account_sids == {FOREIGN}
    assert nothing.account_sids == {""}
    assert everything.account_sids == frozenset()


def test_a_caller_that_asks_too_often_is_told_when_to_ask_again(guarded: RunningServer) -> None:
    ask: Callable[[], Any] = lambda: call(guarded, "GetRecording", bearing("hurried"))  # noqa: E731
    for _ in range(2):
        ask()

    found = refused(ask)

    assert (found.code, found.reason) == (CODE.RESOURCE_EXHAUSTED, "CALLER_LIMIT_EXCEEDED")
    assert found.retry_seconds is not None
    assert 0 < found.retry_seconds <= 1
    # Whoever else calls has its own measure.
    assert call(guarded, "GetRecording", bearing("read"))


def test_a_caller_has_so_many_streams_and_watches_at_once_and_others_theirs(guarded: RunningServer) -> None:
    watches = [guarded.stub.WatchRecording(REQUESTS["WatchRecording"], metadata=bearing("listener")) for _ in range(2)]
    for watch in watches:
        next(watch)

    found = refused(lambda: call(guarded, "StreamRecording", bearing("listener")))
    assert (found.code, found.reason) == (CODE.RESOURCE_EXHAUSTED, "CALLER_LIMIT_EXCEEDED")
    assert call(guarded, "StreamRecording", bearing("read"))

    watches[0].cancel()
    eventually(lambda: _answers(guarded), within=10, what="the slot that the ended watch gives back")
    watches[1].cancel()


def _answers(server: RunningServer) -> bool:
    try:
        return call(server, "StreamRecording", bearing("listener")) is not None
    except grpc.RpcError:
        return False


def test_where_no_caller_is_known_everyone_may_do_everything(server: RunningServer) -> None:
    server.service.content = b"x" * (recording().size_bytes or 0)

    for method in REQUESTS:
        assert call(server, method, ()) is not None
    assert call(server, "GetRecording", bearing("whatever"))


def test_where_credentials_are_needed_and_nobody_has_any_nobody_gets_in(service: FakeRecordingService) -> None:
    with running_server(service, callers=()) as running:
        assert refused(lambda: call(running, "GetRecording", ())).code is CODE.UNAUTHENTICATED
        assert refused(lambda: call(running, "GetRecording", bearing("everything"))).code is CODE.UNAUTHENTICATED
