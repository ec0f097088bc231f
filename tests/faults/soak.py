"""The soak: callers of every kind for a long time, while a gremlin breaks whatever it can reach."""

import random
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from tests.faults.checker import Checker
from tests.faults.gremlin import Gremlin
from tests.faults.history import Answer
from tests.faults.leaks import leaks
from tests.faults.world import World
from tests.support.waiting import eventually

#: How many do the same at once, by what they do.
ASKERS, READERS, WATCHERS = 4, 3, 2
#: A caller's pause between two calls, in seconds, on average.
PAUSE_SECONDS = 0.15
#: How many of the enqueues are for a new recording: fewer than the workers can fetch while the gremlin is about.
NEW_SHARE = 0.06
#: How many recordings a caller chooses from: the latest, so that they are asked for again and again.
LATEST = 60
#: How often it is told how far things are, in seconds.
TELL_SECONDS = 60.0
#: The service's own variables: the scrub goes round quickly, so that damage is found within the soak.
VARIABLES = {"RECORDING_SCRUB_BYTES_PER_SECOND": "100000000", "RECORDING_SCRUB_INTERVAL_SECONDS": "20"}


class Soak:
    """One soak in one world."""

    def __init__(self, world: World, minutes: float, say: Callable[[str], None]) -> None:
        self._world = world
        self._seconds = minutes * 60.0
        self._say = say
        self._over = threading.Event()
        self._sids: list[str] = []
        self._adding = threading.Lock()
        self.recovery_seconds = 0.0

    def run(self) -> list[str]:
        """Soaks, lets everything recover, checks; what did not hold, a line each."""
        world = self._world
        gremlin = Gremlin(world, lambda: self._sids[-LATEST:])
        kinds = [self._ask] * ASKERS + [self._read] * READERS + [self._watch] * WATCHERS
        with ThreadPoolExecutor(len(kinds) + 1) as pool:
            going = [pool.submit(self._go_on, kind, number) for number, kind in enumerate(kinds)]
            going.append(pool.submit(self._tell))
            for one in going:
                one.add_done_callback(lambda _: self._over.set())
            try:
                # Here, as what it starts ends with the thread that has started it.
                gremlin.run(self._over)
            finally:
                self._over.set()
            for one in going:
                one.result()
        gremlin.make_good()
        world.mended()
        self.recovery_seconds = world.settle()
        eventually(lambda: not self._damaged(), within=world.recovery_seconds, what="whole objects everywhere")
        world.play_everything()
        checker = Checker(
            world.history, world.twilio, world.shelf, world.catalogue, cannot_be_had=world.expected_failures
        )
        figures = checker.figures()
        self._say(f"{self._seconds / 60:.0f} minutes; {gremlin.told()}")
        self._say(
            f"{figures.faults} faults, {figures.recordings} recordings, {figures.answers} answers checked; everything "
            f"had come to an end {self.recovery_seconds:.1f} s after the gremlin; {figures.duplicate_downloads} "
            f"duplicate downloads; {figures.orphans} orphans left to the sweep"
        )
        return [str(violation) for violation in checker.violations()] + leaks(world)

    def _go_on(self, act: Callable[[random.Random], object], number: int) -> None:
        chance = random.Random(f"{self._world.seed}-{number}")
        while not self._over.wait(chance.uniform(0.0, 2 * PAUSE_SECONDS)):
            act(chance)

    def _ask(self, chance: random.Random) -> object:
        callers = self._world.callers
        if chance.random() < NEW_SHARE or not self._sids:
            with self._adding:
                self._sids += self._world.add(1)
        recording_sid = chance.choice(self._sids[-LATEST:])
        kind = chance.random()
        if kind < 0.5:
            return callers.enqueue(recording_sid)
        if kind < 0.85:
            return callers.webhook(recording_sid)
        return callers.batch(chance.sample(self._sids[-LATEST:], min(5, len(self._sids[-LATEST:]))))

    def _read(self, chance: random.Random) -> Answer | None:
        if not self._sids:
            return None
        recording_sid = chance.choice(self._sids[-LATEST:])
        size = len(self._world.twilio.media(recording_sid))
        first = chance.randrange(size)
        if chance.random() < 0.5:
            return self._world.callers.stream(recording_sid, first, chance.randint(0, size))
        return self._world.callers.play(recording_sid, first, chance.randint(first, size - 1))

    def _watch(self, chance: random.Random) -> Answer | None:
        return self._world.callers.watch(chance.choice(self._sids[-LATEST:]), within=10.0) if self._sids else None

    def _damaged(self) -> list[str]:
        """READY recordings whose bytes are not those of the row."""
        world = self._world
        ready = [row for row in world.catalogue.rows() if row["state"] == "ready"]
        return [
            str(row["recording_sid"])
            for row in ready
            if world.shelf.size(str(row["object_key"])) is None
            or world.shelf.sha256(str(row["object_key"])) != row["sha256"]
        ]

    def _tell(self) -> None:
        """Says how far things are, and ends the soak when its time has come."""
        while (left := self._seconds - self._world.history.seconds()) > 0:
            if self._over.wait(min(TELL_SECONDS, left)):
                return
            states = [str(row["state"]) for row in self._world.catalogue.rows()]
            counts = ", ".join(f"{states.count(state)} {state}" for state in sorted(set(states)))
            self._say(f"{left:5.0f} s left: {len(self._world.history.answers)} answers; {counts}")
