"""`recording-service worker`: one RQ worker, which downloads one recording at a time. No grpc here."""

from collections.abc import Callable
from contextlib import ExitStack, closing

from recording_service import worker
from recording_service.adapters.redis_client import redis_errors, worker_client
from recording_service.adapters.rq_queue.worker import run_worker
from recording_service.config import Settings
from recording_service.core.clock import SystemClock
from recording_service.core.download import Downloader
from recording_service.core.errors import QueueUnavailable
from recording_service.processes import wiring
from recording_service.processes.dispatch_process import process_name
from recording_service.processes.failpoints import arm_failpoints


def run_download_worker(settings: Settings, ready: Callable[[], None]) -> None:
    """Answers bells until SIGTERM or SIGINT: the first lets the download under way end, the second does not.

    Raises ConfigurationError, CatalogueUnavailable, and QueueUnavailable where it can't go on for want of Redis.
    """
    arm_failpoints(settings)
    name = process_name("worker")
    with ExitStack() as stack:
        catalogue = stack.enter_context(closing(wiring.open_catalogue(settings)))
        changes = stack.enter_context(closing(wiring.open_changes(settings)))
        attempts = wiring.attempts(settings, catalogue, changes)
        downloader = Downloader(
            catalogue=catalogue,
            storage=stack.enter_context(closing(wiring.open_storage(settings))),
            source=wiring.open_source(settings),
            decryptor=wiring.open_decryptor(settings),
            changes=changes,
            attempts=attempts,
            clock=SystemClock(),
            settings=wiring.download_settings(settings),
        )
        worker.install(downloader, name)
        client = stack.enter_context(closing(worker_client(wiring.redis_url(settings))))
        # Whatever is still claimed under this name when the worker ends was cut short in an orderly way.
        stack.callback(attempts.release, name)
        ready()
        with redis_errors():
            stopped = run_worker(
                client, name=name, on_horse_died=attempts.crashed_under, prepare_horse=catalogue.after_fork
            )
    if not stopped:
        raise QueueUnavailable
