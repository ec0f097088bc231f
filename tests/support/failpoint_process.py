"""A process that reaches failpoints: `python -m tests.support.failpoint_process SPEC FOLDER NAME…`.

It says a line for each one that it is past, or the error that it raised.
"""

import sys
from pathlib import Path

from recording_service.core.failpoints import Failpoint, FailpointRaised, arm, failpoint


def main(spec: str, folder: str, *names: str) -> None:
    """Reaches them, one after the other."""
    arm(spec, Path(folder))
    for name in names:
        try:
            failpoint(Failpoint(name))
            said = f"past {name}"
        except FailpointRaised as raised:
            said = f"raised {raised.name}"
        sys.stdout.write(f"{said}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
