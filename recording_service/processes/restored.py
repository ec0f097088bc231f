"""`recording-service restored`: said of a catalogue that was restored by other means than the copy of a backup."""

from contextlib import closing

from recording_service.config import Settings
from recording_service.core.clock import SystemClock
from recording_service.core.event_ports import FeedPosition
from recording_service.processes import wiring


def run_restored(settings: Settings) -> FeedPosition:
    """Has the feed of events begin anew; how far it has come then. Raises ConfigurationError, CatalogueUnavailable."""
    with closing(wiring.open_catalogue(settings)) as catalogue:
        return catalogue.begin_feed_anew(SystemClock().now())
