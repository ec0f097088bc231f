"""The real service, started as an operator starts it, on loopback and in a folder of the benchmark's."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.prepared_recordings import ACCOUNT_SID
from recording_service.adapters.parent_death import bound_to_this_process

AUTH_TOKEN = "a-token-of-the-benchmarks"  # noqa: S105 - of the stand-in, made up here
#: Longest wait for the service to be there, and to end, in seconds.
START_SECONDS, STOP_SECONDS = 30.0, 30.0
#: Between two looks whether a port is listened on, in seconds.
LOOK_SECONDS = 0.005


class ServiceFailed(Exception):
    """Raised when a server does not come up. The text is the end of its log."""


@dataclass(frozen=True, slots=True)
class ServiceProcess:
    """A service that listens."""

    pid: int
    grpc_port: int
    http_port: int
    #: From its start until every port was listened on.
    start_seconds: float

    @property
    def http_url(self) -> str:
        """Where its HTTP adapter is."""
        return f"http://127.0.0.1:{self.http_port}"


@contextmanager
def service_process(command: str, folder: Path, **variables: str) -> Iterator[ServiceProcess]:
    """Runs `recording-service <command>` (`serve`, or `grpc`), with its data in `folder`, until the end of the block.

    Raises ServiceFailed if it is not there in time.
    """
    grpc_port, http_port = free_ports(2)
    usual = {name: value for name, value in os.environ.items() if not name.startswith(("RECORDING_", "TWILIO_"))}
    environment = {
        **usual,
        "RECORDING_DATA_DIR": str(folder / "data"),
        "RECORDING_GRPC_ADDRESS": f"127.0.0.1:{grpc_port}",
        "RECORDING_HTTP_ADDRESS": f"127.0.0.1:{http_port}",
        "TWILIO_ACCOUNT_SID": ACCOUNT_SID,
        "TWILIO_AUTH_TOKEN": AUTH_TOKEN,
        **variables,
    }
    log = folder / "service.log"
    started = time.perf_counter()
    with log.open("ab") as output:
        arguments = bound_to_this_process([sys.executable, "-m", "recording_service", command])
        process = subprocess.Popen(arguments, env=environment, stdout=output, stderr=output)
    try:
        for port in (grpc_port, http_port) if command == "serve" else (grpc_port,):
            wait_until_listening(port, process, log)
        yield ServiceProcess(process.pid, grpc_port, http_port, time.perf_counter() - started)
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_until_listening(port: int, process: "subprocess.Popen[bytes]", log: Path) -> None:
    """Returns once it listens on that port. Raises ServiceFailed if it does not in time."""
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return
        except ConnectionRefusedError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise ServiceFailed(log.read_text(errors="replace")[-2000:]) from None
        time.sleep(LOOK_SECONDS)


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on just now."""
    probes = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return ports
