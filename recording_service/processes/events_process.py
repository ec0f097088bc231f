"""`recording-service events`: delivers events to the receiver of callbacks, in a process of its own."""

import logging
from collections.abc import Callable
from contextlib import ExitStack, closing
from urllib.parse import urlsplit

from recording_service.config import ConfigurationError, Settings
from recording_service.core.clock import SystemClock
from recording_service.core.deliveries import EventSender
from recording_service.processes import wiring
from recording_service.processes.failpoints import arm_failpoints
from recording_service.processes.stopping import stop_on_signals

_log = logging.getLogger(__name__)


def run_events(settings: Settings, ready: Callable[[], None]) -> None:
    """Delivers until SIGTERM or SIGINT. Raises ConfigurationError, CatalogueUnavailable."""
    stop = stop_on_signals()
    arm_failpoints(settings)
    if not settings.events_url:
        raise ConfigurationError(["RECORDING_EVENTS_URL: is not set; name where events are to be delivered"])
    with ExitStack() as stack:
        catalogue = stack.enter_context(closing(wiring.open_catalogue(settings)))
        receiver = stack.enter_context(closing(wiring.open_receiver(settings)))
        # A hint that comes early, and nothing depends on.
        has_redis = bool(settings.redis_url.get_secret_value())
        changes = stack.enter_context(closing(wiring.open_changes(settings))) if has_redis else None
        catalogue.begin_deliveries()
        # Whoever starts this says that the receiver is to be asked, whatever it has said before.
        catalogue.resume_deliveries()
        sender = EventSender(
            catalogue=catalogue,
            receiver=receiver,
            changes=changes,
            clock=SystemClock(),
            settings=wiring.delivery_settings(settings),
        )
        _log.info("events are delivered to %s", urlsplit(settings.events_url).netloc)
        ready()
        sender.run(stop)
