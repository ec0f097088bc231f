"""The configuration, from environment variables. Read by the composition roots (`processes/`) and nobody else."""

from recording_service.config.accounts import Account
from recording_service.config.addresses import Address, is_loopback
from recording_service.config.callers import ADAPTER_NAME, CallerEntry
from recording_service.config.errors import ConfigurationError
from recording_service.config.playback_keys import written
from recording_service.config.settings import SECRET_VARIABLES, Settings, load_settings

__all__ = [
    "ADAPTER_NAME",
    "SECRET_VARIABLES",
    "Account",
    "Address",
    "CallerEntry",
    "ConfigurationError",
    "Settings",
    "is_loopback",
    "load_settings",
    "written",
]
