"""No redirect, no DNS answer and no field of a URL makes a download connect where it must not, or tell the credentials.

The whole path: an enqueue, the downloader, and the real adapter; two servers that stand for Twilio and for somebody
else, and a resolver that says what a test wants it to.
"""

import base64
import logging
import socket
import ssl
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import pytest
import trustme

from recording_service.adapters.twilio_media.account import TwilioAccount
from recording_service.adapters.twilio_media.media import TwilioMedia
from recording_service.core.model import CallDetails, FailureReason, Recording, RecordingState
from recording_service.core.ports import MediaSource
from tests.adapters.raw_server import RawServer, Script, answer
from tests.adapters.resolver import Resolver
from tests.adapters.twilio_fetching import LIMITS, PASSWORD, USERNAME
from tests.support.core_world import ACCOUNT, AUDIO, KEY, WORKER, World, a_request
from tests.support.failing_port import Faults

API, CDN, EVIL = "api.twilio.com", "media.twiliocdn.com", "api.twilio.com.evil.example"
API_URL = f"https://{API}"
#: Addresses of the internet; nobody is asked there, the resolver sees to that.
API_ADDRESS, CDN_ADDRESS, EVIL_ADDRESS = "93.184.215.14", "93.184.215.15", "93.184.215.16"
BASIC = "authorization: basic " + base64.b64encode(f"{USERNAME}:{PASSWORD}".encode()).decode().lower()

WHOLE = answer(AUDIO, f"Content-Length: {len(AUDIO)}", "Content-Type: audio/mpeg")
#: All that must never be connected to.
PRIVATE = [
    "127.0.0.1",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.0.1",
    "169.254.169.254",
    "100.64.0.1",
    "224.0.0.1",
    "0.0.0.0",  # noqa: S104 - not bound to
    "::1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "fd00::1",
    "fe80::1",
    "fec0::1",
    "ff02::1",
    "64:ff9b::7f00:1",
    "2002:7f00:1::",
]


def to(location: str, status: str = "302 Found") -> bytes:
    return answer(b"", f"Location: {location}", "Content-Length: 0", status=status)


class Internet(NamedTuple):
    """Twilio's API, its CDN and somebody else, each with what it was asked, and one recording to be fetched."""

    resolver: Resolver
    api: RawServer
    elsewhere: RawServer
    certificates: Path

    def fetched(self, api_url: str = API_URL, call: CallDetails | None = None) -> Recording:
        """What becomes of the recording's row after one attempt."""
        world = World()
        account = TwilioAccount(ACCOUNT, api_url, USERNAME, PASSWORD)
        source = TwilioMedia([account], LIMITS, certificates=self.certificates)
        world.source = Faults[MediaSource](source)
        world.enqueuer().enqueue(a_request(KEY, call=call))
        bell = world.queue.hear()
        assert bell is not None
        world.downloader().answer(bell, WORKER)
        return world.row()

    def no_credentials_left_the_api(self) -> None:
        """Looks through everything that both servers were sent."""
        assert all(BASIC in head.lower() for head in self.api.heads)
        assert [head for head in self.elsewhere.heads if "authorization" in head.lower()] == []
        secrets = (PASSWORD, USERNAME, BASIC.rpartition(" ")[2])
        assert [
            head for head in self.elsewhere.heads if any(secret.lower() in head.lower() for secret in secrets)
        ] == []


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


class Builder:
    """Sets an internet up, with what its servers answer."""

    def __init__(self, tls: ssl.SSLContext, certificates: Path, resolver: Resolver, open_servers: ExitStack) -> None:
        self._tls = tls
        self._certificates = certificates
        self._resolver = resolver
        self._open = open_servers

    def __call__(self, *api: Script | bytes, elsewhere: Script | bytes = WHOLE) -> Internet:
        api_server = self._open.enter_context(RawServer(*api, tls=self._tls))
        other_server = self._open.enter_context(RawServer(elsewhere, tls=self._tls))
        for name, address in ((API, API_ADDRESS), (CDN, CDN_ADDRESS), (EVIL, EVIL_ADDRESS)):
            self._resolver.has(name, [address])
        self._resolver.leads_to(api_server.port, API_ADDRESS)
        # Whatever else is connected to is the other one: it would show.
        self._resolver.leads_to(other_server.port)
        return Internet(self._resolver, api_server, other_server, self._certificates)


