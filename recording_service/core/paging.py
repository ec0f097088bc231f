"""Page tokens (AIP-158): opaque, and good only for the filters they were made with."""

import base64
import binascii
import hashlib
import json
import re
from datetime import UTC, datetime, timedelta

from recording_service.core.errors import InvalidRequest
from recording_service.core.model import PagePosition, Recording, RecordingFilter

#: The size of a page where none is given.
DEFAULT_PAGE_SIZE = 50
#: The largest page; more is coerced to it.
MAX_PAGE_SIZE = 1000
#: The same where words are searched for.
MAX_SEARCH_PAGE_SIZE = 100
#: More characters than any token of ours has: no other one is worth decoding.
MAX_TOKEN_CHARACTERS = 512

_ACCOUNT_SID = re.compile(r"AC[0-9a-fA-F]{32}")
_RECORDING_SID = re.compile(r"RE[0-9a-fA-F]{32}")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def effective_page_size(page_size: int) -> int:
    """0 is the default, too large is the largest, negative is InvalidRequest (AIP-158)."""
    if page_size < 0:
        raise InvalidRequest.of("page_size", f"is {page_size}; must be 0 or more")
    return min(page_size or DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE)


def token_after(last: Recording, matching: RecordingFilter) -> str:
    """The token of the page that begins after that recording."""
    microseconds = (last.create_time - _EPOCH) // _MICROSECOND
    token = json.dumps([_fingerprint(matching), microseconds, last.account_sid, last.recording_sid])
    return base64.urlsafe_b64encode(token.encode()).decode()


def position_of(token: str, matching: RecordingFilter) -> PagePosition | None:
    """Where the token's page begins; None for the first. InvalidRequest if it is not ours, or of other filters."""
    if not token:
        return None
    try:
        if len(token) > MAX_TOKEN_CHARACTERS:
            raise ValueError("too long")
        fingerprint, microseconds, account_sid, recording_sid = json.loads(base64.urlsafe_b64decode(token.encode()))
        create_time = _EPOCH + int(microseconds) * _MICROSECOND
        if not (_ACCOUNT_SID.fullmatch(account_sid) and _RECORDING_SID.fullmatch(recording_sid)):
            raise ValueError("no SIDs")
    except (ValueError, TypeError, OverflowError, binascii.Error) as error:
        raise InvalidRequest.of("page_token", "is not a token of this service; begin without one") from error
    if fingerprint != _fingerprint(matching):
        raise InvalidRequest.of("page_token", "belongs to other filters; keep the filters, or begin without a token")
    return PagePosition(create_time, account_sid, recording_sid)


def _fingerprint(matching: RecordingFilter) -> str:
    parts = [
        sorted(matching.states),
        sorted(matching.failure_reasons),
        sorted(matching.account_sids),
        sorted(matching.call_sids),
        sorted(matching.labels.items()),
        str(matching.create_time_from),
        str(matching.create_time_before),
        str(matching.words),
    ]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]
