"""What doctor says of who may call."""

from pathlib import Path
from typing import Any

import pytest
import trustme

from recording_service.config import Settings
from recording_service.processes.access_findings import access_findings
from recording_service.processes.findings import Finding
from tests.support.callers import Known, callers_file

EVERYWHERE = "0.0.0.0:50051"


def found(**changes: Any) -> dict[str, Finding]:
    return {finding.subject: finding for finding in access_findings(Settings(**changes))}


def callers(tmp_path: Path) -> Path:
    return callers_file(tmp_path, {"billing": Known(("read",), ("AC" + "1" * 32,))})


def test_on_loopback_no_credential_is_well_and_said() -> None:
    findings = found()

    assert all(finding.well for finding in findings.values())
    assert "everyone on this machine may do everything" in findings["callers"].text


@pytest.mark.parametrize("variable", ["grpc_address", "http_address"])
def test_beyond_loopback_it_is_not(variable: str) -> None:
    finding = found(**{variable: EVERYWHERE})["callers"]

    assert not finding.well
    assert f"RECORDING_{variable.upper()} is refused" in finding.text
    assert not found(**{variable: EVERYWHERE}, allow_everyone=True)["callers"].well


def test_who_may_call_is_named(tmp_path: Path) -> None:
    assert found(callers_file=callers(tmp_path))["callers"] == Finding("callers", True, "billing may call")


def test_keys_without_anybody_to_call_are_told_of() -> None:
    findings = found(playback_keys="k1:" + "A" * 43)

    assert not findings["callers"].well
    assert findings["playback keys"] == Finding("playback keys", True, "k1 signs, 1 are believed")


def test_tokens_without_tls_are_told_of(tmp_path: Path) -> None:
    assert not found(callers_file=callers(tmp_path), grpc_address=EVERYWHERE)["TLS"].well


def test_hosts_that_share_a_database_have_to_share_their_keys() -> None:
    assert not found(database_url="postgresql://127.0.0.1/x")["playback keys"].well


def test_tls_files_are_tried(tmp_path: Path) -> None:
    authority = trustme.CA()
    certificate, key, client_ca = (tmp_path / name for name in ("certificate.pem", "key.pem", "authority.pem"))
    issued = authority.issue_cert("127.0.0.1")
    issued.cert_chain_pems[0].write_to_path(str(certificate))
    issued.private_key_pem.write_to_path(str(key))
    authority.cert_pem.write_to_path(str(client_ca))

    assert found(grpc_tls_certificate_file=certificate, grpc_tls_key_file=key)["TLS"].well
    mutual = {"grpc_tls_certificate_file": certificate, "grpc_tls_key_file": key, "grpc_tls_client_ca_file": client_ca}
    assert found(**mutual)["TLS"].text.endswith("and clients must have a certificate")
    for wrong in (client_ca, tmp_path / "nowhere"):
        assert not found(grpc_tls_certificate_file=certificate, grpc_tls_key_file=wrong)["TLS"].well
    client_ca.write_text("nothing")
    assert not found(**mutual)["TLS"].well


def test_what_goes_over_the_network_unencrypted_is_told_of(tmp_path: Path) -> None:
    guarded = {"callers_file": callers(tmp_path)}

    assert not found(**guarded, grpc_target="192.0.2.1:50051")["TLS to gRPC"].well
    assert "TLS to gRPC" not in found(**guarded, grpc_target="192.0.2.1:50051", grpc_ca_file=tmp_path / "ca.pem")
    assert "TLS to gRPC" not in found(**guarded, grpc_target="127.0.0.1:50051")
    assert not found(**guarded, public_url="http://recordings.example.com")["public URL"].well
    assert "public URL" not in found(**guarded, public_url="https://recordings.example.com")
