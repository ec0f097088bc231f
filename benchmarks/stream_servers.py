"""Servers of recordings that are on the shelf already: the real one, what it is measured against, and a bare sender."""

import socket
import struct
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import grpc

from benchmarks.own_process import Serving
from benchmarks.prepared_recordings import ACCOUNT_SID
from recording_service.adapters.disk_storage.storage import DiskStorage
from recording_service.adapters.memory.changes import MemoryChangeFeed
from recording_service.adapters.memory.queue import MemoryBellQueue
from recording_service.adapters.sql_catalogue import SqlCatalogue
from recording_service.core.clock import SystemClock
from recording_service.core.requests import RequestChecker, Target
from recording_service.core.service import RecordingService
from recording_service.grpc_api.access import AccessGate
from recording_service.grpc_api.server import RecordingGrpcServer
from recording_service.grpc_api.servicer import RecordingServicer
from recording_service.grpc_api.settings import GrpcServerSettings
from recording_service.grpc_api.slots import Slots
from recording_service.grpc_api.stalls import StallSweeper
from recording_service.grpc_api.streams import ChunkSize, RecordingStreams
from recording_service.grpc_api.watches import RecordingWatches
from recording_service.signed_urls import SigningKey, UrlSigner
from recordings.v1 import recording_service_pb2_grpc, stream_pb2

#: Bytes of a frame that the bare sender sends: as large as the chunks of the real one.
BARE_FRAME_BYTES = 1024 * 1024

_SETTINGS = GrpcServerSettings(address="127.0.0.1:0")
#: Nothing is signed here.
_SIGNER = UrlSigner([SigningKey("benchmark", bytes(32))], "http://127.0.0.1")


def catalogue_url(folder: Path) -> str:
    """Where the prepared rows are."""
    return f"sqlite:///{folder / 'catalogue.sqlite3'}"


def shelf_of(folder: Path) -> Path:
    """Where the prepared objects are."""
    return folder / "recordings"


def serve_frames(serving: Serving, folder: Path) -> None:
    """The server as it is: chunks are written as frames."""
    with _service(folder) as service:
        server = RecordingGrpcServer(service, _checker(), _SIGNER, _SETTINGS)
        serving.until_told_to_stop(server.start())
        server.stop(0)


class OrdinaryServicer(RecordingServicer):
    """The same servicer, with StreamRecording as one writes it in Python: read, make a message, yield it.

    What was read is kept while the message is sent. That costs some 370 page faults a MiB (`minflt` of
    `/proc/<pid>/stat`), against 20 of the servicer's own StreamRecording, which lets go of it first.
    """

    def __init__(
        self,
        service: RecordingService,
        checker: RequestChecker,
        signer: UrlSigner,
        streams: RecordingStreams,
        watches: RecordingWatches,
    ) -> None:
        super().__init__(service, checker, signer, streams, watches)
        self._opens = service

    def StreamRecording(  # noqa: N802
        self, request: stream_pb2.StreamRecordingRequest, _: object
    ) -> Iterator[stream_pb2.StreamRecordingResponse]:
        """Chunks of the same sizes as the real one's, as messages."""
        target = Target(request.account_sid, request.recording_sid)
        with closing(self._opens.open_range(target, request.offset, request.length, request.etag)) as opened:
            size = ChunkSize()
            position = opened.start
            while position < opened.end:
                data = opened.read(size.bytes)
                began = time.monotonic()
                yield stream_pb2.StreamRecordingResponse(data=data, offset=position)
                size.sent(len(data), time.monotonic() - began)
                position += len(data)


def serve_own_messages(serving: Serving, folder: Path) -> None:
    """The same servicer with the messages of its own StreamRecording: all that differs is how chunks are written."""
    _serve_messages(serving, folder, RecordingServicer)


def serve_ordinary_messages(serving: Serving, folder: Path) -> None:
    """The same servicer with StreamRecording as one writes it in Python."""
    _serve_messages(serving, folder, OrdinaryServicer)


def _serve_messages(serving: Serving, folder: Path, servicer_class: type[RecordingServicer]) -> None:
    """Serves messages: registered as generated code does it, they are serialized by protobuf."""
    with _service(folder) as service, ThreadPoolExecutor(_SETTINGS.threads) as pool:
        stalls = StallSweeper(_SETTINGS.stall_seconds)
        servicer = servicer_class(
            service,
            _checker(),
            _SIGNER,
            RecordingStreams(Slots("streams", _SETTINGS.streams), stalls),
            RecordingWatches(Slots("watchers", _SETTINGS.watchers), stalls),
        )
        server = grpc.server(pool, interceptors=[AccessGate(None)], options=_SETTINGS.channel_options())
        recording_service_pb2_grpc.add_RecordingServiceServicer_to_server(servicer, server)  # type: ignore[arg-type]  # it has the same methods
        port = server.add_insecure_port(_SETTINGS.address)
        stalls.start()
        server.start()
        serving.until_told_to_stop(port)
        server.stop(0).wait()
        stalls.stop()


def send_bare_frames(serving: Serving, size_bytes: int) -> None:
    """Answers whatever is asked with frames made once, as fast as a socket takes them: shows what a client can take.

    Serves one connection after the other, each with one call.
    """
    frame = struct.pack(">BHBBI", BARE_FRAME_BYTES >> 16, BARE_FRAME_BYTES & 0xFFFF, 0, 0, 1) + bytes(BARE_FRAME_BYTES)
    trailers = b"\x88\x00\x0bgrpc-status\x010"
    end = struct.pack(">BHBBI", 0, len(trailers), 1, 0x5, 1) + trailers
    with socket.create_server(("127.0.0.1", 0)) as listener, ThreadPoolExecutor(1) as pool:
        pool.submit(_send_to_each, listener, frame, size_bytes // BARE_FRAME_BYTES, end)
        serving.until_told_to_stop(listener.getsockname()[1])
        listener.shutdown(socket.SHUT_RDWR)


def _send_to_each(listener: socket.socket, frame: bytes, count: int, end: bytes) -> None:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        with connection:
            connection.recv(len(frame))
            for _ in range(count):
                connection.sendall(frame)
            connection.sendall(end)
            # Whatever the client still says must not meet a closed socket before it has read all.
            while connection.recv(len(frame)):
                continue


@contextmanager
def _service(folder: Path) -> Iterator[RecordingService]:
    with ExitStack() as stack:
        service = RecordingService(
            catalogue=stack.enter_context(closing(SqlCatalogue.open(catalogue_url(folder)))),
            queue=MemoryBellQueue(),
            storage=stack.enter_context(closing(DiskStorage.at(shelf_of(folder)))),
            changes=MemoryChangeFeed(),
            clock=SystemClock(),
        )
        yield stack.enter_context(closing(service))


def _checker() -> RequestChecker:
    return RequestChecker(account_sids={ACCOUNT_SID}, source_hosts=())
