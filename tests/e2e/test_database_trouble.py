"""What is promised while the catalogue's database is locked, gone or hung (reliability.md B3 #32), and afterwards."""

import signal
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from functools import partial
from pathlib import Path

import grpc
import pytest

from recording_service.twilio_stand_in.server import TwilioStandIn
from recordings.v1 import enqueue_pb2
from tests.support.postgresql_server import PostgresqlServer
from tests.support.running_service import RunningService, error_reason, seconds_since
from tests.support.waiting import eventually

Start = Callable[..., AbstractContextManager[RunningService]]

#: How long the trouble lasts, in seconds.
TROUBLE_SECONDS = 30.0
#: Within what any call is answered, in seconds; a webhook sooner (design.md §4).
CALL_BOUND_SECONDS, WEBHOOK_BOUND_SECONDS = 15.0, 5.0
#: Within what everything goes on afterwards, in seconds (docs/reliability.md).
RECOVERY_SECONDS = 75.0


def refusal_of(call: Callable[[], object]) -> grpc.StatusCode | None:
    """The code with which a call was refused; None if it was answered."""
    try:
        call()
    except grpc.RpcError as error:
        return error_reason(error)[0]
    return None


class InTrouble:
    """A service with a recording stored, one that a worker is in the middle of, and some that wait for it."""

    def __init__(self, service: RunningService) -> None:
        self.service = service
        self.twilio = service.twilio
        self.stored = self.twilio.add_recording(duration=2).recording_sid
        service.enqueue(self.stored)
        service.ready(self.stored)
        self.held = self.twilio.add_recording(duration=10).recording_sid
        self._gate = self.twilio.hold(self.held, after=1000)
        service.enqueue(self.held)
        self._gate.wait_reached()
        self.queued = [self.twilio.add_recording(duration=2).recording_sid for _ in range(5)]
        for recording_sid in self.queued:
            service.enqueue(recording_sid)
        #: What Twilio and back ends ask for meanwhile, and ask for again afterwards as they do.
        self.refused: list[str] = []
        self._processes = set(service.parts())

    def refuses_in_time(self) -> None:
        """Enqueues by every way: each is an error, and in time."""
        for _ in range(2):
            self.refused.append(self.twilio.add_recording(duration=2).recording_sid)
            started = time.monotonic()
            with pytest.raises(grpc.RpcError) as refusal:
                self.service.enqueue(self.refused[-1])
            assert seconds_since(started) < CALL_BOUND_SECONDS
            assert error_reason(refusal.value) == (grpc.StatusCode.UNAVAILABLE, "ENQUEUE_FAILED")
        self.refused.append(self.twilio.add_recording(duration=2).recording_sid)
        started = time.monotonic()
        answer = self.twilio.send_webhook(f"{self.service.http_url}/webhooks/twilio/recording-status", self.refused[-1])
        assert answer.status == 500
        assert seconds_since(started) < WEBHOOK_BOUND_SECONDS

    def refuses_many_at_once_in_time(self) -> None:
        """Many callers at once: none waits for all the others."""
        took: list[float] = []

        def ask(recording_sid: str) -> None:
            started = time.monotonic()
            with pytest.raises(grpc.RpcError):
                self.service.enqueue(recording_sid)
            took.append(seconds_since(started))

        asked = [self.twilio.add_recording(duration=2).recording_sid for _ in range(40)]
        threads = [threading.Thread(target=ask, args=(recording_sid,)) for recording_sid in asked]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(2 * CALL_BOUND_SECONDS)
        self.refused += asked
        assert len(took) == len(asked)
        assert max(took) < CALL_BOUND_SECONDS

    def answers_reads_in_time(self) -> None:
        """A read is answered or refused, in time."""
        started = time.monotonic()
        refusal = refusal_of(lambda: self.service.get(self.stored))
        assert refusal in (None, grpc.StatusCode.UNAVAILABLE)
        assert seconds_since(started) < CALL_BOUND_SECONDS

    def download_ends(self) -> None:
        """The bytes of the one in mid download have all come."""
        self._gate.release()
        self.twilio.wait_for_requests(1, recording_sid=self.held, finished=True)

    def recovers(self) -> None:
        """Everything goes on by itself, nothing is lost, and no finished download was for nothing."""
        began = time.monotonic()
        for recording_sid in [self.held, *self.queued]:
            self.service.ready(recording_sid, within=RECOVERY_SECONDS)
        assert seconds_since(began) < RECOVERY_SECONDS
        for recording_sid in self.refused:
            asked_again = self.service.enqueue(recording_sid)
            assert asked_again.reason != enqueue_pb2.ENQUEUE_REASON_ERROR
            self.service.ready(recording_sid, within=RECOVERY_SECONDS)
        fetched = [request.recording_sid for request in self.twilio.requests]
        for recording_sid in [self.stored, self.held, *self.queued, *self.refused]:
            assert fetched.count(recording_sid) == 1, recording_sid
            assert self.service.stream(recording_sid) == self.twilio.media(recording_sid)
        assert self.service.get(self.held).failures == 0
        assert set(self.service.parts()) == self._processes, "a part was started again"


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """What another process does that writes to the file and does not come to an end."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("ROLLBACK")


def test_an_sqlite_file_that_is_locked_for_long_costs_honest_errors_and_time_only(start_service: Start) -> None:
    with start_service(RECORDING_WORKERS="1", RECORDING_TIME_SCALE="1") as service:
        trouble = InTrouble(service)
        with locked(service.data_dir / "catalogue.sqlite3"):
            began = time.monotonic()
            trouble.refuses_in_time()
            # Readers don't wait for writers.
            assert service.stream(trouble.stored) == service.twilio.media(trouble.stored)
            trouble.download_ends()
            trouble.refuses_many_at_once_in_time()
            trouble.answers_reads_in_time()
            eventually(lambda: seconds_since(began) > TROUBLE_SECONDS, within=60.0, what="the end of the lock")
        trouble.recovers()


def has(taken: list[str], wanted: int) -> bool:
    """Whether so many were taken on."""
    return len(taken) >= wanted


@pytest.fixture
def postgresql() -> Iterator[PostgresqlServer]:
    """A server of the test's own."""
    with PostgresqlServer() as server:
        yield server


