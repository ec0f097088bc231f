"""The shapes of Twilio's identifiers (twilio.md A1). Both hex cases are allowed; a SID is kept as it was given.

Use them with `fullmatch`: `$` would let a trailing newline through.
"""

import re
from typing import Final

ACCOUNT_SID: Final = re.compile(r"AC[0-9a-fA-F]{32}")
CALL_SID: Final = re.compile(r"CA[0-9a-fA-F]{32}")
CONFERENCE_SID: Final = re.compile(r"CF[0-9a-fA-F]{32}")
RECORDING_SID: Final = re.compile(r"RE[0-9a-fA-F]{32}")
