"""The running service over TLS: as one `serve`, and with the adapter as a process of its own."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import grpc
import pytest
import requests
import trustme
from grpc_health.v1.health_pb2 import HealthCheckRequest
from grpc_health.v1.health_pb2_grpc import HealthStub

from recording_service.twilio_stand_in.server import TwilioStandIn
from tests.support.callers import Known, callers_file, token_of
from tests.support.grpc_client import GrpcClient
from tests.support.running_service import ACCOUNT_SID, free_port, running_service, stop
from tests.support.waiting import eventually


class Authority:
    """A certificate authority and the files it has written."""

    def __init__(self, folder: Path) -> None:
        self.authority = trustme.CA()
        self.file = folder / "authority.pem"
        self.authority.cert_pem.write_to_path(str(self.file))

    def issue(self, folder: Path, name: str) -> tuple[Path, Path]:
        """Certificate and key of that name, as files."""
        issued = self.authority.issue_cert(name)
        certificate, key = folder / f"{name}.pem", folder / f"{name}.key"
        issued.cert_chain_pems[0].write_to_path(str(certificate))
        issued.private_key_pem.write_to_path(str(key))
        return certificate, key


def test_serve_asks_clients_for_certificates_and_its_adapter_needs_none(tmp_path: Path, twilio: TwilioStandIn) -> None:
    authority = Authority(tmp_path)
    certificate, key = authority.issue(tmp_path, "127.0.0.1")
    own_certificate, own_key = authority.issue(tmp_path, "billing.internal")
    further = 'certificate_names = ["billing.internal"]'
    callers = callers_file(tmp_path, {"billing": Known(("enqueue", "read"), (ACCOUNT_SID,), further)})
    client = GrpcClient(
        authority=authority.file.read_bytes(), key=own_key.read_bytes(), certificate=own_certificate.read_bytes()
    )
    recording = twilio.add_recording(duration=2)
    with running_service(
        tmp_path,
        twilio,
        client,
        RECORDING_TIME_SCALE="0.1",
        RECORDING_CALLERS_FILE=str(callers),
        RECORDING_GRPC_TLS_CERTIFICATE_FILE=str(certificate),
        RECORDING_GRPC_TLS_KEY_FILE=str(key),
        RECORDING_GRPC_TLS_CLIENT_CA_FILE=str(authority.file),
    ) as service:
        service.enqueue(recording.recording_sid)
        service.ready(recording.recording_sid)
        played = requests.get(
            f"{service.http_url}/recordings/{recording.recording_sid}/stream",
            headers={"Authorization": f"Bearer {token_of('billing')}"},
            timeout=20,
        )
        assert played.content == twilio.media(recording.recording_sid)
        stranger = GrpcClient(token_of("billing"), authority=authority.file.read_bytes())
        with stranger.connect(service.grpc_address) as channel:
            health: Any = HealthStub(channel)
            with pytest.raises(grpc.RpcError) as caught:
                health.Check(HealthCheckRequest(), timeout=20)
        error: Any = caught.value
        assert error.code() is grpc.StatusCode.UNAVAILABLE


def test_an_adapter_of_its_own_reaches_grpc_by_tls_with_its_own_credential(
    tmp_path: Path, twilio: TwilioStandIn
) -> None:
    authority = Authority(tmp_path)
    certificate, key = authority.issue(tmp_path, "127.0.0.1")
    callers = callers_file(tmp_path, {"billing": Known(("enqueue", "read"), (ACCOUNT_SID,))})
    recording = twilio.add_recording(duration=2)
    with running_service(
        tmp_path,
        twilio,
        GrpcClient(token_of("billing"), authority=authority.file.read_bytes()),
        RECORDING_TIME_SCALE="0.1",
        RECORDING_CALLERS_FILE=str(callers),
        RECORDING_GRPC_TOKEN="the-adapters-own-token-of-32-characters",
        RECORDING_GRPC_TLS_CERTIFICATE_FILE=str(certificate),
        RECORDING_GRPC_TLS_KEY_FILE=str(key),
    ) as service:
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("RECORDING_", "TWILIO_"))},
            "RECORDING_DATA_DIR": service.environment["RECORDING_DATA_DIR"],
            "RECORDING_HTTP_ADDRESS": f"127.0.0.1:{free_port()}",
            "RECORDING_GRPC_TARGET": service.grpc_address,
            "RECORDING_GRPC_CA_FILE": str(authority.file),
            "RECORDING_GRPC_TOKEN": "the-adapters-own-token-of-32-characters",
        }
        url = f"http://{environment['RECORDING_HTTP_ADDRESS']}"
        with (tmp_path / "http.log").open("wb") as log:
            adapter = subprocess.Popen(
                [sys.executable, "-m", "recording_service", "http"], env=environment, stdout=log, stderr=log
            )
        try:
            eventually(lambda: _is_ready(url), within=30, what="the adapter's start")
            service.enqueue(recording.recording_sid)
            service.ready(recording.recording_sid)
            played = requests.get(
                f"{url}/recordings/{recording.recording_sid}/stream",
                headers={"Authorization": f"Bearer {token_of('billing')}"},
                timeout=20,
            )
            assert played.content == twilio.media(recording.recording_sid)
        finally:
            assert stop(adapter) == 0
        assert "the-adapters-own-token-of-32-characters" not in (tmp_path / "http.log").read_text() + service.log


def _is_ready(url: str) -> bool:
    try:
        return requests.get(f"{url}/readyz", timeout=5).ok
    except (requests.ConnectionError, requests.Timeout):
        return False
