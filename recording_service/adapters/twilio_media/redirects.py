"""Redirects, followed by hand: where they may lead (twilio.md A4, reliability.md C 9).

Twilio does not document any for voice; its other media is redirected to a CDN, and S3 refuses a request that carries
another service's credentials. So credentials stay with the configured origin, and a short list of hosts is followed to
without them. What a Location may look like is narrow enough that all parsers agree on what it means.
"""

import re
from collections.abc import Collection
from urllib.parse import SplitResult, urljoin, urlsplit, urlunsplit

from recording_service.adapters.twilio_media.account import API_PATH, DEFAULT_PORTS, Origin, api_origin, origin_of
from recording_service.core.errors import RedirectRefused

#: Most redirects that are followed for one recording.
MAX_REDIRECTS = 3

#: Answers that say where to go instead (RFC 9110 §15.4).
REDIRECT_STATUSES = frozenset({301, 302, 303, 307, 308})

#: Longest Location that is looked at, in characters; a signed URL has about one thousand.
MAX_LOCATION_CHARACTERS = 8192

#: Hosts that are followed to, on https and its own port: Twilio, its CDN, and S3 in all its spellings. Each label of a
#: name has 1 to 63 characters (RFC 1035 §2.3.4), three of which may be `s3-`.
FOLLOWED_HOST = re.compile(
    r"(?:[a-z0-9-]{1,63}\.)+(?:twilio|twiliocdn)\.com"
    r"|(?:[a-z0-9-]{1,63}\.)*s3(?:[.-](?:dualstack\.)?[a-z0-9-]{1,60})?\.amazonaws\.com"
)

_VISIBLE_ASCII = re.compile(r"[!-\[\]-~]+")


class RedirectRules:
    """Where the redirects of one account's requests may lead."""

    def __init__(self, api_url: str, further_origins: Collection[str] = ()) -> None:
        """`further_origins` are followed to besides the well-known ones, and are not sent credentials either.

        If the API is on loopback, then nothing but its own origin and these are followed to, in plain http as well.
        """
        self._api = api_origin(api_url)
        self._further = frozenset(map(origin_of, further_origins))

    def follow(self, url: str, location: str | None) -> str:
        """The URL that a redirect from `url` leads to. RedirectRefused."""
        if not location or len(location) > MAX_LOCATION_CHARACTERS or not _VISIBLE_ASCII.fullmatch(location):
            raise RedirectRefused("Twilio redirected to no URL")
        try:
            target = urlsplit(urljoin(url, location))
            origin = origin_of(target.geturl())
        except ValueError as exc:
            raise RedirectRefused("Twilio redirected to no URL") from exc
        if "@" in target.netloc:
            raise RedirectRefused("Twilio redirected to a URL with credentials in it")
        if not self._allows(origin):
            raise RedirectRefused("Twilio redirected to a host that is not allowed")
        return _rebuilt(target, origin)

    def sends_credentials(self, url: str) -> bool:
        """Whether the account's credentials may be sent there: to the configured origin, and only to the API on it."""
        return origin_of(url) == self._api and urlsplit(url).path.startswith(API_PATH)

    def _allows(self, origin: Origin) -> bool:
        if origin == self._api or (origin in self._further and (origin.scheme == "https" or self._api.is_loopback)):
            return True
        return (
            not self._api.is_loopback
            and (origin.scheme, origin.port) == ("https", DEFAULT_PORTS["https"])
            and FOLLOWED_HOST.fullmatch(origin.host) is not None
        )


def _rebuilt(target: SplitResult, origin: Origin) -> str:
    """The URL, made anew of the parts that were looked at, without its fragment."""
    host = f"[{origin.host}]" if ":" in origin.host else origin.host
    port = "" if origin.port == DEFAULT_PORTS[origin.scheme] else f":{origin.port}"
    return urlunsplit((origin.scheme, host + port, target.path or "/", target.query, ""))
