"""What the clients of all languages share: clients/defaults.json, which `make proto` copies beside this module."""

import json
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Final, Self


@dataclass(frozen=True, slots=True)
class Defaults:
    """The defaults; durations in seconds. `service_config` is gRPC's, as JSON."""

    service_config: str
    timeout: float
    watch_timeout: float
    keepalive_time: float
    keepalive_timeout: float
    max_receive_message_bytes: int
    initial_reconnect_backoff: float
    max_reconnect_backoff: float
    stall_timeout: float
    resume_attempts: int
    resume_initial_backoff: float
    resume_max_backoff: float
    seek_ahead_bytes: int

    @classmethod
    def of(cls, values: dict[str, Any]) -> Self:
        """Those in the file."""
        return cls(
            service_config=json.dumps(values["serviceConfig"]),
            timeout=values["timeoutSeconds"],
            watch_timeout=values["watchTimeoutSeconds"],
            keepalive_time=values["keepaliveTimeSeconds"],
            keepalive_timeout=values["keepaliveTimeoutSeconds"],
            max_receive_message_bytes=values["maxReceiveMessageBytes"],
            initial_reconnect_backoff=values["initialReconnectBackoffSeconds"],
            max_reconnect_backoff=values["maxReconnectBackoffSeconds"],
            stall_timeout=values["stallTimeoutSeconds"],
            resume_attempts=values["resumeAttempts"],
            resume_initial_backoff=values["resumeInitialBackoffSeconds"],
            resume_max_backoff=values["resumeMaxBackoffSeconds"],
            seek_ahead_bytes=values["seekAheadBytes"],
        )


DEFAULTS: Final = Defaults.of(json.loads(files("recordings").joinpath("defaults.json").read_text()))
