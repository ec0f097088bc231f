"""What AVFoundation (Safari, iOS) is known to ask, byte for byte (reliability.md D2).

It probes with the first two bytes: a 200, a shorter part than it asked for, or another size than it was told, and the
recording is "not playable".
"""

import re

import pytest

from tests.http_api.conformance.places import ENDPOINTS, LAST_MODIFIED, Endpoint, Place
from tests.http_api.conformance.wire import Wire

SIZE = 5 * 1024 * 1024
#: How much it fetches at once, once it knows the size.
WINDOW_BYTES = 1024 * 1024

REQUEST = """\
GET {target} HTTP/1.1\r
Host: recordings.example.com\r
{credentials}Accept: */*\r
Range: bytes={first}-{last}\r
Accept-Language: en-GB,en;q=0.9\r
X-Playback-Session-Id: 6E1F0A52-6C5B-4B0E-9E0C-0B9F6A9C6C11\r
Accept-Encoding: identity\r
User-Agent: AppleCoreMedia/1.0.0.21E236 (iPhone; U; CPU OS 17_4_1 like Mac OS X; en_gb)\r
Connection: keep-alive\r
\r
"""

ANSWER = """\
HTTP/1.1 206 Partial Content\r
date: {date}\r
etag: {etag}\r
cache-control: private, max-age=3600, immutable\r
accept-ranges: bytes\r
last-modified: {last_modified}\r
content-type: audio/mpeg\r
content-disposition: {disposition}; filename="recording-{sid}.mp3"\r
content-range: bytes {first}-{last}/{size}\r
content-length: {length}\r
{vary}x-content-type-options: nosniff\r
referrer-policy: no-referrer\r
content-security-policy: default-src 'none'; media-src 'self'; sandbox\r
x-request-id: {request_id}\r
\r
"""


def play(wire: Wire, place: Place, first: int, last: int) -> None:
    """One request of the sequence; its answer is what it has to be, to the byte."""
    credentials = "".join(f"{field}\r\n" for field in place.endpoint.fields)
    wire.send(REQUEST.format(target=place.target, credentials=credentials, first=first, last=last).encode())
    expected = ANSWER.format(
        date="~date~",
        etag=place.etag,
        last_modified=LAST_MODIFIED,
        disposition=place.endpoint.disposition,
        sid=place.recording_sid,
        first=first,
        last=last,
        size=SIZE,
        length=last + 1 - first,
        vary=f"vary: Authorization, Cookie{', Origin' if place.endpoint.is_shared else ''}\r\n",
        request_id="~id~",
    )
    pattern = (
        re.escape(expected)
        .replace(re.escape("~date~"), "[A-Z][a-z, A-Z0-9:]+ GMT")
        .replace(re.escape("~id~"), "[0-9a-f]{32}")
    )
    received = wire.raw_head()
    assert re.fullmatch(pattern, received), received
    assert wire.read(last + 1 - first) == place.content[first : last + 1]


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: endpoint.name)
def test_the_known_sequence_is_answered_byte_for_byte(wire: Wire, endpoint: Endpoint) -> None:
    place = Place(endpoint, SIZE)
    play(wire, place, 0, 1)
    play(wire, place, 0, SIZE - 1)
    for first in range(0, SIZE, WINDOW_BYTES):
        play(wire, place, first, min(first + WINDOW_BYTES, SIZE) - 1)
    # It seeks: to the middle, and to the last bytes.
    play(wire, place, SIZE // 2, SIZE - 1)
    play(wire, place, SIZE - 1, SIZE - 1)
