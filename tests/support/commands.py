"""The commands of the console script, run to their end."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from recording_service.twilio_stand_in.server import TwilioStandIn
from tests.support.running_service import ACCOUNT_SID, AUTH_TOKEN, free_port


def run(
    *arguments: str, variables: Mapping[str, str] | None = None, timeout: float = 60.0
) -> "subprocess.CompletedProcess[str]":
    """Runs a command of the console script in an environment of its own."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("RECORDING_", "TWILIO_"))}
    command = [sys.executable, "-m", "recording_service", *arguments]
    return subprocess.run(
        command, env={**inherited, **(variables or {})}, capture_output=True, text=True, timeout=timeout, check=False
    )


def sound_variables(folder: Path, twilio: TwilioStandIn) -> dict[str, str]:
    """A configuration with which all is well."""
    return {
        "RECORDING_DATA_DIR": str(folder / "data"),
        "RECORDING_GRPC_ADDRESS": f"127.0.0.1:{free_port()}",
        "RECORDING_HTTP_ADDRESS": f"127.0.0.1:{free_port()}",
        "TWILIO_ACCOUNT_SID": ACCOUNT_SID,
        "TWILIO_AUTH_TOKEN": AUTH_TOKEN,
        "TWILIO_API_URL": twilio.url,
    }
