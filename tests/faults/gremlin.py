"""The gremlin: breaks something every few seconds, and mends what it has broken."""

import random
import signal
import sqlite3
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from recording_service.twilio_stand_in import answers
from tests.faults.proxy import Direction
from tests.faults.world import World
from tests.support.processes import Process

#: Shortest and longest time between two tricks, in seconds.
PAUSE_SECONDS = (1.0, 6.0)
#: Shortest and longest time that something stays broken, in seconds.
BROKEN_SECONDS = (0.5, 8.0)


class Gremlin:
    """Plays tricks on a world. `run` is for one thread."""

    def __init__(self, world: World, latest: Callable[[], list[str]]) -> None:
        """`latest` names the recordings it may spoil."""
        self._world = world
        self._latest = latest
        self._chance = random.Random(f"gremlin-{world.seed}")
        self._over = threading.Event()
        self._played: Counter[str] = Counter()
        self._tricks: list[Callable[[], None]] = [
            self._kill_a_part,
            self._kill_a_part,
            self._kill_a_work_horse,
            self._stop_a_part,
            self._kill_redis,
            self._flush_redis,
            self._freeze_redis,
            self._disturb_redis,
            self._disturb_twilio,
            self._misbehave,
            self._misbehave,
            self._remove_an_object,
            self._shorten_an_object,
            self._turn_a_bit_over,
            self._lock_the_database,
            self._restart_everything,
        ]

    def run(self, over: threading.Event) -> None:
        """Plays tricks until it is over."""
        self._over = over
        while not over.wait(self._chance.uniform(*PAUSE_SECONDS)):
            trick = self._chance.choice(self._tricks)
            self._played[trick.__name__.strip("_").replace("_", " ")] += 1
            trick()

    def make_good(self) -> None:
        """Leaves everything as it found it."""
        self._world.redis_proxy.mend()
        self._world.twilio_proxy.mend()

    def told(self) -> str:
        """What it has done."""
        return ", ".join(f"{count} x {what}" for what, count in sorted(self._played.items()))

    @contextmanager
    def _for_a_while(self, what: str) -> Iterator[None]:
        with self._world.history.striking(what):
            yield
            self._over.wait(self._chance.uniform(*BROKEN_SECONDS))

    def _kill_a_part(self) -> None:
        self._kill(self._world.processes.parts())

    def _kill_a_work_horse(self) -> None:
        self._kill(self._world.processes.work_horses())

    def _kill(self, processes: list[Process]) -> None:
        if processes:
            victim = self._chance.choice(processes)
            self._world.history.struck(f"{victim.name} is killed")
            victim.kill()

    def _stop_a_part(self) -> None:
        if not (parts := self._world.processes.parts()):
            return
        victim = self._chance.choice(parts)
        # It may end before the signal comes, or while it stands still: another part has taken its place then.
        with suppress(ProcessLookupError):
            with self._for_a_while(f"{victim.name} stands still"):
                victim.send(signal.SIGSTOP)
            victim.go_on()

    def _kill_redis(self) -> None:
        with self._for_a_while("Redis is killed"):
            self._world.redis.kill()
        self._world.redis.start()

    def _flush_redis(self) -> None:
        self._world.redis.flush()
        self._world.history.struck("FLUSHALL")

    def _freeze_redis(self) -> None:
        with self._for_a_while("Redis stands still"):
            self._world.redis.freeze()
        self._world.redis.thaw()

    def _disturb_redis(self) -> None:
        proxy = self._world.redis_proxy
        how: list[Callable[[], None]] = [
            proxy.refuse,
            proxy.black_hole,
            lambda: proxy.delay(self._chance.uniform(0.01, 2.0)),
            lambda: proxy.cut_after(self._chance.randint(1, 5000), Direction.TO_CLIENT, times=10),
            lambda: proxy.cut_reply(b"EVALSHA", times=5),
        ]
        with self._for_a_while("the way to Redis is disturbed"):
            self._chance.choice(how)()
        proxy.mend()

    def _disturb_twilio(self) -> None:
        proxy = self._world.twilio_proxy
        how: list[Callable[[], None]] = [
            proxy.refuse,
            proxy.black_hole,
            lambda: proxy.delay(self._chance.uniform(0.01, 1.0)),
            lambda: proxy.cut_after(self._chance.randint(1, 50_000), Direction.TO_CLIENT, times=10),
        ]
        with self._for_a_while("the way to Twilio is disturbed"):
            self._chance.choice(how)()
        proxy.mend()

    def _misbehave(self) -> None:
        for recording_sid in self._some():
            answer = self._chance.choice(
                [
                    answers.server_error(500),
                    answers.not_found(),
                    answers.too_many_requests(1),
                    answers.media().truncate(after=self._chance.randint(1, 4000)),
                    answers.media().reset(after=self._chance.randint(1, 4000)),
                    answers.media().chunked().truncate(),
                    answers.empty(),
                ]
            )
            self._world.history.struck("Twilio misbehaves")
            self._world.twilio.behave(recording_sid, answer)

    def _some(self) -> list[str]:
        latest = self._latest()
        return self._chance.sample(latest, min(3, len(latest)))

    def _spoil(self, what: str, how: Callable[[str, int], None]) -> None:
        """Does something to the objects of some recordings, given where each is and its size."""
        for recording_sid in self._some():
            row = self._world.catalogue.row(recording_sid)
            if row is None or row["state"] != "ready":
                continue
            object_key = str(row["object_key"])
            # A newer object may take this one's place just now, and there is nothing to spoil then.
            with self._world.history.striking(what, recording_sid), suppress(FileNotFoundError):
                if size := self._world.shelf.size(object_key):
                    how(object_key, size)

    def _remove_an_object(self) -> None:
        self._spoil("object removed", lambda object_key, _: self._world.shelf.remove(object_key))

    def _shorten_an_object(self) -> None:
        self._spoil(
            "object shortened",
            lambda object_key, size: self._world.shelf.truncate(object_key, self._chance.randrange(size)),
        )

    def _turn_a_bit_over(self) -> None:
        self._spoil(
            "bit turned over",
            lambda object_key, size: self._world.shelf.flip_bit(object_key, self._chance.randrange(size)),
        )

    def _lock_the_database(self) -> None:
        lock = sqlite3.connect(f"{self._world.folder}/data/catalogue.sqlite3", isolation_level=None, timeout=10.0)
        try:
            with self._for_a_while("SQLite is locked"):
                lock.execute("BEGIN IMMEDIATE")
            lock.execute("ROLLBACK")
        finally:
            lock.close()

    def _restart_everything(self) -> None:
        with self._for_a_while("everything is killed"):
            self._world.kill_service()
        self._world.start_service()
