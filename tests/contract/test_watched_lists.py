"""Lists that are watched, over every catalogue: what they show comes to be what is in it."""

from recording_service.core.ports import Catalogue
from tests.support.core_world import World
from tests.support.failing_port import Faults
from tests.support.watched_lists import play_and_watch


def test_lists_come_to_be_what_the_catalogue_has_though_the_feed_loses_words(catalogue: Catalogue) -> None:
    play_and_watch(World(catalogue=Faults[Catalogue](catalogue)), recordings=30, events=120, watchers=4)
