"""Events of the real service in real processes: delivered at least once whatever dies, and watched without a gap."""

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path

import pytest

from recording_service.twilio_stand_in.server import TwilioStandIn
from recordings import RecordingsClient
from recordings.v1 import deletion_pb2, enqueue_pb2, recording_pb2
from recordings.v1.event_pb2 import EventType
from tests.support.databases import DATABASES, postgresql_schema
from tests.support.event_receiver import SECRET, EventReceiverServer
from tests.support.processes import Process
from tests.support.running_service import ACCOUNT_SID, CALL_SECONDS, RunningService, free_port, running_service, stop
from tests.support.waiting import eventually

Start = Callable[..., AbstractContextManager[RunningService]]

READY, FAILED, DELETED = "recording.ready", "recording.failed", "recording.deleted"
PROCESSED = "recording.processed"
#: How long a delivery may take that is made anew: a lease, at the tests' pace, and a start of Python.
PATIENCE_SECONDS = 40.0


@pytest.fixture
def receiver() -> Iterator[EventReceiverServer]:
    with EventReceiverServer() as receiver:
        yield receiver


def told_to(receiver: EventReceiverServer) -> dict[str, str]:
    """The variables that have events delivered there."""
    return {"RECORDING_EVENTS_URL": receiver.url, "RECORDING_EVENTS_SECRET": SECRET}


def fail(service: RunningService, number: int) -> str:
    """Twilio says that there is no such recording, which is FAILED at once."""
    recording_sid = f"RE{number:032x}"
    request = enqueue_pb2.ReportRecordingUnavailableRequest(
        account_sid=ACCOUNT_SID, recording_sid=recording_sid, reason=enqueue_pb2.UNAVAILABLE_REASON_ABSENT
    )
    service.stub.ReportRecordingUnavailable(request, timeout=CALL_SECONDS)
    return recording_sid


def delete(service: RunningService, recording_sid: str) -> None:
    request = deletion_pb2.DeleteRecordingRequest(account_sid=ACCOUNT_SID, recording_sid=recording_sid)
    service.stub.DeleteRecording(request, timeout=CALL_SECONDS)


def have_come(receiver: EventReceiverServer, recording_sids: list[str], *types: str) -> Callable[[], bool]:
    """Whether these events of each of the recordings have come."""
    return lambda: all(set(types) <= set(receiver.of(recording_sid)) for recording_sid in recording_sids)


# Callbacks


def test_what_becomes_of_a_recording_is_told_signed_to_whoever_is_configured(
    start_service: Start, twilio: TwilioStandIn, receiver: EventReceiverServer
) -> None:
    recording_sid = twilio.add_recording(duration=2).recording_sid
    with start_service(**told_to(receiver)) as service:
        service.enqueue(recording_sid, from_number="+4915112345678", labels={"name": "Somebody"})
        ready = service.ready(recording_sid)
        delete(service, recording_sid)
        absent = fail(service, 1)
        eventually(have_come(receiver, [recording_sid], READY, DELETED))
        eventually(have_come(receiver, [absent], FAILED))
        log = service.log

    assert receiver.refused == []
    data = next(one.body["data"] for one in receiver.callbacks if one.event == (READY, recording_sid))
    assert (data["sha256"], data["size_bytes"]) == (ready.sha256, ready.size_bytes)
    for personal in ("4915112345678", "Somebody"):
        assert personal not in repr(receiver.callbacks)
    assert SECRET.removeprefix("whsec_") not in log
    assert set(receiver.times_come().values()) == {1}


def test_that_a_recording_is_processed_is_told_and_watched_after_that_it_is_ready(
    start_service: Start, twilio: TwilioStandIn, receiver: EventReceiverServer
) -> None:
    recording_sid = twilio.add_recording(duration=2).recording_sid
    with (
        start_service(**told_to(receiver)) as service,
        RecordingsClient(service.grpc_address) as client,
        client.watch_events(after_revision=0) as watch,
    ):
        service.enqueue(recording_sid)
        seen = [message.event for message in (next(watch), next(watch))]
        eventually(have_come(receiver, [recording_sid], READY, PROCESSED))

    assert [event.type for event in seen] == [
        EventType.EVENT_TYPE_RECORDING_READY,
        EventType.EVENT_TYPE_RECORDING_PROCESSED,
    ]
    (data,) = (one.body["data"] for one in receiver.callbacks if one.event == (PROCESSED, recording_sid))
    assert (data["state"], data["processing_state"]) == ("READY", "DONE")


