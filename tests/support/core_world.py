"""The core over adapters in memory, with a clock and faults that tests move by hand; and values they share."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from recording_service.adapters.memory.catalogue import MemoryCatalogue
from recording_service.adapters.memory.changes import MemoryChangeFeed
from recording_service.adapters.memory.queue import MemoryBellQueue
from recording_service.adapters.memory.source import MemorySource, Outcome
from recording_service.adapters.memory.storage import MemoryStorage
from recording_service.adapters.twilio_decryption.decryptor import TwilioDecryptor
from recording_service.core.attempts import Attempts
from recording_service.core.dispatch import Dispatcher, DispatchSettings
from recording_service.core.download import Downloader, DownloadSettings
from recording_service.core.enqueueing import Enqueuer
from recording_service.core.event_retention import EventRetention
from recording_service.core.model import (
    Bell,
    CallDetails,
    EncryptionDetails,
    EnqueueRequest,
    Priority,
    Recording,
    RecordingJob,
    RecordingKey,
    Step,
    Work,
)
from recording_service.core.next_bells import NO_LIMITS, AccountLimits, NextBells
from recording_service.core.noting import Noting
from recording_service.core.ports import Catalogue, ChangeFeed, Decryptor, MediaSource, Storage
from recording_service.core.processor import ProcessingSettings, Processor, StepRunner
from recording_service.core.retry import RetryPolicy
from recording_service.core.scrub import ScrubSettings, ShelfScrub
from recording_service.core.service import RecordingService
from recording_service.core.sweep import ShelfSweep, SweepSettings
from tests.support.clocks import HandDrivenClock
from tests.support.failing_port import Faults

ACCOUNT = "AC" + "a" * 32
OTHER_ACCOUNT = "AC" + "b" * 32

#: An MP3, as far as its first bytes say (twilio.md A4).
AUDIO = bytes.fromhex("fff340c4") + bytes(range(256)) * 8

WORKER = "worker-1"
PROCESSOR = "processor-1"


def a_key(number: int = 1, account_sid: str = ACCOUNT) -> RecordingKey:
    """The identity of one of many recordings."""
    return RecordingKey(account_sid, f"RE{number:032x}")


KEY = a_key()


def a_request(
    key: RecordingKey = KEY,
    job: RecordingJob = RecordingJob.FULL,
    priority: Priority | None = None,
    call: CallDetails | None = None,
    request_id: str = "",
    encryption_details: EncryptionDetails | None = None,
) -> EnqueueRequest:
    """A checked request, with the job's own priority if none is given."""
    usual = Priority.PLAYBACK if job is RecordingJob.DOWNLOAD_ONLY else Priority.NORMAL
    return EnqueueRequest(key, job, priority or usual, call or CallDetails(), request_id, encryption_details)


def _catalogue() -> Faults[Catalogue]:
    return Faults[Catalogue](MemoryCatalogue())


def _source() -> Faults[MediaSource]:
    return Faults[MediaSource](MemorySource())


def _changes() -> Faults[ChangeFeed]:
    return Faults[ChangeFeed](MemoryChangeFeed())


