"""The service under test: `recording-service serve`, with its shelf, its callers, and the proxy before it."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import trustme
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from grpc_health.v1 import health_pb2, health_pb2_grpc

from clients.conformance.fault_proxy import FaultProxy, Secured
from clients.conformance.faults import Faults
from clients.conformance.shelf import ACCOUNT_SID, OTHER_ACCOUNT_SID, Shelf, sid_of
from recording_service.twilio_stand_in.answers import Answer
from recording_service.twilio_stand_in.gate import Gate
from recording_service.twilio_stand_in.server import TwilioStandIn
from recordings.v1 import deletion_pb2, enqueue_pb2
from tests.support.callers import Known, callers_file, token_of
from tests.support.grpc_client import GrpcClient
from tests.support.running_service import RunningService, running_service
from tests.support.waiting import eventually

#: Callers, by what scenarios call their tokens.
CALLERS: Final = {
    "all": Known(
        ("enqueue", "read", "manage"), (ACCOUNT_SID, OTHER_ACCOUNT_SID), "streams = 1000\nrequests_per_second = 10000"
    ),
    "reader": Known(("read",), (ACCOUNT_SID,)),
    "enqueuer": Known(("enqueue",), (ACCOUNT_SID,)),
}
_AUTH_TOKEN: Final = "a-token-of-the-conformance-suite"  # noqa: S105 - of the stand-in, made up here
#: Between a scenario's start, or a restart, and the release of what is held, in seconds.
_RELEASE_SECONDS: Final = 0.5


class ServiceUnderTest:
    """A service that runs, and what scenarios may do to it."""

    def __init__(self, service: RunningService, twilio: TwilioStandIn, shelf: Shelf, authority: Path) -> None:
        self.shelf = shelf
        self._service = service
        self._twilio = twilio
        self._fresh = 0
        #: Nobody opens it.
        self._never = Gate()
        self._gate: Gate | None = None
        self._timers: list[threading.Timer] = []
        self.files = {
            name: str(authority / f"{name}.pem") for name in ("ca_file", "client_certificate_file", "client_key_file")
        }
        secured = Secured((authority / "server.pem").read_bytes(), (authority / "server_key.pem").read_bytes())
        trusted = (authority / "ca_file.pem").read_bytes()
        self.proxy = FaultProxy(service.grpc_address, self.act, secured, secured._replace(client_authority=trusted))

    @property
    def address(self) -> str:
        """Where the service itself listens, without the proxy."""
        return self._service.grpc_address

    def settle(self) -> None:
        """Puts everything that has no bytes into its state."""
        for name in ("held", "absent", "deleted"):
            self._twilio.behave(self._known(name), Answer().hold(self._never, after=0), times=None)
            self._service.enqueue(sid_of(name), account_sid=ACCOUNT_SID)
        self._service.stub.ReportRecordingUnavailable(
            enqueue_pb2.ReportRecordingUnavailableRequest(
                account_sid=ACCOUNT_SID,
                recording_sid=sid_of("absent"),
                reason=enqueue_pb2.UNAVAILABLE_REASON_ABSENT,
            ),
            timeout=5,
        )
        self._service.stub.DeleteRecording(
            deletion_pb2.DeleteRecordingRequest(account_sid=ACCOUNT_SID, recording_sid=sid_of("deleted")), timeout=5
        )

    def fresh_sid(self) -> str:
        """A recording that nobody has asked for, and that Twilio has."""
        self._fresh += 1
        return self._known(f"fresh {os.getpid()} {self._fresh}")

    def arriving_sid(self) -> str:
        """A recording that is on its way, and that Twilio gives once it is released."""
        self._fresh += 1
        sid = self._known(f"arriving {os.getpid()} {self._fresh}")
        self._gate = self._twilio.hold(sid)
        self._service.enqueue(sid, account_sid=ACCOUNT_SID)
        return sid

    def act(self, what: str) -> None:
        """Does to the service what a scenario names."""
        if what == "replace":
            self.shelf.replace("changing")
        elif what == "restart":
            self._part("grpc", signal.SIGKILL)
            self._release_later()
        elif what == "release":
            self._release_later()
        elif what == "stop_redis":
            self._part("redis", signal.SIGSTOP)
        else:
            raise ValueError(f"there is nothing called {what} to be done")

    def calm(self) -> None:
        """Undoes what a scenario has done, and waits until the service answers."""
        self.proxy.arm(Faults())
        self._part("redis", signal.SIGCONT)
        for timer in self._timers:
            timer.join()
        self._timers.clear()
        self._gate = None
        self._service.wait_until_up()

    def open_calls(self) -> dict[str, int]:
        """How many streams and watches the service itself counts."""
        stub: Any = health_pb2_grpc.HealthStub(self._service.channel)
        _, call = stub.Check.with_call(health_pb2.HealthCheckRequest(), timeout=5, wait_for_ready=True)
        told = dict(call.trailing_metadata())
        return {what: int(told[f"recording-open-{what}"]) for what in ("streams", "watches")}

    def wait_until_idle(self, within: float) -> dict[str, int]:
        """Its count once it is zero, or as it is after so many seconds."""
        count: dict[str, int] = {}

        def idle() -> bool:
            count.update(self.open_calls())
            return not any(count.values())

        # What is left then is for the caller to judge.
        with suppress(AssertionError):
            eventually(idle, within=within)
        return count

    def _release_later(self) -> None:
        if self._gate is not None:
            timer = threading.Timer(_RELEASE_SECONDS, self._gate.release)
            self._timers.append(timer)
            timer.start()

    def _part(self, name: str, which: signal.Signals) -> None:
        for part in self._service.parts(name):
            os.kill(part.pid, which)

    def _known(self, name: str) -> str:
        sid = sid_of(name)
        self._twilio.add_recording(recording_sid=sid, account_sid=ACCOUNT_SID)
        return sid


@contextmanager
def service_under_test(folder: Path) -> Iterator[ServiceUnderTest]:
    """Runs it until the end of the block."""
    shelf = Shelf(folder / "data")
    shelf.prepare()
    authority = _certificates(folder)
    with (
        TwilioStandIn(account_sid=ACCOUNT_SID, auth_token=_AUTH_TOKEN) as twilio,
        running_service(
            folder,
            twilio,
            GrpcClient(token=token_of("all")),
            TWILIO_ACCOUNT_SID=ACCOUNT_SID,
            TWILIO_AUTH_TOKEN=_AUTH_TOKEN,
            RECORDING_CALLERS_FILE=str(callers_file(folder, CALLERS)),
            RECORDING_TIME_SCALE="0.1",
            # Some are held up by what never comes.
            RECORDING_WORKERS="6",
        ) as service,
    ):
        under_test = ServiceUnderTest(service, twilio, shelf, authority)
        under_test.proxy.start()
        try:
            under_test.settle()
            yield under_test
        finally:
            under_test.calm()
            under_test.proxy.stop()


def _certificates(folder: Path) -> Path:
    """An authority, a certificate of the proxy's and one of a client's, as PEM files."""
    made = folder / "certificates"
    made.mkdir()
    authority = trustme.CA()
    server, client = authority.issue_cert("127.0.0.1", "localhost"), authority.issue_cert("a-client")
    files = {
        "ca_file": authority.cert_pem.bytes(),
        "server": server.cert_chain_pems[0].bytes(),
        "server_key": server.private_key_pem.bytes(),
        "client_certificate_file": client.cert_chain_pems[0].bytes(),
        "client_key_file": _pkcs8(client.private_key_pem.bytes()),
    }
    for name, content in files.items():
        (made / f"{name}.pem").write_bytes(content)
    return made


def _pkcs8(key: bytes) -> bytes:
    """The same key in the one form that every language reads; Java's TLS takes no other."""
    return load_pem_private_key(key, None).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
