"""The commands of the console script, run to their end."""

import os
import subprocess
import sys
from collections.abc import Mapping


def run(
    *arguments: str, variables: Mapping[str, str] | None = None, timeout: float = 60.0
) -> "subprocess.CompletedProcess[str]":
    """Runs a command of the console script in an environment of its own."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("RECORDING_", "TWILIO_"))}
    command = [sys.executable, "-m", "recording_service", *arguments]
    return subprocess.run(
        command, env={**inherited, **(variables or {})}, capture_output=True, text=True, timeout=timeout, check=False
    )
