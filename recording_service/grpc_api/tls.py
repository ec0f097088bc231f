"""TLS for the gRPC server, with certificates that may be renewed while it runs."""

import threading
from pathlib import Path
from typing import Any

import grpc

from recording_service.grpc_api.settings import TlsFiles


class TlsFilesUnusable(Exception):
    """Raised when a TLS file can't be read. `path` is the one."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"{path} can't be read: {problem}")
        self.path = path


def server_credentials(files: TlsFiles) -> grpc.ServerCredentials:
    """Credentials that read the files again once one has changed. Raises TlsFilesUnusable.

    A renewed file that can't be read, or is only half there, leaves the one before in use.
    """
    reader = _Reader(files)
    return grpc.dynamic_ssl_server_credentials(
        reader.read(), reader.renewed, require_client_authentication=files.client_ca is not None
    )


class _Reader:
    """Reads certificate, key and authority, and knows whether they have changed since."""

    def __init__(self, files: TlsFiles) -> None:
        self._files = files
        self._lock = threading.Lock()
        self._stamp: tuple[tuple[int, int], ...] = ()

    def read(self) -> grpc.ServerCertificateConfiguration:
        """The files as they are. Raises TlsFilesUnusable."""
        stamp = self._stamp_now()
        contents = {}
        for path in self._paths():
            try:
                contents[path] = path.read_bytes()
            except OSError as error:
                raise TlsFilesUnusable(str(path), error.strerror or "unknown") from error
        self._stamp = stamp
        authority = contents[self._files.client_ca] if self._files.client_ca is not None else None
        pair = (contents[self._files.key], contents[self._files.certificate])
        return grpc.ssl_server_certificate_configuration([pair], root_certificates=authority)

    # Typed Any, because grpc's stubs know of no fetcher that gives None, as its documentation has it.
    def renewed(self) -> Any:
        """The files, if they have changed; None: those before go on. Asked by gRPC for each new connection."""
        with self._lock:
            try:
                return None if self._stamp_now() == self._stamp else self.read()
            except TlsFilesUnusable:
                return None

    def _paths(self) -> list[Path]:
        return [path for path in (self._files.certificate, self._files.key, self._files.client_ca) if path is not None]

    def _stamp_now(self) -> tuple[tuple[int, int], ...]:
        stamps = []
        for path in self._paths():
            try:
                status = path.stat()
            except OSError as error:
                raise TlsFilesUnusable(str(path), error.strerror or "unknown") from error
            stamps.append((status.st_mtime_ns, status.st_ino))
        return tuple(stamps)
