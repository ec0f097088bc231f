"""The real service in real processes: `recording-service serve` beside a stand-in for Twilio."""

import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import grpc
import requests
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from recording_service.twilio_stand_in.server import TwilioStandIn
from recordings.v1 import (
    enqueue_pb2,
    lookup_pb2,
    recording_pb2,
    recording_service_pb2_grpc,
    stream_pb2,
    watch_pb2,
)
from tests.support.grpc_client import GrpcClient
from tests.support.processes import Process, ServeProcesses
from tests.support.waiting import eventually

ACCOUNT_SID = "AC" + "a" * 32
AUTH_TOKEN = "a-token-of-the-tests"

#: Longest wait for one call.
CALL_SECONDS = 30.0


#: A client that shows nothing, without TLS.
ANYONE = GrpcClient()


class RunningService:
    """One `serve` with its addresses, its client and its processes."""

    def __init__(
        self,
        folder: Path,
        twilio: TwilioStandIn,
        process: "subprocess.Popen[bytes]",
        environment: dict[str, str],
        client: GrpcClient = ANYONE,
    ) -> None:
        self.folder = folder
        self.twilio = twilio
        self.process = process
        self.grpc_address = environment["RECORDING_GRPC_ADDRESS"]
        self.http_url = "http://" + environment["RECORDING_HTTP_ADDRESS"]
        self.environment = environment
        self.channel = client.connect(self.grpc_address)
        self.stub = recording_service_pb2_grpc.RecordingServiceStub(self.channel)

    @property
    def data_dir(self) -> Path:
        """Where it keeps everything."""
        return Path(self.environment["RECORDING_DATA_DIR"])

    @property
    def log(self) -> str:
        """All it has logged."""
        return (self.folder / "serve.log").read_text(errors="replace")

    def enqueue(self, recording_sid: str, **fields: object) -> enqueue_pb2.EnqueueRecordingResponse:
        """Enqueues a recording of the account, or of the one that is named."""
        fields.setdefault("account_sid", ACCOUNT_SID)
        request = enqueue_pb2.EnqueueRecordingRequest(recording_sid=recording_sid, **fields)  # type: ignore[arg-type]
        return self.stub.EnqueueRecording(request, timeout=CALL_SECONDS)

    def get(self, recording_sid: str, account_sid: str = ACCOUNT_SID) -> recording_pb2.Recording:
        """The recording as it is now."""
        request = lookup_pb2.GetRecordingRequest(account_sid=account_sid, recording_sid=recording_sid)
        return self.stub.GetRecording(request, timeout=CALL_SECONDS).recording

    def watch(
        self,
        recording_sid: str,
        until: watch_pb2.WatchUntil = watch_pb2.WATCH_UNTIL_READY,
        *,
        within: float = 60.0,
    ) -> list[recording_pb2.Recording]:
        """Every look at the recording until it ends the watch."""
        request = watch_pb2.WatchRecordingRequest(account_sid=ACCOUNT_SID, recording_sid=recording_sid, until=until)
        return [look.recording for look in self.stub.WatchRecording(request, timeout=within)]

    def ready(self, recording_sid: str, *, within: float = 60.0) -> recording_pb2.Recording:
        """The recording once it is READY; AssertionError if it ends otherwise."""
        last = self.watch(recording_sid, within=within)[-1]
        assert last.state == recording_pb2.RECORDING_STATE_READY, last
        return last

    def processed(self, recording_sid: str, *, within: float = 60.0) -> recording_pb2.Recording:
        """The recording once all steps have ended; AssertionError if it was ever less than READY after it was READY."""
        looks = self.watch(recording_sid, watch_pb2.WATCH_UNTIL_PROCESSED, within=within)
        states = [look.state for look in looks]
        ready = recording_pb2.RECORDING_STATE_READY
        assert ready in states, looks[-1]
        assert set(states[states.index(ready) :]) == {ready}
        return looks[-1]

    def stream(self, recording_sid: str, offset: int = 0, length: int = 0, etag: str = "") -> bytes:
        """A range of the bytes."""
        request = stream_pb2.StreamRecordingRequest(
            account_sid=ACCOUNT_SID, recording_sid=recording_sid, offset=offset, length=length, etag=etag
        )
        return b"".join(chunk.data for chunk in self.stub.StreamRecording(request, timeout=CALL_SECONDS))

    def parts(self, name: str = "") -> list[Process]:
        """The parts that run, all or those whose names begin so (`grpc`, `http`, `dispatcher`, `worker-`, `redis`)."""
        return ServeProcesses(self.process.pid).parts(name)

    def stored_files(self) -> list[Path]:
        """Everything on the shelf that is a recording or the remains of one."""
        return [path for path in (self.data_dir / "recordings").glob("AC*/RE*/*") if path.is_file()]

    def wait_until_up(self) -> None:
        """Returns once gRPC and HTTP answer."""
        eventually(self._is_up, within=30.0, what="the service's start")

    def _is_up(self) -> bool:
        assert self.process.poll() is None, self.log
        try:
            # Not grpc.channel_ready_future: its thread goes on looking, and fails when the channel is closed.
            self.stub.ListRecordings(lookup_pb2.ListRecordingsRequest(page_size=1), timeout=1.0, wait_for_ready=True)
            return requests.get(f"{self.http_url}/healthz", timeout=1.0).ok
        except (grpc.RpcError, requests.ConnectionError, requests.Timeout):
            return False


@contextmanager
def running_service(
    folder: Path, twilio: TwilioStandIn, client: GrpcClient = ANYONE, /, **variables: str
) -> Iterator[RunningService]:
    """`recording-service serve` until the end of the block, then stopped by SIGTERM; it must stop cleanly.

    `client` is how the service's own stub calls it.
    """
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("RECORDING_", "TWILIO_"))},
        "RECORDING_DATA_DIR": str(folder / "data"),
        "RECORDING_GRPC_ADDRESS": f"127.0.0.1:{free_port()}",
        "RECORDING_HTTP_ADDRESS": f"127.0.0.1:{free_port()}",
        "TWILIO_ACCOUNT_SID": ACCOUNT_SID,
        "TWILIO_AUTH_TOKEN": AUTH_TOKEN,
        "TWILIO_API_URL": twilio.url,
        **variables,
    }
    with (folder / "serve.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "recording_service", "serve"], env=environment, stdout=log, stderr=log
        )
        service = RunningService(folder, twilio, process, environment, client)
        try:
            service.wait_until_up()
            yield service
        finally:
            service.channel.close()
            stop(process)


def stop(process: "subprocess.Popen[bytes]", *, within: float = 40.0) -> int:
    """Ends a process by SIGTERM; its exit status. AssertionError, after SIGKILL, if it does not end."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    try:
        return process.wait(within)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        raise AssertionError(f"the service did not stop within {within:.0f} s") from None


def free_port() -> int:
    """A port of loopback that nobody listens on just now, nor is given by the kernel to whoever connects meanwhile."""
    first_ephemeral = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    while True:
        port = random.randrange(10_240, first_ephemeral)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def error_reason(error: Any) -> tuple[grpc.StatusCode, str]:
    """The code of a refused call, and the reason in its ErrorInfo."""
    info = error_details_pb2.ErrorInfo()
    status = rpc_status.from_call(error)
    assert status is not None, error
    assert any(detail.Unpack(info) for detail in status.details), status
    return error.code(), info.reason


def seconds_since(started: float) -> float:
    """How long ago that moment of the monotonic clock was."""
    return time.monotonic() - started