@pytest.fixture
def internet(authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Builder]:
    # Proxies of the environment would be connections to somewhere else, too.
    for variable in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(variable, "http://127.0.0.1:9")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(API, CDN, EVIL, "2130706433", "127.0.0.1").configure_cert(context)
    authority.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    with ExitStack() as servers:
        yield Builder(context, tmp_path / "authority.pem", Resolver(monkeypatch), servers)


def test_the_recording_is_fetched_from_the_api_with_the_credentials(internet: Builder) -> None:
    net = internet(WHOLE)
    assert net.fetched().state is RecordingState.READY
    assert net.resolver.connected == [API_ADDRESS]
    net.no_credentials_left_the_api()


@pytest.mark.parametrize(
    "status", ["301 Moved", "302 Found", "303 See Other", "307 Temporary Redirect", "308 Permanent Redirect"]
)
def test_a_redirect_to_the_cdn_is_followed_and_is_told_nothing(internet: Builder, status: str) -> None:
    net = internet(to(f"https://{CDN}/media?X-Amz-Signature=abc", status))
    assert net.fetched().state is RecordingState.READY
    assert net.resolver.connected == [API_ADDRESS, CDN_ADDRESS]
    assert len(net.elsewhere.heads) == 1
    net.no_credentials_left_the_api()


@pytest.mark.parametrize(
    "location",
    [
        f"https://{EVIL}/2010-04-01/x",
        f"https://{API}@{EVIL}/2010-04-01/x",
        f"https://user:password@{API}/2010-04-01/x",
        f"http://{API}/2010-04-01/x",
        f"http://{CDN}/x",
        f"https://{API}:8443/2010-04-01/x",
        f"https://{CDN}:22/x",
        f"//{EVIL}/x",
        f"/\\{EVIL}/x",
        "https://127.0.0.1/x",
        "https://2130706433/x",
        "https://0x7f000001/x",
        "https://0177.0.0.1/x",
        "https://127.1/x",
        "https://localhost/x",
        "https://169.254.169.254/latest/meta-data/",
        "https://[::1]/x",
        "https://[::ffff:127.0.0.1]/x",
        "https://[fd00::1]/x",
        "https://[fe80::1%25lo]/x",
        "gopher://127.0.0.1:6379/_FLUSHALL",
        "file:///etc/passwd",
    ],
)
@pytest.mark.parametrize("status", ["302 Found", "307 Temporary Redirect"])
def test_a_redirect_anywhere_else_is_a_lasting_failure_and_no_connection(
    internet: Builder, location: str, status: str
) -> None:
    net = internet(to(location, status))
    row = net.fetched()
    assert (row.state, row.failure_reason) == (RecordingState.FAILED, FailureReason.SOURCE_REDIRECT_REFUSED)
    assert net.resolver.connected == [API_ADDRESS]
    assert net.elsewhere.heads == []
    net.no_credentials_left_the_api()


@pytest.mark.parametrize("location", ["/2010-04-01/again", f"https://{API}/2010-04-01/again", ""])
def test_redirects_that_never_end_are_left_after_a_few(internet: Builder, location: str) -> None:
    net = internet(to(location))
    assert net.fetched().failure_reason is FailureReason.SOURCE_REDIRECT_REFUSED
    assert len(net.api.heads) <= 4
    assert net.elsewhere.heads == []


@pytest.mark.parametrize("address", PRIVATE)
def test_a_name_that_leads_inside_is_not_connected_to(internet: Builder, address: str) -> None:
    net = internet(WHOLE)
    net.resolver.has(API, [address])
    assert net.fetched().state is RecordingState.QUEUED
    assert net.resolver.connected == []