def test_without_a_receiver_no_part_delivers(service: RunningService) -> None:
    assert service.parts("events") == []


@pytest.mark.parametrize("step", ["delivery.after_claim", "delivery.after_answer"])
def test_a_sender_that_is_killed_amid_a_delivery_costs_no_event(
    tmp_path: Path, start_service: Start, receiver: EventReceiverServer, step: str
) -> None:
    failpoints = {
        "RECORDING_FAILPOINTS": f"{step}=kill@2,{step}=kill@5",
        "RECORDING_FAILPOINTS_DIR": str(tmp_path / "f"),
    }
    with start_service(**told_to(receiver), **failpoints) as service:
        absent = [fail(service, number) for number in range(1, 9)]
        eventually(have_come(receiver, absent, FAILED), within=PATIENCE_SECONDS)
        # The last answer may be what the second one dies of.
        eventually(lambda: service.log.count("events has died") == 2, within=PATIENCE_SECONDS)
    # Each try of one event has one name, by which a receiver knows it again.
    assert len(receiver.times_come()) == len(absent)


def test_whatever_is_killed_at_whatever_moment_every_event_is_told(
    start_service: Start, twilio: TwilioStandIn, receiver: EventReceiverServer
) -> None:
    recording_sids = [twilio.add_recording(duration=1).recording_sid for _ in range(12)]
    enough = threading.Event()
    kills: list[Process] = []

    def kill(service: RunningService) -> None:
        """Kills the sender again and again, at whatever it is."""
        while not enough.is_set():
            for part in service.parts("events"):
                if part not in kills:
                    enough.wait(0.13 * (1 + len(kills) % 5))
                    part.kill()
                    kills.append(part)
            enough.wait(0.05)

    with start_service(**told_to(receiver)) as service, ThreadPoolExecutor(1) as pool:
        killing = pool.submit(kill, service)
        try:
            for recording_sid in recording_sids:
                service.enqueue(recording_sid)
                service.ready(recording_sid)
            eventually(lambda: len(kills) >= 5, within=PATIENCE_SECONDS)
        finally:
            enough.set()
        killing.result(30.0)
        eventually(have_come(receiver, recording_sids, READY), within=PATIENCE_SECONDS)
    assert receiver.refused == []


def test_a_receiver_that_is_down_for_a_while_is_told_all_once_it_is_back(
    start_service: Start, receiver: EventReceiverServer
) -> None:
    receiver.answers = [(503, {})]
    with start_service(**told_to(receiver)) as service:
        absent = [fail(service, number) for number in range(1, 6)]
        eventually(have_come(receiver, absent, FAILED), within=PATIENCE_SECONDS)
        eventually(lambda: receiver.requests > 2 * len(absent), within=PATIENCE_SECONDS)
        receiver.answers = [(200, {})]
        before = receiver.times_come()
        eventually(lambda: len(receiver.times_come() - before) == len(absent), within=PATIENCE_SECONDS)
        log = service.log
    assert "the receiver of events answered 503" in log
    assert "Traceback" not in log


def test_a_receiver_that_never_answers_delays_nothing_else(
    start_service: Start, twilio: TwilioStandIn, receiver: EventReceiverServer
) -> None:
    def hang(_: object) -> None:
        receiver.released.wait(60.0)

    receiver.answers = [hang]
    with start_service(**told_to(receiver)) as service:
        for _ in range(10):
            recording_sid = twilio.add_recording(duration=1).recording_sid
            service.enqueue(recording_sid)
            service.ready(recording_sid, within=10.0)
        eventually(lambda: "the receiver of events took too long" in service.log)


# Alone, beside others, and without Redis


