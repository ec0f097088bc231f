"""`recording-service serve`: everything in one command, one log, and one Ctrl-C that stops all of it cleanly."""

import fcntl
import gc
import logging
import os
import signal
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial
from types import FrameType

from pydantic import SecretStr

from recording_service.adapters.embedded_redis import EmbeddedRedis, EmbeddedRedisFailed
from recording_service.config import ConfigurationError, Settings
from recording_service.processes import access, wiring
from recording_service.processes.dispatch_process import run_dispatcher
from recording_service.processes.events_process import run_events
from recording_service.processes.failpoints import arm_failpoints
from recording_service.processes.grpc_process import run_grpc
from recording_service.processes.http_process import run_http
from recording_service.processes.supervisor import Part, RestartWaits, Supervisor
from recording_service.processes.worker_process import run_download_worker, run_processing_worker

_log = logging.getLogger(__name__)

#: How long the parts may take to be ready before `serve` says which are not.
READY_SECONDS = 15.0
#: Between two looks at the parts when nothing happens.
LOOK_SECONDS = 1.0


class _Stops:
    """Counts the requests to stop, and wakes the supervisor's wait by a pipe."""

    def __init__(self) -> None:
        self.count = 0
        self.wake, self._write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.signal(signal.SIGTERM, self._asked)
        signal.signal(signal.SIGINT, self._asked)

    def _asked(self, _signal: int, _frame: FrameType | None) -> None:
        self.count += 1
        os.write(self._write, b".")

    def close(self) -> None:
        os.close(self.wake)
        os.close(self._write)


def run_serve(settings: Settings) -> None:
    """Serves until SIGTERM or SIGINT; a second one does not wait for anybody.

    Raises ConfigurationError, also where another `serve` runs on the data directory, and what the first look at the
    catalogue and the shelf raises.
    """
    arm_failpoints(settings)
    wiring.make_private(settings.data_dir)
    with (
        _only_one(settings),
        _redis(settings) as (redis, settings),
        access.adapter_beside_grpc(settings) as settings,
    ):
        # Made before there are two who need it.
        access.signing_keys(settings)
        # Migrated once, before the parts start; what they all need is imported here, and so in memory once.
        with closing(wiring.open_catalogue(settings)) as catalogue:
            if settings.events_url:
                # Before anything can happen that is to be told.
                catalogue.begin_deliveries()
        wiring.open_storage(settings).close()
        # Read by each worker for itself; what is wrong with them is said once, and nothing is started.
        wiring.open_decryptor(settings)
        gc.collect()
        gc.freeze()
        stops = _Stops()
        supervisor = Supervisor(_parts(settings), settings.log_level, RestartWaits().scaled(settings.time_scale))
        supervisor.start()
        try:
            _run(supervisor, redis, stops, settings)
        finally:
            _log.info("stopping")
            supervisor.stop(impatient=lambda: stops.count > 1)
            stops.close()
    _log.info("stopped")


def _run(supervisor: Supervisor, redis: EmbeddedRedis | None, stops: _Stops, settings: Settings) -> None:
    started = time.monotonic()
    announced = False
    while not stops.count:
        supervisor.watch(LOOK_SECONDS, stops.wake)
        if redis is not None and not redis.alive():
            _start_again(redis)
        if not announced and supervisor.ready:
            announced = True
            _log.info(
                "ready after %.1f s: gRPC on %s, HTTP on http://%s, %d workers, data in %s",
                time.monotonic() - started,
                settings.grpc_address,
                settings.http_address,
                settings.workers,
                settings.data_dir,
            )
        elif not announced and time.monotonic() - started > READY_SECONDS:
            announced = True
            _log.error("not every part is ready after %.0f s; see above", READY_SECONDS)


def _start_again(redis: EmbeddedRedis) -> None:
    """Starts a Redis that has died. If it can't be started, the service goes on without, and the next look tries."""
    _log.error("the embedded Redis has died; starting it again")
    try:
        redis.start()
    except EmbeddedRedisFailed as error:
        _log.error("%s", error)


def _parts(settings: Settings) -> list[Part]:
    """In the order in which they are stopped: first those that take work on, then those that do it."""
    events = [Part("events", partial(run_events, settings), stop_seconds=5.0)] if settings.events_url else []
    return [
        Part("http", partial(run_http, settings)),
        Part("grpc", partial(run_grpc, settings)),
        Part("dispatcher", partial(run_dispatcher, settings), stop_seconds=5.0),
        *(Part(f"worker-{number + 1}", partial(run_download_worker, settings)) for number in range(settings.workers)),
        *(
            Part(f"processor-{number + 1}", partial(run_processing_worker, settings))
            for number in range(settings.processing_workers)
        ),
        *events,
    ]


@contextmanager
def _redis(settings: Settings) -> Iterator[tuple[EmbeddedRedis | None, Settings]]:
    """The Redis that is configured, or one of our own."""
    if settings.redis_url.get_secret_value():
        yield None, settings
        return
    redis = EmbeddedRedis(settings.data_dir.absolute() / "redis")
    try:
        redis.start()
    except EmbeddedRedisFailed as error:
        raise ConfigurationError([f"RECORDING_REDIS_URL: is not set, and {error}"]) from error
    try:
        yield redis, settings.model_copy(update={"redis_url": SecretStr(redis.url)})
    finally:
        redis.stop()


@contextmanager
def _only_one(settings: Settings) -> Iterator[None]:
    """Holds the data directory's lock: two `serve` on one would be two of everything."""
    descriptor = os.open(settings.data_dir / "serve.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            problem = f"RECORDING_DATA_DIR: another `serve` runs on {settings.data_dir}; stop it first"
            raise ConfigurationError([problem]) from None
        yield
    finally:
        os.close(descriptor)
