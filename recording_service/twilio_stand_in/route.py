"""What a request's path asks for."""

import re
from dataclasses import dataclass
from enum import Enum
from urllib.parse import parse_qs

#: The resources that are served (twilio.md A4).
MEDIA_PATH = re.compile(
    r"/2010-04-01/Accounts/(?P<account>AC[0-9a-fA-F]{32})/Recordings/(?P<recording>RE[0-9a-fA-F]{32})"
    r"(?P<extension>\.wav|\.mp3|\.json|\.xml)?"
)

#: Where MP3s lie about without credentials.
CDN_PATH = re.compile(r"/cdn/(?P<recording>RE[0-9a-fA-F]{32})(?P<extension>\.mp3)")

#: The SIDs in a path of any shape, for the log.
ACCOUNT_SID = re.compile(r"AC[0-9a-fA-F]{32}")
RECORDING_SID = re.compile(r"RE[0-9a-fA-F]{32}")


class Endpoint(Enum):
    """Which of the stand-in's two addresses for audio."""

    MEDIA = "media"
    """Twilio's own, with credentials."""
    CDN = "cdn"
    """One to redirect to: without credentials, and none tolerated."""


@dataclass(frozen=True)
class Route:
    """A path, taken apart."""

    endpoint: Endpoint | None
    """None when nothing is served there."""
    account_sid: str | None
    recording_sid: str | None
    extension: str
    requested_channels: str | None
    """RequestedChannels as given."""


def route_of(target: str) -> Route:
    """Takes the target of a request line apart."""
    path, _, query = target.partition("?")
    channels = parse_qs(query).get("RequestedChannels", [None])[-1]
    if (match := MEDIA_PATH.fullmatch(path)) is not None:
        return Route(Endpoint.MEDIA, match["account"], match["recording"], match["extension"] or "", channels)
    if (match := CDN_PATH.fullmatch(path)) is not None:
        return Route(Endpoint.CDN, None, match["recording"], match["extension"], channels)
    account, recording = ACCOUNT_SID.search(path), RECORDING_SID.search(path)
    return Route(None, account and account[0], recording and recording[0], "", channels)
