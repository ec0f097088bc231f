"""Arms failpoints where the environment asks for them. For the fault harness only."""

import logging
from pathlib import Path

from recording_service.config import ConfigurationError, Settings
from recording_service.core import failpoints
from recording_service.core.failpoints import FailpointFolderUnusable, FailpointsRefused

_log = logging.getLogger(__name__)


def arm_failpoints(settings: Settings) -> None:
    """Arms this process as it is configured, which usually is: not at all. Idempotent. Raises ConfigurationError."""
    if not settings.failpoints.strip():
        return
    if not settings.failpoints_dir:
        raise ConfigurationError(["RECORDING_FAILPOINTS_DIR: is not set, and RECORDING_FAILPOINTS needs a folder"])
    folder = Path(settings.failpoints_dir).absolute()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        failpoints.arm(settings.failpoints, folder)
    except FailpointsRefused as error:
        raise ConfigurationError([f"RECORDING_FAILPOINTS: {error}"]) from error
    except FailpointFolderUnusable as error:
        raise ConfigurationError([f"RECORDING_FAILPOINTS_DIR: {error}"]) from error
    except OSError as error:
        raise ConfigurationError([f"RECORDING_FAILPOINTS_DIR: {folder} can't be made: {error.strerror}"]) from error
    # Critical, so that no log level hides it.
    _log.critical(
        "FAILPOINTS ARE ARMED: this service breaks itself, for tests; unset RECORDING_FAILPOINTS spec=%s folder=%s",
        settings.failpoints,
        folder,
    )
