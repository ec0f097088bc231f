"""The world of one scenario: the real service in processes of its own, and everything it stands on, ready to fail."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import grpc
import requests
from grpc_health.v1.health_pb2 import HealthCheckRequest
from grpc_health.v1.health_pb2_grpc import HealthStub

from recording_service.adapters.parent_death import bound_to_this_process
from recording_service.twilio_stand_in.server import TwilioStandIn
from tests.faults.callers import Callers
from tests.faults.catalogue_view import CatalogueView, failures_of
from tests.faults.history import Answer, History
from tests.faults.proxy import TcpProxy
from tests.faults.redis_process import RedisProcess
from tests.faults.secrets import AUTH_TOKEN, REDIS_PASSWORD, url_with_password
from tests.faults.shelf_view import ShelfView
from tests.support.postgresql_server import PostgresqlServer
from tests.support.processes import ServeProcesses
from tests.support.running_service import free_port
from tests.support.waiting import eventually

ACCOUNT_SID = "AC" + "f" * 32
#: Promised for default clocks (design.md §2, issue 3), in seconds.
RECOVERY_SECONDS = 75.0
#: What does not get faster with the clocks: processes start, Redis loads, a busy machine is late.
ALLOWANCE_SECONDS = 20.0
#: How long `serve` may take to be up on a busy machine, in seconds.
START_SECONDS = 60.0


class World:
    """One scenario's world. For the scenario's thread; `history` and `callers` are for any."""

    def __init__(
        self,
        folder: Path,
        seed: int,
        *,
        time_scale: float,
        database: str = "sqlite",
        append_only: bool = True,
        variables: Mapping[str, str] | None = None,
    ) -> None:
        self.folder = folder
        self.seed = seed
        self.time_scale = time_scale
        self.chance = random.Random(seed)
        self.history = History()
        self._cannot_be_had: set[str] = set()
        #: When the last fault was over, on the monotonic clock; 0 as long as there was none.
        self._mended_at = 0.0
        #: How long after that everything had come to an end, once it has.
        self._recovered_after: float | None = None
        self._stack = ExitStack()
        try:
            self._start(database, append_only, variables or {})
        except BaseException:
            self.close()
            raise

    def _start(self, database: str, append_only: bool, variables: Mapping[str, str]) -> None:
        self.twilio = self._stack.enter_context(TwilioStandIn(account_sid=ACCOUNT_SID, auth_token=AUTH_TOKEN))
        self.twilio_proxy = self._stack.enter_context(TcpProxy(("127.0.0.1", int(self.twilio.url.rpartition(":")[2]))))
        self.redis = self._stack.enter_context(
            RedisProcess(self.folder / "redis", append_only=append_only, password=REDIS_PASSWORD)
        )
        self.redis_proxy = self._stack.enter_context(TcpProxy(("127.0.0.1", self.redis.port)))
        self.postgresql = self._stack.enter_context(PostgresqlServer()) if database == "postgresql" else None
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("RECORDING_", "TWILIO_"))},
            "RECORDING_DATA_DIR": str(self.folder / "data"),
            "RECORDING_GRPC_ADDRESS": f"127.0.0.1:{free_port()}",
            "RECORDING_HTTP_ADDRESS": f"127.0.0.1:{free_port()}",
            "RECORDING_REDIS_URL": f"redis://:{REDIS_PASSWORD}@127.0.0.1:{self.redis_proxy.port}/0",
            "RECORDING_TIME_SCALE": str(self.time_scale),
            "TWILIO_ACCOUNT_SID": ACCOUNT_SID,
            "TWILIO_AUTH_TOKEN": AUTH_TOKEN,
            "TWILIO_API_URL": f"http://127.0.0.1:{self.twilio_proxy.port}",
            **({"RECORDING_DATABASE_URL": self.postgresql.url} if self.postgresql else {}),
            **variables,
        }
        self.http_url = "http://" + self.environment["RECORDING_HTTP_ADDRESS"]
        self.shelf = ShelfView(self.folder / "data" / "recordings")
        self._extra: list[subprocess.Popen[bytes]] = []
        self.service: subprocess.Popen[bytes] | None = None
        # Without retries of the channel's: every answer is to be seen as it is.
        self.channel = grpc.insecure_channel(
            self.environment["RECORDING_GRPC_ADDRESS"],
            [("grpc.enable_retries", 0), ("grpc.max_reconnect_backoff_ms", 500)],
        )
        self._stack.callback(self.channel.close)
        self._stack.callback(self.kill_service)
        self.start_service()
        self.catalogue = CatalogueView(
            self.postgresql.url if self.postgresql else f"sqlite:///{self.folder}/data/catalogue.sqlite3"
        )
        self._stack.callback(self.catalogue.close)
        self.callers = Callers(
            account_sid=ACCOUNT_SID,
            channel=self.channel,
            http_url=self.http_url,
            twilio=self.twilio,
            history=self.history,
            catalogue=self.catalogue,
            shelf=self.shelf,
        )

    # The service

    @property
    def log(self) -> Path:
        """All that the service has logged, over all its starts."""
        return self.folder / "service.log"

    @property
    def processes(self) -> ServeProcesses:
        """The processes of the running service."""
        assert self.service is not None, "the service was stopped"
        return ServeProcesses(self.service.pid)

    def start_service(self, **variables: str) -> None:
        """Starts `serve`, with these variables as well, and waits until it answers."""
        assert self.service is None
        self.service = self._spawn("serve", variables)
        self.wait_until_it_answers()

    def restart_with(self, **variables: str) -> None:
        """Ends the service and starts it with these variables as well, which this world had to be there to compute."""
        self.kill_service()
        self.start_service(**variables)

    def wait_until_it_answers(self) -> None:
        """Returns once gRPC and HTTP answer, also through the connection that the callers have."""
        eventually(self._answers, within=START_SECONDS, what="the service's start")

    def restart_with_failpoints(self, spec: str) -> None:
        """Ends the service and starts it with these failpoints armed; what they are counted in starts empty."""
        self.kill_service()
        self.failpoints.mkdir(exist_ok=True)
        for file in self.failpoints.iterdir():
            file.unlink()
        self.start_service(RECORDING_FAILPOINTS=spec, RECORDING_FAILPOINTS_DIR=str(self.failpoints))

    @property
    def failpoints(self) -> Path:
        """Where armed failpoints note that they were reached."""
        return self.folder / "failpoints"

    def start_part(self, command: str) -> "subprocess.Popen[bytes]":
        """Starts one more part beside `serve`, such as a second `dispatch`."""
        process = self._spawn(command, {})
        self._extra.append(process)
        return process

    def kill_service(self) -> None:
        """SIGKILL to `serve`, and so to all of it, and to what was started beside it; returns when they are gone."""
        family = self.processes.everything() if self.service is not None and self.service.poll() is None else []
        for process in [*self._extra, *([self.service] if self.service is not None else [])]:
            process.kill()
            process.wait()
        self._extra.clear()
        self.service = None
        for member in family:
            member.wait_for_end()

    def terminate_service(self, *, within: float = 60.0) -> int:
        """SIGTERM to `serve`, as an operator stops it; its exit status."""
        assert self.service is not None
        self.service.send_signal(signal.SIGTERM)
        return self.await_end_of_service(within=within)

    def await_end_of_service(self, *, within: float = 60.0) -> int:
        """The exit status of `serve`, which was told to stop. subprocess.TimeoutExpired if it does not in time."""
        assert self.service is not None
        status = self.service.wait(within)
        self.service = None
        return status

    # What is in it

    def add(self, count: int, *, shortest: float = 1.0, longest: float = 4.0) -> list[str]:
        """New recordings at Twilio, of so many seconds each; their SIDs, which follow from the seed."""
        sids = [f"RE{self.chance.getrandbits(128):032x}" for _ in range(count)]
        for recording_sid in sids:
            self.twilio.add_recording(
                recording_sid=recording_sid,
                call_sid=f"CA{self.chance.getrandbits(128):032x}",
                duration=self.chance.uniform(shortest, longest),
            )
        return sids

    def cannot_be_had(self, *recording_sids: str) -> None:
        """Says that these may end FAILED: Twilio does not have them."""
        self._cannot_be_had.update(recording_sids)

    @property
    def expected_failures(self) -> frozenset[str]:
        """The recordings that may end FAILED."""
        return frozenset(self._cannot_be_had)

    def ready(self, recording_sids: Sequence[str]) -> None:
        """Enqueues recordings and waits until all are READY and processed: something to begin with."""
        for recording_sid in recording_sids:
            answer = self.callers.enqueue(recording_sid)
            assert answer.status == "OK", answer
        self.wait_for(recording_sids, "ready", within=60.0)
        eventually(
            lambda: all(row["recording_sid"] not in recording_sids for row in self.catalogue.unsettled()),
            within=60.0,
            what="the end of their processing",
        )

    def object_key(self, recording_sid: str) -> str:
        """Where the recording's bytes are, as its row says."""
        row = self.catalogue.row(recording_sid)
        assert row is not None
        return str(row["object_key"])

    def state(self, recording_sid: str) -> str:
        """The recording's state in the catalogue; empty if there is no row."""
        row = self.catalogue.row(recording_sid)
        return str(row["state"]) if row is not None else ""

    def spent(self) -> list[str]:
        """The recordings with failures, of those that have not come to an end: READY forgets them."""
        return [str(row["recording_sid"]) for row in self.catalogue.unsettled() if failures_of(row)]

    def wait_for(self, recording_sids: Sequence[str], state: str, *, within: float) -> None:
        """Waits until all of them are in that state."""
        left = list(recording_sids)

        def none_left() -> bool:
            left[:] = [recording_sid for recording_sid in left if self.state(recording_sid) != state]
            return not left

        eventually(none_left, within=within, what=f"{state} for {len(left)} recordings")

    # Faults and their end

    @contextmanager
    def fault(self, what: str) -> Iterator[None]:
        """A fault as long as the block lasts: from its end on the service has its time to recover."""
        with self.history.striking(what):
            yield
        self.mended()

    def strike(self, what: str, recording_sid: str = "") -> None:
        """Notes a fault that takes no time, from which the service has to recover from now on."""
        self.history.struck(what, recording_sid)
        self.mended()

    def mended(self) -> None:
        """Says that nothing disturbs the service any more."""
        self._mended_at = time.monotonic()
        self._recovered_after = None

    @property
    def recovery_seconds(self) -> float:
        """What is promised with these clocks, in seconds."""
        return RECOVERY_SECONDS * self.time_scale + (ALLOWANCE_SECONDS if self.time_scale < 1 else 0.0)

    def settle(self, *, beyond: float = 0.0) -> float:
        """Waits until every row has come to an end; how long after the last fault that was, in seconds.

        AssertionError if it takes longer than is promised, the longest back-off then scheduled, and `beyond`.
        """
        if not self._mended_at:
            self.mended()
        bound = self.recovery_seconds + self._longest_wait() + beyond
        remaining = max(1.0, self._mended_at + bound - time.monotonic())
        try:
            eventually(lambda: not self.catalogue.unsettled(), within=remaining, what="the end of every recording")
        except AssertionError as error:
            rows = [
                f"{row['recording_sid']} {row['state']} attempt={row['attempt']} waiting={row['waiting_reason']} "
                f"rung={row['rung_time']} next={row['next_attempt_time']} by={row['claimed_by']} "
                f"processing={row['processing_state']} attempt={row['processing_attempt']}"
                for row in self.catalogue.unsettled()
            ]
            raise AssertionError(f"{error}; unsettled at {time.time_ns() // 1000}:\n" + "\n".join(rows)) from None
        if self._recovered_after is None:
            self._recovered_after = time.monotonic() - self._mended_at
        return self._recovered_after

    def play_everything(self) -> list[Answer]:
        """Streams every READY recording whole, over gRPC: the bytes are compared with the source's."""
        ready = [str(row["recording_sid"]) for row in self.catalogue.rows() if row["state"] == "ready"]
        return [self.callers.stream(recording_sid) for recording_sid in ready]

    def tell_secrets(self) -> None:
        """Makes calls that are refused for what is wrong in them: the answers must not repeat it."""
        self.wait_until_it_answers()
        [recording_sid] = self.add(1)
        url = url_with_password(self.twilio.media_url(recording_sid))
        answer = self.callers.enqueue(recording_sid, source_url=url)
        assert answer.status == "INVALID_ARGUMENT", answer
        assert self.callers.webhook(recording_sid, AccountSid=url, RecordingUrl=url).status in ("400", "403")

    def close(self) -> None:
        """Ends everything. Idempotent."""
        self._stack.close()

    def _longest_wait(self) -> float:
        """How long the longest back-off lasts from now, in seconds."""
        now = time.time_ns() // 1000
        waits = [
            int(str(row["processing_next_attempt_time" if row["state"] == "ready" else "next_attempt_time"])) - now
            for row in self.catalogue.unsettled()
        ]
        return max([0, *waits]) / 1e6

    def _spawn(self, command: str, variables: Mapping[str, str]) -> "subprocess.Popen[bytes]":
        with self.log.open("ab") as log:
            return subprocess.Popen(
                bound_to_this_process([sys.executable, "-m", "recording_service", command]),
                env={**self.environment, **variables},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def _answers(self) -> bool:
        assert self.service is not None
        assert self.service.poll() is None, self.log.read_text(errors="replace")[-3000:]
        try:
            # Not grpc.channel_ready_future: its thread goes on looking, and fails when the channel is closed.
            health: Any = HealthStub(self.channel)
            health.Check(HealthCheckRequest(), timeout=1.0, wait_for_ready=True)
            return requests.get(f"{self.http_url}/healthz", timeout=1.0).ok
        except (grpc.RpcError, requests.RequestException):
            return False
