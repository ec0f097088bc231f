"""The names on the shelf: `<account_sid>/<recording_sid>/<attempt>.<ext>`, and those of uploads that were not finished.

Keys are made by this service itself, so a wrong one is a bug and a ValueError. What passes here can't leave the shelf:
no empty part, no `..`, no slash or backslash in a part, no character outside ASCII.
"""

import re
import secrets
from typing import NamedTuple

from recording_service.core.model import RecordingKey

#: Twilio's SIDs (twilio.md A1): both cases of hex are in use and are kept as given.
ACCOUNT_SID = re.compile(r"AC[0-9a-fA-F]{32}")
RECORDING_SID = re.compile(r"RE[0-9a-fA-F]{32}")

#: An object: the attempt that fetched it, counted from 1, and what it is.
OBJECT_NAME = re.compile(r"[1-9][0-9]{0,9}\.[a-z0-9]{1,8}")

#: An upload that is not finished, or never will be: the object it was to become, and a random part.
REMAINS_NAME = re.compile(r"\.[1-9][0-9]{0,9}\.[a-z0-9]{1,8}\.[0-9a-f]{16}\.part")

#: Bytes of randomness in the name of an upload, written as twice as many hex digits.
RANDOM_BYTES = 8


class ObjectName(NamedTuple):
    """A key, taken apart: the folder of the account, the folder of the recording in it, and the file in that."""

    account_sid: str
    recording_sid: str
    file: str

    @property
    def recording(self) -> RecordingKey:
        """The recording it belongs to."""
        return RecordingKey(self.account_sid, self.recording_sid)

    def __str__(self) -> str:
        return "/".join(self)


def object_name(object_key: str) -> ObjectName:
    """The parts of an object's key; ValueError if it is none."""
    name = _parted(object_key)
    if not OBJECT_NAME.fullmatch(name.file):
        raise ValueError(f"not the key of an object: {object_key!r}")
    return name


def entry_name(object_key: str) -> ObjectName:
    """The parts of the key of an object or of the remains of one; ValueError if it is neither."""
    name = _parted(object_key)
    if not is_entry(name.file):
        raise ValueError(f"not the key of an object or of its remains: {object_key!r}")
    return name


def kept_file(key: RecordingKey, keep: str | None) -> str | None:
    """The file of the object `keep`, if one is kept; ValueError if it is not an object of that recording."""
    if keep is None:
        return None
    name = object_name(keep)
    if name.recording != key:
        raise ValueError(f"{keep!r} is not an object of recording {key.recording_sid}")
    return name.file


def checked(key: RecordingKey) -> RecordingKey:
    """The key itself; ValueError if its SIDs are none."""
    if not ACCOUNT_SID.fullmatch(key.account_sid) or not RECORDING_SID.fullmatch(key.recording_sid):
        raise ValueError(f"not the key of a recording: {key!r}")
    return key


def is_entry(file: str) -> bool:
    """Whether a file of that name is an object or the remains of one."""
    return bool(OBJECT_NAME.fullmatch(file) or REMAINS_NAME.fullmatch(file))


def upload_file(file: str) -> str:
    """A new name for the upload that is to become `file`: unlike any other, and like no object's."""
    return f".{file}.{secrets.token_hex(RANDOM_BYTES)}.part"


def _parted(object_key: str) -> ObjectName:
    parts = object_key.split("/")
    if len(parts) != len(ObjectName._fields):
        raise ValueError(f"not a key of the shelf: {object_key!r}")
    name = ObjectName(*parts)
    checked(name.recording)
    return name
