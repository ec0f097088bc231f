"""What events need of the world: rows of the catalogue, of which these are parts, and somebody to deliver them to."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, Protocol

from recording_service.core.events import Event

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
#: How far the feed of a restored catalogue moves on at the least, whatever a clock says.
LEAP = 10**9


class FeedPosition(NamedTuple):
    """How far the feed of events has come: the newest revision that was given, and the newest that is not kept."""

    revision: int
    pruned_revision: int

    def anew(self, now: datetime) -> "FeedPosition":
        """Where the feed of a restored catalogue begins: beyond all that may have been given since the backup.

        No feed gives a million revisions a second, so none that was given before, after an earlier restore either, is
        as high as the microseconds since 1970. They are exact in a double, too.
        """
        begin = max((now - _EPOCH) // timedelta(microseconds=1), self.revision + LEAP)
        return FeedPosition(begin, begin)


class PrunedEvents(NamedTuple):
    """How many events were removed, and of how many the delivery had not ended: those are never delivered."""

    removed: int
    undelivered: int


class EventRows(Protocol):
    """The feed of events, which `amend` writes. Raises CatalogueUnavailable as RecordingRows does.

    Whoever writes an event gives it no revision: numbers that are drawn before a commit become visible in another
    order. Whoever reads gives revisions to what is committed and has none, one reader at a time.
    """

    def number_events(self) -> FeedPosition:
        """Gives every committed event its revision, without a gap; how far the feed has come then. Idempotent.

        An event that was written after another one was committed comes after it. On PostgreSQL it waits for no writer
        of events, nor they for it. Where there is nothing to be numbered it only reads.
        """

    def feed_position(self) -> FeedPosition:
        """How far the feed has come. Whatever has a revision was committed before."""

    def begin_feed_anew(self, now: datetime) -> FeedPosition:
        """Moves the feed of a restored catalogue on to where no reader has been; how far it has come then.

        Events since the backup are lost, and their revisions would be given once more: whoever has kept one of them
        would miss what has it now. So no revision that was ever given is gone on from, and all begin with a snapshot.
        Deliveries that wait stay. Again it moves the feed once more, which costs readers another snapshot.
        """

    def events(self, after_revision: int, size: int) -> Sequence[Event]:
        """At most `size` events after that revision, in order and without a gap among them.

        Where the first one is not the next revision, those between are not kept any more.
        """

    def age_events(self, passed: timedelta) -> None:
        """Has every event that has a revision grow older by so much. No wall clock has a say. Not idempotent."""

    def prune_events(self, age: timedelta, size: int) -> PrunedEvents:
        """Removes the oldest events, at most `size`, as far as they are of that age or older.

        An event's age begins when it is given its revision. What is still to be delivered of them is not delivered any
        more, and `count_deliveries` has it as forgotten.
        """


class Delivery(NamedTuple):
    """A try to deliver one event to the receiver of callbacks.

    `attempt` counts the claims from 1, and fences them. `failures` counts those before this one in which the receiver
    did not take the event: a sender that dies or is stopped is no failure of the receiver's.
    """

    event: Event
    attempt: int
    failures: int


class DeliveryCounts(NamedTuple):
    """How many deliveries wait for their next try, and how many were given up, as far as their events are kept.

    `forgotten` counts the events, since the first one, that were removed before their delivery had ended.
    """

    pending: int
    given_up: int
    forgotten: int = 0


class DeliveryRows(Protocol):
    """What is to be delivered to the receiver of callbacks. Raises CatalogueUnavailable as RecordingRows does.

    One delivery an event. A claim is a lease by the wall clock: whoever has died lets it lapse, and the event is
    delivered once more. So a clock that is wrong costs a second delivery, or a wait of at most `longest_wait`.
    """

    def begin_deliveries(self) -> None:
        """From now on events are to be delivered; those that have a revision already are not. Idempotent."""

    def schedule_deliveries(self, now: datetime, size: int) -> int:
        """Makes deliveries, due now, of at most `size` events that have none, in order; how many. Each event gets one.

        Nothing before `begin_deliveries`.
        """

    def claim_deliveries(
        self, now: datetime, lease: timedelta, longest_wait: timedelta, size: int
    ) -> Sequence[Delivery]:
        """Takes at most `size` due deliveries for so long, those that have waited longest first; each for one caller.

        One whose time is later than `longest_wait` from now is due as well: no clock that goes right has set it.
        Nothing while deliveries are held back.
        """

    def end_delivery(self, delivery: Delivery, *, delivered: bool, now: datetime) -> bool:
        """Notes that the event was delivered, or failed once more and was given up.

        False if another attempt has taken over, or it has ended.
        """

    def put_off_delivery(self, delivery: Delivery, next_attempt_time: datetime, *, failed: bool) -> bool:
        """Has the event tried again at that time; `failed`: because the receiver did not take it, which is counted.

        Idempotent. False if another attempt has taken over, or it has ended.
        """

    def hold_deliveries(self, until: datetime, latest: datetime) -> None:
        """Has nothing claimed until that time, or for longer where that was said before. Idempotent.

        What was said before counts for nothing where it is later than `latest`: only a wrong clock can have set it.
        """

    def resume_deliveries(self) -> None:
        """Has deliveries claimed again, however long they were to be held back. Idempotent."""

    def count_deliveries(self) -> DeliveryCounts:
        """How many wait, were given up and were forgotten: for people."""


class ReceiverAnswer(NamedTuple):
    """What the receiver of callbacks made of one.

    `status` is that of HTTP; None: there was no answer, and `problem` says why in a word. `retry_after_seconds` is what
    it asked to be left alone for.
    """

    status: int | None
    retry_after_seconds: float | None = None
    problem: str = ""


class EventReceiver(Protocol):
    """Where events are delivered. Safe to use from many threads."""

    def send(self, event: Event) -> ReceiverAnswer:
        """Delivers the event once more, within its deadline. Whatever the network does is an answer, not an error."""

    def close(self) -> None:
        """Ends what is under way, and whatever comes after, without an answer. Idempotent."""