@pytest.mark.parametrize("address", PRIVATE)
def test_a_name_that_leads_inside_the_second_time_is_not_connected_to_then(internet: Builder, address: str) -> None:
    """DNS rebinding: between two hops, and between a look at an address and the connection."""
    net = internet(to("/2010-04-01/again"))
    net.resolver.has(API, [API_ADDRESS], [address])
    assert net.fetched().state is RecordingState.QUEUED
    # One look a connection: the address that was vetted is the one that is connected to.
    assert net.resolver.looked_up == [API, API]
    assert net.resolver.connected == [API_ADDRESS]

    rebound = internet(to(f"https://{CDN}/x"))
    rebound.resolver.has(CDN, [address])
    assert rebound.fetched().state is RecordingState.QUEUED
    assert rebound.elsewhere.heads == []


@pytest.mark.parametrize(
    "source_url",
    [
        f"https://{EVIL}/2010-04-01/Accounts/{ACCOUNT}/Recordings/{KEY.recording_sid}",
        f"http://169.254.169.254/2010-04-01/Accounts/{ACCOUNT}/Recordings/{KEY.recording_sid}",
        f"https://{API}:8443/2010-04-01/Accounts/{ACCOUNT}/Recordings/{KEY.recording_sid}.mp3",
        "file:///etc/passwd",
    ],
)
def test_what_a_row_says_of_a_source_url_is_never_connected_to(internet: Builder, source_url: str) -> None:
    net = internet(WHOLE)
    assert net.fetched(call=CallDetails(source_url=source_url)).state is RecordingState.READY
    assert net.resolver.connected == [API_ADDRESS]
    assert net.api.heads[0].startswith(f"GET /2010-04-01/Accounts/{ACCOUNT}/Recordings/{KEY.recording_sid}.mp3 HTTP")


@pytest.mark.parametrize("api_url", ["https://2130706433", "https://0x7f000001", "https://127.1", "https://10.0.0.1"])
def test_an_api_url_that_is_a_private_address_in_disguise_is_not_connected_to(internet: Builder, api_url: str) -> None:
    net = internet(WHOLE)
    assert net.fetched(api_url).state is RecordingState.QUEUED
    assert net.resolver.connected == []
    assert net.elsewhere.heads == []


@pytest.mark.parametrize(
    "api_url",
    [
        "http://api.twilio.com",
        "http://2130706433",
        "http://127.1",
        "http://169.254.169.254",
        "http://[::ffff:10.0.0.1]",
        "http://0.0.0.0",
        "https://user:password@api.twilio.com",
        "https://api.twilio.com@evil.example",
        "https://api.twilio.com/elsewhere",
        "https://api.twilio.com?@evil.example",
        "https://api.twilio.com#@evil.example",
        "https://evil.example\\@api.twilio.com",
        "https://api.twilio.com:0x50",
        "ftp://api.twilio.com",
        "file:///etc/passwd",
        "",
    ],
)
def test_an_api_url_that_is_more_or_less_than_a_server_is_refused(api_url: str) -> None:
    with pytest.raises(ValueError, match="the URL of Twilio's API"):
        TwilioAccount(ACCOUNT, api_url, USERNAME, PASSWORD)


def test_nothing_of_all_this_is_told_in_the_log_or_the_row(internet: Builder, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    # As every process has it (processes/logs.py): it logs whole URLs.
    caplog.set_level(logging.WARNING, "urllib3")

    def cut(connection: socket.socket) -> None:
        connection.sendall(answer(AUDIO[:100], f"Content-Length: {len(AUDIO)}"))

    rows = [
        internet(to(f"https://{EVIL}/x?X-Amz-Signature=abc")).fetched(),
        internet(to(f"https://{CDN}/x?X-Amz-Signature=abc"), elsewhere=cut).fetched(),
        internet(answer(status="401 Unauthorized")).fetched(),
    ]
    told = caplog.text + "".join(map(repr, rows))
    for secret in (PASSWORD, BASIC.rpartition(" ")[2], "X-Amz-Signature"):
        assert secret.lower() not in told.lower()
