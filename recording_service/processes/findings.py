"""What `recording-service doctor` finds."""

from typing import NamedTuple


class Finding(NamedTuple):
    """What was looked at, whether it is well, and what there is to say; if it is not well, how to mend it."""

    subject: str
    well: bool
    text: str
