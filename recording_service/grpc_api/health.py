"""`grpc.health.v1.Health`: whether reading works here, for probes and load balancers.

`grpc_health`'s own servicer, with what it lacks: Check looks at the service itself and says how much is waiting. It is
not used as it comes: it sends to watchers under its lock, and the whole server freezes when a watcher leaves at that
moment (grpc#43403). So a watcher gets a thread here, and there is a cap on them.
"""

import threading
from collections.abc import Iterator
from typing import Any, NamedTuple

import grpc
from grpc_health.v1 import health, health_pb2

from recording_service.core.errors import CapacityExhausted
from recording_service.core.service import RecordingService, ServiceHealth
from recording_service.grpc_api.calls import Call
from recording_service.grpc_api.edge import refuse
from recording_service.grpc_api.health_monitor import HealthMonitor
from recording_service.grpc_api.slots import Slots

#: Trailing metadata of Check: how many recordings wait, for how many seconds the oldest due one has, whether the shelf
#: is full ("true" or "false"; what is there is served all the same), and how many streams of bytes and watches this
#: server has open.
QUEUED_KEY = "recording-queued"
OLDEST_DUE_SECONDS_KEY = "recording-oldest-due-seconds"
STORAGE_FULL_KEY = "recording-storage-full"
OPEN_STREAMS_KEY = "recording-open-streams"
OPEN_WATCHES_KEY = "recording-open-watches"

_SERVING = health_pb2.HealthCheckResponse.SERVING
_NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


class OpenCalls(NamedTuple):
    """What the server's open calls hold."""

    streams: Slots
    watches: Slots


class RecordingHealthServicer(health.HealthServicer):
    """The health of the server (the name "") and of the recording service, which is the same."""

    def __init__(self, service: RecordingService, service_name: str, slots: Slots, open_calls: OpenCalls) -> None:
        super().__init__(experimental_non_blocking=False)
        self._names = ("", service_name)
        self._slots = slots
        self._open_calls = open_calls
        self._watchers_lock = threading.Lock()
        self._watchers: set[Any] = set()
        self._draining = False
        self._monitor = HealthMonitor(service.health, self._tell, lambda: slots.held > 0)
        self._tell(False)

    def start(self) -> None:
        """Starts looking at the service. Until the first look it is not serving."""
        self._monitor.start()

    def stop(self) -> None:
        """Stops looking. Idempotent."""
        self._monitor.stop()

    def drain(self) -> None:
        """From now on NOT_SERVING, whatever the service says; watchers hear it and their calls end. Idempotent."""
        self.enter_graceful_shutdown()
        with self._watchers_lock:
            self._draining = True
            watchers = list(self._watchers)
        for watcher in watchers:
            watcher.close()

    def Check(  # noqa: N802
        self, request: health_pb2.HealthCheckRequest, context: grpc.ServicerContext
    ) -> health_pb2.HealthCheckResponse:
        """SERVING while catalogue and shelf answer (never because of Redis); NOT_FOUND for another service's name."""
        if request.service not in self._names:
            return super().Check(request, context)
        if self._draining:
            return health_pb2.HealthCheckResponse(status=_NOT_SERVING)
        found = self._monitor.current()
        context.set_trailing_metadata((*_details(found), *self._open()))
        return health_pb2.HealthCheckResponse(status=_SERVING if found.serving else _NOT_SERVING)

    def Watch(  # type: ignore[override]  # noqa: N802
        self, request: health_pb2.HealthCheckRequest, context: grpc.ServicerContext
    ) -> Iterator[health_pb2.HealthCheckResponse]:
        """The status now, then each change of it."""
        try:
            self._slots.take()
        except CapacityExhausted as error:
            refuse(Call(context, "Watch"), error)
            return iter(())
        watcher = super().Watch(request, context)
        with self._watchers_lock:
            self._watchers.add(watcher)
            if self._draining:
                watcher.close()
        if not context.add_callback(lambda: self._forget(watcher)):
            self._forget(watcher)
        self._monitor.want()
        return watcher

    def _open(self) -> tuple[tuple[str, str], ...]:
        return (
            (OPEN_STREAMS_KEY, str(self._open_calls.streams.held)),
            (OPEN_WATCHES_KEY, str(self._open_calls.watches.held)),
        )

    def _forget(self, watcher: Any) -> None:
        with self._watchers_lock:
            self._watchers.discard(watcher)
        watcher.close()
        self._slots.release()

    def _tell(self, serving: bool) -> None:
        for name in self._names:
            self.set(name, _SERVING if serving else _NOT_SERVING)


def _details(found: ServiceHealth) -> tuple[tuple[str, str], ...]:
    """How much is waiting and whether there is room, as far as it is known."""
    metadata: list[tuple[str, str]] = []
    if found.queued is not None:
        metadata.append((QUEUED_KEY, str(found.queued)))
    if found.oldest_due_seconds is not None:
        metadata.append((OLDEST_DUE_SECONDS_KEY, f"{found.oldest_due_seconds:.1f}"))
    if found.storage_full is not None:
        metadata.append((STORAGE_FULL_KEY, str(found.storage_full).lower()))
    return tuple(metadata)