@dataclass
class World:
    """Everything the core stands on. Build any number of its parts: they share it."""

    clock: HandDrivenClock = field(default_factory=HandDrivenClock)
    catalogue: Faults[Catalogue] = field(default_factory=_catalogue)
    queue: MemoryBellQueue = field(default_factory=MemoryBellQueue)
    twilio: MemorySource = field(default_factory=MemorySource)
    changes: Faults[ChangeFeed] = field(default_factory=_changes)
    limits: AccountLimits = NO_LIMITS
    #: The private keys, of which there are none at first.
    decryptor: Decryptor = field(default_factory=lambda: TwilioDecryptor({}))

    def __post_init__(self) -> None:
        self.shelf = MemoryStorage(self.clock.now)
        self.storage = Faults[Storage](self.shelf)
        self.source = Faults[MediaSource](self.twilio)
        self.bells = Faults(self.queue)
        #: Hears of every change from the beginning.
        self.listening = self.changes.adapter.subscribe()

    def enqueuer(self) -> Enqueuer:
        """What answers enqueues."""
        return Enqueuer(self.catalogue.port, self.bells.port, self.storage.port, self.clock)

    def service(self) -> RecordingService:
        """The use cases. To be closed where they are watched."""
        return RecordingService(
            catalogue=self.catalogue.port,
            queue=self.bells.port,
            storage=self.storage.port,
            changes=self.changes.port,
            clock=self.clock,
        )

    def attempts(self, policy: RetryPolicy | None = None) -> Attempts:
        """What ends attempts."""
        return Attempts(self.catalogue.port, self.changes.port, policy or RetryPolicy(), self.clock)

    def downloader(
        self, *, lease_interval_seconds: float = 2.0, policy: RetryPolicy | None = None, note_tries: int = 1
    ) -> Downloader:
        """What a worker answers bells with; it tells the catalogue of an end `note_tries` times, without a pause."""
        return Downloader(
            catalogue=self.catalogue.port,
            storage=self.storage.port,
            source=self.source.port,
            decryptor=self.decryptor,
            changes=self.changes.port,
            attempts=self.attempts(policy),
            next_bells=self.next_bells(),
            clock=self.clock,
            noting=Noting(note_tries, pause_seconds=0.0),
            settings=DownloadSettings(lease_interval_seconds=lease_interval_seconds, limits=self.limits),
        )

    def next_bells(self) -> NextBells:
        """What workers ring for after an attempt."""
        return NextBells(self.catalogue.port, self.bells.port, self.clock, self.limits)

    def processor(
        self,
        runners: Mapping[Step, StepRunner] | None = None,
        *,
        lease_interval_seconds: float = 2.0,
        policy: RetryPolicy | None = None,
        note_tries: int = 1,
    ) -> Processor:
        """What a worker answers bells for processing with."""
        return Processor(
            catalogue=self.catalogue.port,
            storage=self.storage.port,
            runners=runners or {},
            changes=self.changes.port,
            attempts=self.attempts(policy),
            next_bells=self.next_bells(),
            clock=self.clock,
            noting=Noting(note_tries, pause_seconds=0.0),
            settings=ProcessingSettings(lease_interval_seconds=lease_interval_seconds, limits=self.limits),
        )

    def sweep(self, settings: SweepSettings | None = None) -> ShelfSweep:
        """The walk over the shelf."""
        return ShelfSweep(self.catalogue.port, self.storage.port, self.clock, settings or SweepSettings())

    def scrub(self, settings: ScrubSettings | None = None) -> ShelfScrub:
        """What reads stored bytes again."""
        return ShelfScrub(self.catalogue.port, self.storage.port, self.clock, settings or ScrubSettings())

    def dispatcher(self, name: str = "dispatcher-1", settings: DispatchSettings | None = None) -> Dispatcher:
        """One dispatcher."""
        return Dispatcher(
            name=name,
            catalogue=self.catalogue.port,
            queue=self.bells.port,
            storage=self.storage.port,
            attempts=self.attempts(),
            sweep=self.sweep(),
            scrub=self.scrub(),
            retention=EventRetention(self.catalogue.port, self.clock),
            clock=self.clock,
            settings=settings or DispatchSettings(limits=self.limits),
        )

    def row(self, key: RecordingKey = KEY) -> Recording:
        """The recording as it is now; it is there."""
        row = self.catalogue.adapter.get(key)
        assert row is not None
        return row

    def script(self, *outcomes: Outcome, key: RecordingKey = KEY) -> None:
        """What happens each time the recording is asked for, the last one for ever after."""
        self.twilio.script(key, outcomes)

    def work(self, downloader: Downloader | None = None, limit: int = 1000) -> list[Bell | None]:
        """Answers bells until none is left to hear; what each was answered with."""
        downloader = downloader or self.downloader()
        answered: list[Bell | None] = []
        while (bell := self.queue.hear()) is not None:
            answered.append(downloader.answer(bell, WORKER))
            assert len(answered) <= limit, "bells ring without end"
        return answered

    def process(self, processor: Processor, limit: int = 1000) -> list[Bell | None]:
        """Answers bells for processing until none is left to hear; what each was answered with."""
        answered: list[Bell | None] = []
        while (bell := self.queue.hear(Work.PROCESSING)) is not None:
            answered.append(processor.answer(bell, PROCESSOR))
            assert len(answered) <= limit, "bells ring without end"
        return answered

    def claim(self, key: RecordingKey = KEY) -> Recording:
        """Has a worker hear the recording's bell and claim it, and get no further."""
        bell = self.queue.hear()
        assert bell is not None
        claimed = self.take(bell)
        assert claimed is not None
        assert claimed.key == key
        return claimed

    def take(self, bell: Bell) -> Recording | None:
        """The claim alone, as a worker makes it."""
        return self.catalogue.adapter.claim(bell, WORKER, self.clock.now(), timedelta(minutes=1))

    def take_processing(self, bell: Bell) -> Recording | None:
        """The claim alone, as a worker makes it that processes."""
        now = self.clock.now()
        limit = self.limits.of(Work.PROCESSING)
        return self.catalogue.adapter.claim(bell, PROCESSOR, now, timedelta(0), work=Work.PROCESSING, limit=limit)

    def let_pass(self, seconds: float, *dispatchers: Dispatcher, tick_seconds: float = 1.0) -> None:
        """Lets that much time pass, with these dispatchers at work."""
        passed = 0.0
        while passed < seconds:
            self.clock.advance(tick_seconds)
            passed += tick_seconds
            for dispatcher in dispatchers:
                dispatcher.tick()
