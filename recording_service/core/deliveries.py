"""Delivering events to the receiver of callbacks: each at least once, however often anything dies on the way.

What is to be delivered is a row each (`DeliveryRows`), and a claim is a lease: an attempt that nobody ended is made
again. Several senders, on several hosts, share the rows. What follows from an answer is one rule, with full jitter
(as in `core.retry`), bounded by the number of failures and by no clock. A failure is the receiver's: that a sender dies
or is stopped amid a delivery costs time, and nothing of the budget.
"""

import logging
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import closing, contextmanager
from datetime import timedelta

from recording_service.core.delivery_settings import DeliverySettings
from recording_service.core.errors import DependencyUnavailable, QueueUnavailable
from recording_service.core.event_ports import Delivery, EventReceiver, ReceiverAnswer
from recording_service.core.failpoints import Failpoint, failpoint
from recording_service.core.ports import Catalogue, ChangeFeed, ChangeSubscription, Clock

_log = logging.getLogger(__name__)

#: Deliveries that are made of the feed at a time.
BATCH = 500
#: How often the end of a delivery is noted again, where the catalogue does not answer, and after how many seconds.
NOTE_TRIES, NOTE_PAUSE_SECONDS = 5, 1.0


class EventSender:
    """One sender. `run` is for one thread; it has threads of its own for what is under way."""

    def __init__(
        self,
        *,
        catalogue: Catalogue,
        receiver: EventReceiver,
        changes: ChangeFeed | None,
        clock: Clock,
        settings: DeliverySettings,
    ) -> None:
        """`changes` has it look at once when something has changed; without, or where it fails, it looks by itself."""
        self._catalogue = catalogue
        self._receiver = receiver
        self._changes = changes
        self._clock = clock
        self._settings = settings
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._under_way: set[Future[None]] = set()
        self._is_failing = False
        self._trouble = ""

    def run(self, stop: threading.Event) -> None:
        """Delivers until told to stop; what is under way then is ended, and made again by whoever comes next."""
        pool = ThreadPoolExecutor(self._settings.at_once, thread_name_prefix="callback")
        try:
            with self._listening(stop):
                while not stop.is_set():
                    self.advance(pool)
                    self._wake.wait(self._settings.poll_seconds)
                    self._wake.clear()
            wait(self._under_way, self._settings.stop_seconds)
        finally:
            self._stopping.set()
            self._receiver.close()
            pool.shutdown()

    def advance(self, pool: ThreadPoolExecutor) -> None:
        """Has delivered what is due, as far as there is room. A catalogue that is down only costs time."""
        self._under_way = {one for one in self._under_way if not one.done()}
        try:
            deliveries = self._claimed()
        except DependencyUnavailable as error:
            if self._trouble != str(error):
                self._trouble = str(error)
                _log.warning("%s; events are delivered when it is back", error)
            return
        except Exception:
            # What is due must come to be delivered although something here has a bug.
            _log.exception("looking for events to be delivered failed unexpectedly")
            return
        if self._trouble:
            self._trouble = ""
            _log.warning("events are delivered again")
        for delivery in deliveries:
            self._under_way.add(pool.submit(self._deliver, delivery))

    def _claimed(self) -> list[Delivery]:
        """What to deliver now; it is this sender's for the time of a lease."""
        self._catalogue.number_events()
        while self._catalogue.schedule_deliveries(self._clock.now(), BATCH) == BATCH:
            continue
        # A receiver that is down is not asked for everything at once, nor is it when it comes back.
        room = (1 if self._is_failing else self._settings.at_once) - len(self._under_way)
        if room <= 0:
            return []
        lease = timedelta(seconds=self._settings.lease_seconds)
        now = self._clock.now()
        return list(self._catalogue.claim_deliveries(now, lease, self._settings.longest_wait, room))

    def _deliver(self, delivery: Delivery) -> None:
        try:
            failpoint(Failpoint.DELIVERY_AFTER_CLAIM)
            answer = self._receiver.send(delivery.event)
            failpoint(Failpoint.DELIVERY_AFTER_ANSWER)
            self._conclude(delivery, answer)
        except Exception:
            # The claim lapses, and the event is delivered again.
            _log.exception("delivering an event failed unexpectedly event_id=%s", delivery.event.event_id)
        finally:
            self._wake.set()

    def _conclude(self, delivery: Delivery, answer: ReceiverAnswer) -> None:
        """Notes what came of an attempt."""
        delivered = answer.status is not None and 200 <= answer.status < 300
        if self._stopping.is_set() and answer.status is None:
            # Ended by this sender itself: nobody has failed.
            now = self._clock.now()
            self._note(lambda: self._catalogue.put_off_delivery(delivery, now, failed=False))
            return
        self._tell_of_failing(delivery, answer, is_failing=not delivered)
        if delivered:
            self._note(lambda: self._catalogue.end_delivery(delivery, delivered=True, now=self._clock.now()))
            return
        self._hold_back(answer)
        failures = delivery.failures + 1
        delay = self._settings.delay_after(failures, answer)
        if delay is not None:
            next_attempt_time = self._clock.now() + delay
            self._note(lambda: self._catalogue.put_off_delivery(delivery, next_attempt_time, failed=True))
        elif self._note(lambda: self._catalogue.end_delivery(delivery, delivered=False, now=self._clock.now())):
            _log.error(
                "an event was given up after %d failures event_id=%s type=%s recording_sid=%s revision=%d",
                failures,
                delivery.event.event_id,
                delivery.event.type,
                delivery.event.key.recording_sid,
                delivery.event.revision,
            )

    def _hold_back(self, answer: ReceiverAnswer) -> None:
        """Leaves a receiver alone that asks for it, with whatever there is for it."""
        settings = self._settings
        if answer.status == 410:
            seconds = settings.gone_seconds
            _log.error("the receiver of events is gone (410); it is asked again at a restart, or in %.0f s", seconds)
        elif answer.status in (429, 502, 503, 504) and answer.retry_after_seconds:
            seconds = min(answer.retry_after_seconds, settings.retry_after_cap_seconds)
        else:
            return
        now = self._clock.now()
        until, latest = now + timedelta(seconds=seconds), now + settings.longest_wait
        self._note(lambda: self._catalogue.hold_deliveries(until, latest))

    def _tell_of_failing(self, delivery: Delivery, answer: ReceiverAnswer, *, is_failing: bool) -> None:
        """Logs when the receiver begins to fail and when it is back; what fails in between, for who looks closer."""
        said = answer.problem or f"answered {answer.status}"
        if is_failing:
            level = logging.DEBUG if self._is_failing else logging.WARNING
            _log.log(
                level,
                "the receiver of events %s event_id=%s attempt=%d",
                said,
                delivery.event.event_id,
                delivery.attempt,
            )
        elif self._is_failing:
            _log.warning("the receiver of events takes them again")
        self._is_failing = is_failing

    def _note(self, note: Callable[[], object]) -> bool:
        """Writes something down, if need be after some tries; whether it hit. Else the claim lapses."""
        for number in range(NOTE_TRIES):
            if number and self._stopping.wait(NOTE_PAUSE_SECONDS):
                break
            try:
                return bool(note())
            except DependencyUnavailable as error:
                _log.warning("%s; what came of a delivery could not be noted yet", error)
        _log.warning("what came of a delivery was not noted: it is made again")
        return False

    @contextmanager
    def _listening(self, stop: threading.Event) -> Iterator[None]:
        """Looks at once, while the context lasts, when the feed of changes says that something has changed."""
        if self._changes is None:
            yield
            return
        with closing(self._changes.subscribe()) as subscription:
            thread = threading.Thread(target=self._listen, args=(subscription, stop), name="event-hints", daemon=True)
            thread.start()
            yield
        # Stopped, it hears of it within a poll.
        thread.join(2 * self._settings.poll_seconds)

    def _listen(self, subscription: ChangeSubscription, stop: threading.Event) -> None:
        while not stop.is_set():
            try:
                if subscription.next(self._settings.poll_seconds):
                    self._wake.set()
            except QueueUnavailable:
                stop.wait(self._settings.poll_seconds)
            except Exception:
                _log.exception("listening for changes failed unexpectedly")
                stop.wait(self._settings.poll_seconds)
