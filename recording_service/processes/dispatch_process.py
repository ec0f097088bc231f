"""`recording-service dispatch`: the dispatcher in a process of its own."""

import logging
import os
import secrets
import socket
from collections.abc import Callable
from contextlib import ExitStack, closing

from recording_service.config import Settings
from recording_service.core.clock import SystemClock
from recording_service.core.dispatch import Dispatcher
from recording_service.core.event_retention import EventRetention
from recording_service.core.scrub import ShelfScrub
from recording_service.core.sweep import ShelfSweep
from recording_service.processes import wiring
from recording_service.processes.failpoints import arm_failpoints
from recording_service.processes.stopping import stop_on_signals

_log = logging.getLogger(__name__)


def process_name(part: str) -> str:
    """A name that no other process has, ever: it goes into the catalogue."""
    return f"{part}-{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"


def run_dispatcher(settings: Settings, ready: Callable[[], None]) -> None:
    """Dispatches until SIGTERM or SIGINT. Raises ConfigurationError, CatalogueUnavailable."""
    stop = stop_on_signals()
    arm_failpoints(settings)
    with ExitStack() as stack:
        catalogue = stack.enter_context(closing(wiring.open_catalogue(settings)))
        queue = stack.enter_context(closing(wiring.open_queue(settings)))
        changes = stack.enter_context(closing(wiring.open_changes(settings)))
        storage = stack.enter_context(closing(wiring.open_storage(settings)))
        clock = SystemClock()
        dispatcher = Dispatcher(
            name=process_name("dispatcher"),
            catalogue=catalogue,
            queue=queue,
            storage=storage,
            attempts=wiring.attempts(settings, catalogue, changes),
            sweep=ShelfSweep(catalogue, storage, clock, wiring.sweep_settings(settings)),
            scrub=ShelfScrub(catalogue, storage, clock, wiring.scrub_settings(settings)),
            retention=EventRetention(catalogue, clock, wiring.retention_settings(settings)),
            clock=clock,
            settings=wiring.dispatch_settings(settings),
        )
        ready()
        dispatcher.run(stop)
