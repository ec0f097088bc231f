"""gRPC over TLS, with and without certificates of clients."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest
import trustme

from recording_service.core.callers import Caller, Scope
from recording_service.grpc_api.credentials import CallerCredentials, token_hash
from recording_service.grpc_api.settings import TlsFiles
from recording_service.grpc_api.tls import TlsFilesUnusable
from recordings.v1 import lookup_pb2, recording_service_pb2_grpc
from tests.support.grpc_server import RunningServer, refused, running_server
from tests.support.grpc_service import ACCOUNT, RECORDING, FakeRecordingService
from tests.support.waiting import eventually

GET = lookup_pb2.GetRecordingRequest(recording_sid=RECORDING)
CALLERS = (
    CallerCredentials(
        Caller("billing", frozenset({Scope.READ}), frozenset({ACCOUNT})), (token_hash("token"),), ("billing.internal",)
    ),
)


class Authority:
    """A certificate authority of the tests, with its files."""

    def __init__(self, folder: Path) -> None:
        self.authority = trustme.CA()
        self.folder = folder
        self.file = folder / "authority.pem"
        self.authority.cert_pem.write_to_path(str(self.file))

    def certificate(self, name: str) -> tuple[bytes, bytes]:
        """Key and certificate of somebody."""
        issued = self.authority.issue_cert(name)
        return issued.private_key_pem.bytes(), issued.cert_chain_pems[0].bytes()

    def server_files(self, *, mutual: bool = False) -> TlsFiles:
        """The files of a server at 127.0.0.1, as they are written anew."""
        key, certificate = self.certificate("127.0.0.1")
        (self.folder / "key.pem").write_bytes(key)
        (self.folder / "certificate.pem").write_bytes(certificate)
        return TlsFiles(self.folder / "certificate.pem", self.folder / "key.pem", self.file if mutual else None)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@contextmanager
def client(
    server: RunningServer, trusted: bytes, pair: tuple[bytes | None, bytes | None] = (None, None)
) -> Iterator[Any]:
    """A stub over TLS, with a certificate of the client if it has one."""
    options: Sequence[tuple[str, Any]] = [("grpc.use_local_subchannel_pool", 1)]
    credentials = grpc.ssl_channel_credentials(trusted, *pair)
    with grpc.secure_channel(f"127.0.0.1:{server.port}", credentials, options=options) as channel:
        yield recording_service_pb2_grpc.RecordingServiceStub(channel)


def test_a_client_that_trusts_the_authority_calls_with_its_token(
    authority: Authority, service: FakeRecordingService
) -> None:
    bearer = (("authorization", "Bearer token"),)
    with (
        running_server(service, tls=authority.server_files(), callers=CALLERS) as server,
        client(server, authority.file.read_bytes()) as stub,
    ):
        assert stub.GetRecording(GET, metadata=bearer, timeout=10).recording.recording_sid == RECORDING
        assert refused(lambda: stub.GetRecording(GET, timeout=10)).code is grpc.StatusCode.UNAUTHENTICATED


def test_a_client_without_tls_gets_no_answer(authority: Authority, service: FakeRecordingService) -> None:
    with (
        running_server(service, tls=authority.server_files()) as server,
        pytest.raises(grpc.RpcError) as caught,
    ):
        server.stub.GetRecording(GET, timeout=10)
    error: Any = caught.value
    assert error.code() is grpc.StatusCode.UNAVAILABLE


def test_a_client_is_who_its_certificate_says(authority: Authority, service: FakeRecordingService) -> None:
    with (
        running_server(service, tls=authority.server_files(mutual=True), callers=CALLERS) as server,
        client(server, authority.file.read_bytes(), authority.certificate("billing.internal")) as stub,
    ):
        stub.GetRecording(GET, timeout=10)
    assert service.asked("get")[0][0].permitted == {ACCOUNT}


def test_a_certificate_of_nobody_known_opens_nothing_but_a_token_beside_it_does(
    authority: Authority, service: FakeRecordingService
) -> None:
    with (
        running_server(service, tls=authority.server_files(mutual=True), callers=CALLERS) as server,
        client(server, authority.file.read_bytes(), authority.certificate("stranger.internal")) as stub,
    ):
        assert refused(lambda: stub.GetRecording(GET, timeout=10)).code is grpc.StatusCode.UNAUTHENTICATED
        stub.GetRecording(GET, metadata=(("authorization", "Bearer token"),), timeout=10)


def test_a_wrong_token_is_not_mended_by_a_certificate(authority: Authority, service: FakeRecordingService) -> None:
    wrong = (("authorization", "Bearer wrong"),)
    with (
        running_server(service, tls=authority.server_files(mutual=True), callers=CALLERS) as server,
        client(server, authority.file.read_bytes(), authority.certificate("billing.internal")) as stub,
    ):
        assert refused(lambda: stub.GetRecording(GET, metadata=wrong, timeout=10)).reason == "UNAUTHENTICATED"


@pytest.mark.parametrize("has_certificate", [False, True])
def test_without_a_certificate_of_the_authority_nobody_connects(
    authority: Authority, tmp_path: Path, service: FakeRecordingService, has_certificate: bool
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    pair = Authority(other).certificate("billing.internal") if has_certificate else (None, None)
    with (
        running_server(service, tls=authority.server_files(mutual=True), callers=CALLERS) as server,
        client(server, authority.file.read_bytes(), pair) as stub,
        pytest.raises(grpc.RpcError) as caught,
    ):
        stub.GetRecording(GET, metadata=(("authorization", "Bearer token"),), timeout=10)
    error: Any = caught.value
    assert error.code() is grpc.StatusCode.UNAVAILABLE
    assert service.asked("get") == []


def test_a_renewed_certificate_is_used_without_a_restart(
    authority: Authority, tmp_path: Path, service: FakeRecordingService
) -> None:
    with running_server(service, tls=authority.server_files()) as server:
        renewed = Authority(tmp_path)
        renewed.server_files()

        def answers() -> bool:
            with client(server, renewed.file.read_bytes()) as stub:
                try:
                    return stub.GetRecording(GET, timeout=10) is not None
                except grpc.RpcError:
                    return False

        eventually(answers, within=10, what="an answer under the renewed certificate")


def test_a_renewed_file_that_is_gone_leaves_the_one_before_in_use(
    authority: Authority, service: FakeRecordingService
) -> None:
    files = authority.server_files()
    with running_server(service, tls=files) as server:
        files.certificate.unlink()
        with client(server, authority.file.read_bytes()) as stub:
            assert stub.GetRecording(GET, timeout=10)


def test_a_file_that_cant_be_read_is_named(tmp_path: Path, service: FakeRecordingService) -> None:
    missing = TlsFiles(tmp_path / "none.pem", tmp_path / "none.key")
    with pytest.raises(TlsFilesUnusable) as caught, running_server(service, tls=missing):
        raise AssertionError("it has started")
    assert caught.value.path.endswith("none.pem")


def test_processes_of_this_machine_reach_it_by_a_socket_without_tls(
    authority: Authority, tmp_path: Path, service: FakeRecordingService
) -> None:
    address = f"unix:{tmp_path / 's'}"
    with (
        running_server(service, tls=authority.server_files(mutual=True), callers=CALLERS, local_address=address),
        grpc.insecure_channel(address) as channel,
    ):
        stub: Any = recording_service_pb2_grpc.RecordingServiceStub(channel)
        assert refused(lambda: stub.GetRecording(GET, timeout=10)).code is grpc.StatusCode.UNAUTHENTICATED
        stub.GetRecording(GET, metadata=(("authorization", "Bearer token"),), timeout=10)
