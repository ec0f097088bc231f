"""The workers, each an RQ worker that does one thing at a time. No grpc here.

`recording-service worker` downloads, `recording-service process` does what follows the download.
"""

from collections.abc import Callable
from contextlib import ExitStack, closing

from recording_service import worker
from recording_service.adapters.redis_client import redis_errors, worker_client
from recording_service.adapters.rq_queue.queue import QUEUE_NAMES
from recording_service.adapters.rq_queue.worker import run_worker
from recording_service.adapters.sql_catalogue import SqlCatalogue
from recording_service.config import Settings
from recording_service.core.attempts import Attempts
from recording_service.core.clock import SystemClock
from recording_service.core.download import Downloader
from recording_service.core.errors import QueueUnavailable
from recording_service.core.model import Work
from recording_service.core.processor import Processor
from recording_service.processes import steps, wiring
from recording_service.processes.dispatch_process import process_name
from recording_service.processes.failpoints import arm_failpoints


def run_download_worker(settings: Settings, ready: Callable[[], None]) -> None:
    """Answers bells until SIGTERM or SIGINT: the first lets the download under way end, the second does not.

    Raises ConfigurationError, CatalogueUnavailable, and QueueUnavailable where it can't go on for want of Redis.
    """
    arm_failpoints(settings)
    with ExitStack() as stack:
        parts = _Parts(settings, stack)
        downloader = Downloader(
            catalogue=parts.catalogue,
            storage=parts.storage,
            source=wiring.open_source(settings),
            decryptor=wiring.open_decryptor(settings),
            changes=parts.changes,
            attempts=parts.attempts,
            next_bells=parts.next_bells,
            clock=parts.clock,
            settings=wiring.download_settings(settings),
        )
        _run(settings, Work.DOWNLOAD, downloader, parts, ready)


def run_processing_worker(settings: Settings, ready: Callable[[], None]) -> None:
    """The same for the bells of what follows the download."""
    arm_failpoints(settings)
    with ExitStack() as stack:
        parts = _Parts(settings, stack)
        processor = Processor(
            catalogue=parts.catalogue,
            storage=parts.storage,
            runners=steps.runners(settings),
            changes=parts.changes,
            attempts=parts.attempts,
            next_bells=parts.next_bells,
            clock=parts.clock,
            settings=wiring.processing_settings(settings),
        )
        _run(settings, Work.PROCESSING, processor, parts, ready)


class _Parts:
    """What both kinds of workers stand on; closed by the stack."""

    def __init__(self, settings: Settings, stack: ExitStack) -> None:
        self.clock = SystemClock()
        self.catalogue: SqlCatalogue = stack.enter_context(closing(wiring.open_catalogue(settings)))
        self.changes = stack.enter_context(closing(wiring.open_changes(settings)))
        self.storage = stack.enter_context(closing(wiring.open_storage(settings)))
        self.queue = stack.enter_context(closing(wiring.open_queue(settings)))
        self.attempts: Attempts = wiring.attempts(settings, self.catalogue, self.changes)
        self.next_bells = wiring.next_bells(settings, self.catalogue, self.queue)


def _run(settings: Settings, work: Work, answerer: worker.Answerer, parts: _Parts, ready: Callable[[], None]) -> None:
    name = process_name("worker" if work is Work.DOWNLOAD else "processor")
    worker.install(answerer, work, name)
    with ExitStack() as stack:
        client = stack.enter_context(closing(worker_client(wiring.redis_url(settings))))
        # Whatever is still claimed under this name when the worker ends was cut short in an orderly way.
        stack.callback(parts.attempts.release, name)
        ready()
        with redis_errors():
            stopped = run_worker(
                client,
                name=name,
                queue_name=QUEUE_NAMES[work],
                on_horse_died=parts.attempts.crashed_under,
                prepare_horse=parts.catalogue.after_fork,
            )
    if not stopped:
        raise QueueUnavailable