@pytest.mark.parametrize("database", DATABASES)
def test_several_senders_share_a_catalogue_and_need_no_redis(
    tmp_path: Path, twilio: TwilioStandIn, receiver: EventReceiverServer, database: str
) -> None:
    with ExitStack() as stack:
        url = "" if database == "sqlite" else stack.enter_context(postgresql_schema())
        variables = {"RECORDING_DATABASE_URL": url, "RECORDING_TIME_SCALE": "0.1"}
        service = stack.enter_context(running_service(tmp_path, twilio, **variables))
        alone = {**service.environment, **told_to(receiver)}
        assert "RECORDING_REDIS_URL" not in alone
        log = stack.enter_context((tmp_path / "events.log").open("wb"))
        senders = []
        for _ in range(3):
            command = [sys.executable, "-m", "recording_service", "events"]
            senders.append(subprocess.Popen(command, env=alone, stdout=log, stderr=log))
            stack.callback(senders[-1].wait)
            stack.callback(senders[-1].kill)
        said = tmp_path / "events.log"
        eventually(lambda: said.read_text().count("events are delivered to") == 3, within=PATIENCE_SECONDS)

        absent = [fail(service, number) for number in range(1, 31)]
        eventually(have_come(receiver, absent, FAILED), within=PATIENCE_SECONDS)

        assert set(receiver.times_come().values()) == {1}
        assert [stop(sender) for sender in senders] == [0, 0, 0], said.read_text()
        assert "Traceback" not in said.read_text()


def test_a_sender_without_a_receiver_says_which_variable_is_missing(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "recording_service", "events"]
    environment = {"RECORDING_DATA_DIR": str(tmp_path / "data")}
    alone = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=30, check=False)
    assert alone.returncode == 78
    assert alone.stderr.startswith("recording-service: RECORDING_EVENTS_URL")


def test_events_from_before_a_receiver_was_configured_are_not_told_and_those_from_the_start_on_are(
    tmp_path: Path, twilio: TwilioStandIn, receiver: EventReceiverServer
) -> None:
    with (
        running_service(tmp_path, twilio, RECORDING_TIME_SCALE="0.1") as service,
        RecordingsClient(service.grpc_address) as client,
    ):
        before = fail(service, 1)
        assert next(client.watch_events(after_revision=0)).recording.recording_sid == before
    with running_service(tmp_path, twilio, RECORDING_TIME_SCALE="0.1", **told_to(receiver)) as service:
        after = fail(service, 2)
        eventually(have_come(receiver, [after], FAILED))
    assert receiver.of(before) == []


# The feed


def test_a_reader_misses_nothing_over_kills_of_the_service_and_restarts_of_its_own(
    start_service: Start, twilio: TwilioStandIn
) -> None:
    recording_sids = [twilio.add_recording(duration=1).recording_sid for _ in range(10)]
    seen: list[tuple[int, str, int]] = []
    wanted = 2 * len(recording_sids)

    def follow(target: str) -> None:
        """Reads a few events at a time, and each time begins anew with what was kept."""
        kept = 0
        while len(seen) < wanted:
            with (
                RecordingsClient(target, resume_attempts=1000, resume_max_backoff=0.2) as client,
                client.watch_events(after_revision=kept, timeout=PATIENCE_SECONDS) as watch,
            ):
                for message in watch:
                    kept = message.after_revision
                    if message.HasField("event"):
                        seen.append((message.event.revision, message.recording.recording_sid, message.event.type))
                    if len(seen) % 3 == 0 or len(seen) == wanted:
                        break

    with start_service() as service, ThreadPoolExecutor(1) as pool:
        following = pool.submit(follow, service.grpc_address)
        for number, recording_sid in enumerate(recording_sids):
            service.enqueue(recording_sid, job=recording_pb2.RECORDING_JOB_DOWNLOAD_ONLY)
            service.ready(recording_sid)
            if number % 3 == 1:
                for part in service.parts("grpc"):
                    part.kill()
                service.wait_until_up()
            delete(service, recording_sid)
        following.result(PATIENCE_SECONDS)

    assert [revision for revision, _, _ in seen] == list(range(1, wanted + 1))
    for recording_sid in recording_sids:
        assert [kind for _, sid, kind in seen if sid == recording_sid] == [
            EventType.EVENT_TYPE_RECORDING_READY,
            EventType.EVENT_TYPE_RECORDING_DELETED,
        ]


def test_events_are_told_and_watched_while_redis_is_away(
    tmp_path: Path, twilio: TwilioStandIn, receiver: EventReceiverServer
) -> None:
    nowhere = {"RECORDING_REDIS_URL": f"redis://127.0.0.1:{free_port()}", "RECORDING_TIME_SCALE": "0.1"}
    with (
        running_service(tmp_path, twilio, **nowhere, **told_to(receiver)) as service,
        RecordingsClient(service.grpc_address) as client,
        client.watch_events(after_revision=0) as watch,
    ):
        absent = [fail(service, number) for number in (1, 2)]
        assert [next(watch).recording.recording_sid for _ in absent] == absent
        eventually(have_come(receiver, absent, FAILED))