def test_a_postgresql_that_is_killed_and_comes_back_costs_honest_errors_and_time_only(
    start_service: Start, postgresql: PostgresqlServer
) -> None:
    with start_service(
        RECORDING_WORKERS="1", RECORDING_TIME_SCALE="1", RECORDING_DATABASE_URL=postgresql.url
    ) as service:
        trouble = InTrouble(service)
        postgresql.kill()
        trouble.refuses_in_time()
        trouble.answers_reads_in_time()
        trouble.download_ends()
        trouble.refuses_many_at_once_in_time()
        postgresql.start()
        trouble.recovers()


def test_a_postgresql_that_hangs_costs_honest_errors_and_time_only(
    start_service: Start, postgresql: PostgresqlServer
) -> None:
    with start_service(
        RECORDING_WORKERS="1", RECORDING_TIME_SCALE="1", RECORDING_DATABASE_URL=postgresql.url
    ) as service:
        trouble = InTrouble(service)
        postgresql.signal(signal.SIGSTOP)  # connections stay open, and nothing answers
        try:
            trouble.refuses_in_time()
            trouble.answers_reads_in_time()
            trouble.download_ends()
            trouble.refuses_many_at_once_in_time()
        finally:
            postgresql.signal(signal.SIGCONT)
        trouble.recovers()


def test_a_postgresql_that_is_restarted_again_and_again_loses_nothing_that_was_taken_on(
    start_service: Start, postgresql: PostgresqlServer, twilio: TwilioStandIn
) -> None:
    with start_service(RECORDING_WORKERS="2", RECORDING_DATABASE_URL=postgresql.url) as service:
        processes = set(service.parts())
        stop = threading.Event()
        taken: list[str] = []
        refusals: set[grpc.StatusCode] = set()

        def ask() -> None:
            while not stop.is_set():
                recording_sid = twilio.add_recording(duration=1).recording_sid
                refusal = refusal_of(partial(service.enqueue, recording_sid))
                if refusal is None:
                    taken.append(recording_sid)
                else:
                    refusals.add(refusal)
                    stop.wait(0.2)

        thread = threading.Thread(target=ask)
        thread.start()
        try:
            for _ in range(4):
                wanted = len(taken) + 3
                eventually(partial(has, taken, wanted), what="calls that are answered again")
                postgresql.restart()
        finally:
            stop.set()
            thread.join(CALL_BOUND_SECONDS)
        assert len(taken) >= 12
        assert refusals <= {grpc.StatusCode.UNAVAILABLE}
        for recording_sid in taken:
            service.ready(recording_sid, within=RECOVERY_SECONDS)
        assert set(service.parts()) == processes, "a part was started again"
