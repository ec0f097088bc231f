"""What Twilio's documents say of a recording's encryption: its resource, and the error for the wrong format."""

import json
import re

from recording_service.core.encryption import details_of
from recording_service.core.errors import EncryptionDetailsInvalid, SourceUnavailable
from recording_service.core.model import EncryptionDetails

#: Most bytes that the resource of a recording has; Twilio's has 2 KB.
MAX_RESOURCE_BYTES = 64 * 1024

#: How much of an error's document is looked at; Twilio's has 300 bytes.
MAX_ERROR_BYTES = 4096

#: Error 16109, in XML or JSON: "cannot fetch .mp3 encrypted recording" (https://www.twilio.com/docs/api/errors/16109).
_ENCRYPTED = re.compile(rb"<Code>\s*16109\s*</Code>|\"code\"\s*:\s*\"?16109\b")


def says_encrypted(document: bytes) -> bool:
    """Whether the document of an error says that the recording is to be had as it was encrypted only."""
    return _ENCRYPTED.search(document) is not None


def encryption_of_resource(document: bytes) -> EncryptionDetails | None:
    """How a recording is encrypted, by its resource; None if it is not.

    Raises EncryptionDetailsInvalid if that can't be read, SourceUnavailable if the document is no such resource.
    """
    try:
        resource = json.loads(document)
    except (ValueError, RecursionError):
        resource = None
    if not isinstance(resource, dict) or "sid" not in resource:
        raise SourceUnavailable("Twilio's answer is not the resource of a recording")
    said = resource.get("encryption_details")
    if not said:
        return None
    if not isinstance(said, dict):
        raise EncryptionDetailsInvalid("encryption_details is no object")
    return details_of(said)
