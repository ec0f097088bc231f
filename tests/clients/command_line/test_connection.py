from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
import trustme

from recordings.command_line.exit_codes import ExitCode
from tests.clients.command_line.running_command import RunningCommand
from tests.clients.command_line.scripted_service import RECORDING_SID, ScriptedService


@pytest.fixture
def secure(tmp_path: Path) -> Iterator[ScriptedService]:
    """Asks for a certificate of its callers; what they need is in the folder."""
    authority = trustme.CA()
    server = authority.issue_cert("127.0.0.1")
    client = authority.issue_cert("client@example.com")
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    client.cert_chain_pems[0].write_to_path(tmp_path / "client.pem")
    client.private_key_pem.write_to_path(tmp_path / "key.pem")
    chain = b"".join(pem.bytes() for pem in server.cert_chain_pems)
    service = ScriptedService(
        grpc.ssl_server_credentials(
            [(server.private_key_pem.bytes(), chain)], authority.cert_pem.bytes(), require_client_auth=True
        )
    )
    yield service
    service.stop()


def test_certificates_are_given_by_options_or_by_the_environment(secure: ScriptedService, tmp_path: Path) -> None:
    command = RunningCommand(secure.target, tmp_path)
    options = ("--ca-file", "ca.pem", "--client-certificate-file", "client.pem", "--client-key-file", "key.pem")
    variables = {
        "RECORDING_GRPC_CA_FILE": "ca.pem",
        "RECORDING_GRPC_CLIENT_CERTIFICATE_FILE": "client.pem",
        "RECORDING_GRPC_CLIENT_KEY_FILE": "key.pem",
    }

    assert command("get", RECORDING_SID).code == ExitCode.UNAVAILABLE
    assert command(*options[:2], "get", RECORDING_SID).code == ExitCode.UNAVAILABLE
    assert command(*options, "get", RECORDING_SID).code == ExitCode.OK
    assert RunningCommand(secure.target, tmp_path, **variables)("get", RECORDING_SID).code == ExitCode.OK


def test_the_token_is_shown_as_it_is_in_the_file_or_the_environment(
    scripted: ScriptedService, scripted_recordings: RunningCommand, tmp_path: Path
) -> None:
    (tmp_path / "token").write_text("of-the-file\n")

    scripted_recordings("--token-file", "token", "get", RECORDING_SID)
    scripted_recordings.environment["RECORDING_GRPC_TOKEN"] = "of-the-environment"
    scripted_recordings("get", RECORDING_SID)
    scripted_recordings("--token-file", "token", "get", RECORDING_SID)

    assert scripted.tokens == ["Bearer of-the-file", "Bearer of-the-environment", "Bearer of-the-file"]


def test_an_option_wins_over_the_environment(scripted: ScriptedService, tmp_path: Path) -> None:
    elsewhere = RunningCommand("127.0.0.1:1", tmp_path)

    assert elsewhere("--target", scripted.target, "get", RECORDING_SID).code == ExitCode.OK


def test_a_short_timeout_ends_a_call_to_nobody(tmp_path: Path) -> None:
    nobody = RunningCommand("127.0.0.1:1", tmp_path)

    assert nobody("--timeout", "0.01s", "get", RECORDING_SID).code == ExitCode.UNAVAILABLE
