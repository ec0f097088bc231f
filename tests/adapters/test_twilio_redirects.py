"""Where redirects may lead, and that credentials don't go along."""

import socket
import traceback
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from urllib3.util import parse_url

from recording_service.adapters.twilio_media.redirects import RedirectRules
from recording_service.core.errors import (
    RedirectRefused,
    SourceError,
    SourceNotFound,
    SourceTruncated,
    SourceUnavailable,
)
from recording_service.twilio_stand_in import Credentials, Recording, TwilioStandIn, redirect
from tests.adapters.raw_server import RawServer, answer
from tests.adapters.twilio_fetching import ACCOUNT_SID, KEY, PASSWORD, USERNAME, fetched, source

BODY = b"\xff\xf3\x40\xc4" * 1000
WHOLE = answer(BODY, f"Content-Length: {len(BODY)}")

API = "https://api.twilio.com"
MEDIA = f"{API}/2010-04-01/Accounts/{KEY.account_sid}/Recordings/{KEY.recording_sid}.mp3"
LOCAL = "http://127.0.0.1:8081"


def to(location: str, status: str = "302 Found") -> bytes:
    return answer(b"", f"Location: {location}", "Content-Length: 0", status=status)


@pytest.fixture
def elsewhere() -> Iterator[RawServer]:
    with RawServer(WHOLE) as server:
        yield server


# Followed, over real connections


@pytest.mark.parametrize(
    "status",
    ["301 Moved Permanently", "302 Found", "303 See Other", "307 Temporary Redirect", "308 Permanent Redirect"],
)
def test_a_redirect_to_another_host_is_followed_without_the_credentials(elsewhere: RawServer, status: str) -> None:
    with RawServer(to(f"{elsewhere.url}/media/1?signature=abc", status)) as api:
        assert fetched(source(api.url, further=(elsewhere.url,))) == BODY

    assert len(api.authorizations()) == 1
    assert elsewhere.heads[0].startswith("GET /media/1?signature=abc HTTP/1.1\r\n")
    assert elsewhere.authorizations() == []
    assert "cookie" not in elsewhere.heads[0].lower()


def test_a_redirect_within_the_api_keeps_the_credentials() -> None:
    with RawServer(to("/2010-04-01/other.mp3"), WHOLE) as api:
        assert fetched(source(api.url)) == BODY

    assert len(api.authorizations()) == 2


def test_a_redirect_away_from_the_api_on_its_own_host_loses_the_credentials() -> None:
    with TwilioStandIn(account_sid=ACCOUNT_SID, auth_token="t", api_key=USERNAME, api_secret=PASSWORD) as twilio:
        twilio.add_recording(Recording(recording_sid=KEY.recording_sid, body=BODY))
        twilio.behave(KEY.recording_sid, redirect(twilio.cdn_url(KEY.recording_sid)))

        assert fetched(source(twilio.url)) == BODY
        assert [request.credentials for request in twilio.requests] == [Credentials.API_KEY, Credentials.NONE]


def test_credentials_that_were_left_behind_do_not_come_back() -> None:
    """Or the other host could say what is asked for with them."""

    def leave(connection: socket.socket) -> None:
        connection.sendall(to(f"{elsewhere.url}/away"))

    def come_back(connection: socket.socket) -> None:
        connection.sendall(to(f"{api.url}/2010-04-01/back"))

    with RawServer(leave, WHOLE) as api, RawServer(come_back) as elsewhere:
        assert fetched(source(api.url, further=(elsewhere.url,))) == BODY

    assert len(api.heads) == 2
    assert len(api.authorizations()) == 1
    assert elsewhere.authorizations() == []


def test_cookies_are_not_kept_between_hops() -> None:
    with RawServer(
        answer(b"", "Location: /2010-04-01/x", "Set-Cookie: session=1", "Content-Length: 0", status="302 Found"), WHOLE
    ) as api:
        fetched(source(api.url))

    assert "cookie" not in api.heads[1].lower()


def test_the_body_of_a_redirect_is_not_read() -> None:
    endless = answer(b"x" * 1000, "Location: /2010-04-01/x", "Content-Length: 100000000000", status="302 Found")
    with RawServer(endless, WHOLE) as api:
        assert fetched(source(api.url, max_bytes=len(BODY))) == BODY


def test_three_redirects_are_followed_and_no_more() -> None:
    hops = [to(f"/2010-04-01/{number}") for number in range(4)]
    with RawServer(*hops[:3], WHOLE) as api:
        assert fetched(source(api.url)) == BODY
    with RawServer(*hops, WHOLE) as api, pytest.raises(RedirectRefused, match="more than 3 times"):
        fetched(source(api.url))
    assert len(api.heads) == 4


@pytest.mark.parametrize("location", ["", "/2010-04-01/circle", "/2010-04-01/circle#again"])
def test_a_circle_is_refused(location: str) -> None:
    with RawServer(to("/2010-04-01/circle"), to(location)) as api, pytest.raises(RedirectRefused):
        fetched(source(api.url))
    assert len(api.heads) == 2


def test_a_redirect_to_a_host_that_is_not_allowed_is_refused_without_asking_it(elsewhere: RawServer) -> None:
    with RawServer(to(elsewhere.url)) as api, pytest.raises(RedirectRefused, match="host that is not allowed"):
        fetched(source(api.url))

    assert elsewhere.heads == []


@pytest.mark.parametrize(
    ("status", "error"),
    [("401 Unauthorized", SourceUnavailable), ("403 Forbidden", SourceUnavailable), ("404 Not Found", SourceNotFound)],
)
def test_a_refusal_at_the_end_of_a_redirect_says_nothing_of_the_account(status: str, error: type[SourceError]) -> None:
    with RawServer(answer(status=status)) as cdn, RawServer(to(cdn.url)) as api, pytest.raises(error):
        fetched(source(api.url, further=(cdn.url,)))


@pytest.mark.parametrize("then", [answer(BODY, "Content-Length: 9999999"), b"", answer(status="500 No"), None])
def test_no_error_carries_the_address_that_was_redirected_to(then: bytes | None) -> None:
    """It may be a signed one: as good as a key, for as long as it is valid."""
    with RawServer(then or b"") as cdn, RawServer(to(f"{cdn.url}/bucket/1?X-Amz-Signature=0123456789abcdef")) as api:
        if then is None:
            cdn.stop()
        redirected = source(api.url, further=(cdn.url,))
        with pytest.raises((SourceUnavailable, SourceTruncated)) as raised:
            fetched(redirected)

    told = "".join(traceback.format_exception(raised.value))
    assert "Signature" not in told
    assert "bucket" not in told


# The rules themselves


@pytest.mark.parametrize(
    ("location", "followed"),
    [
        (f"{API}/2010-04-01/x", f"{API}/2010-04-01/x"),
        ("/2010-04-01/x?a=b", f"{API}/2010-04-01/x?a=b"),
        ("other.mp3", MEDIA.rpartition("/")[0] + "/other.mp3"),
        ("//media.twiliocdn.com/x", "https://media.twiliocdn.com/x"),
        ("https://mms.twiliocdn.com/a/b?c=d%2Fe&f=~", "https://mms.twiliocdn.com/a/b?c=d%2Fe&f=~"),
        ("https://api.sydney.au1.twilio.com/x", "https://api.sydney.au1.twilio.com/x"),
        ("HTTPS://API.Twilio.COM:443/x#part", "https://api.twilio.com/x"),
        ("https://s3.amazonaws.com/bucket/x", "https://s3.amazonaws.com/bucket/x"),
        ("https://bucket.s3.amazonaws.com/x", "https://bucket.s3.amazonaws.com/x"),
        ("https://my.bucket.s3.us-east-1.amazonaws.com/x", "https://my.bucket.s3.us-east-1.amazonaws.com/x"),
        ("https://s3-us-west-2.amazonaws.com/x", "https://s3-us-west-2.amazonaws.com/x"),
        ("https://b.s3.dualstack.eu-west-1.amazonaws.com/x", "https://b.s3.dualstack.eu-west-1.amazonaws.com/x"),
        (f"https://{'b' * 63}.s3.amazonaws.com/x", f"https://{'b' * 63}.s3.amazonaws.com/x"),
        ("https://b.s3-accelerate.amazonaws.com", "https://b.s3-accelerate.amazonaws.com/"),
    ],
)
def test_twilio_its_cdn_and_s3_are_followed_to(location: str, followed: str) -> None:
    assert RedirectRules(API).follow(MEDIA, location) == followed


@pytest.mark.parametrize(
    "location",
    [
        None,
        "",
        " ",
        "http://api.twilio.com/2010-04-01/x",
        "http://mms.twiliocdn.com/x",
        "ftp://api.twilio.com/x",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "https://example.com/x",
        "https://twilio.com.example.com/x",
        "https://eviltwilio.com/x",
        "https://api.twilio.com.evil.example/x",
        "https://api.twilio.com@evil.example/x",
        "https://user:password@api.twilio.com/x",
        "https://@api.twilio.com/x",
        "https://evil.example\\@api.twilio.com/x",
        "https://evil.example/.twilio.com",
        "https://evil.example?.twilio.com",
        "https://evil.example#.twilio.com",
        "https://api.twilio.com:8443/x",
        "https://mms.twiliocdn.com:444/x",
        "https://api.twilio.com:99999/x",
        "https://api.twilio.com:port/x",
        "https://mms.twiliocdn.com./x",
        "https://ec2-1-2-3-4.compute-1.amazonaws.com/x",
        "https://name.elb.amazonaws.com/x",
        "https://s3-x.us-east-1.elb.amazonaws.com/x",
        "https://execute-api.us-east-1.amazonaws.com/x",
        "https://amazonaws.com/x",
        "https://a..s3.amazonaws.com/x",
        "https://.s3.amazonaws.com/x",
        f"https://{'a' * 64}.s3.amazonaws.com/x",
        f"https://s3-{'a' * 61}.amazonaws.com/x",
        f"https://{'a' * 64}.twilio.com/x",
        "https://127.0.0.1/x",
        "https://127.0.0.1%2f.twilio.com/x",
        "https://169.254.169.254/latest/meta-data/",
        "https://[::1]/x",
        "https://[::ffff:127.0.0.1]/x",
        "https://[::1/x",
        "https://localhost/x",
        "https://2130706433/x",
        "https://mms.twiliocdn.com/a b",
        "https://mms.twiliocdn.com/a\r\nX-Header: 1",
        "https://mms.twiliocdn.com/\x00",
        "https://mms.twiliocdn.com/ä",
        "https://mms.twіliocdn.com/x",  # noqa: RUF001 - a Cyrillic i
        "https://mms.twiliocdn.com/" + "x" * 9000,
    ],
)
def test_nothing_else_is_followed_to(location: str | None) -> None:
    with pytest.raises(RedirectRefused):
        RedirectRules(API).follow(MEDIA, location)


def test_from_loopback_nothing_is_followed_to_but_itself_and_what_is_named() -> None:
    rules = RedirectRules(LOCAL, ["http://127.0.0.1:9", "https://localhost:8443"])

    assert rules.follow(f"{LOCAL}/x", "/y") == f"{LOCAL}/y"
    assert rules.follow(f"{LOCAL}/x", "http://127.0.0.1:9/y") == "http://127.0.0.1:9/y"
    assert rules.follow(f"{LOCAL}/x", "https://localhost:8443/y") == "https://localhost:8443/y"
    for location in ("http://127.0.0.1:10/y", "http://localhost:8081/y", "https://api.twilio.com/y", "https://[::1]/y"):
        with pytest.raises(RedirectRefused):
            rules.follow(f"{LOCAL}/x", location)


def test_plain_http_is_never_followed_to_from_the_internet_though_it_is_named() -> None:
    rules = RedirectRules(API, ["http://media.example", "https://media.example"])

    assert rules.follow(MEDIA, "https://media.example/x") == "https://media.example/x"
    with pytest.raises(RedirectRefused):
        rules.follow(MEDIA, "http://media.example/x")


@pytest.mark.parametrize(
    ("url", "sent"),
    [
        (MEDIA, True),
        ("https://api.twilio.com:443/2010-04-01/x", True),
        ("http://api.twilio.com/2010-04-01/x", False),
        ("https://api.twilio.com:444/2010-04-01/x", False),
        ("https://api.dublin.ie1.twilio.com/2010-04-01/x", False),
        ("https://api.twilio.com/x", False),
        ("https://api.twilio.com/", False),
    ],
)
def test_credentials_are_sent_to_the_configured_api_only(url: str, sent: bool) -> None:
    assert RedirectRules(API).sends_credentials(url) is sent


_ODD = st.text(alphabet="abc.:/\\@#?%[]-ß\t\r\n 019", max_size=30)


@given(
    st.builds(
        "".join,
        st.tuples(
            st.sampled_from(["https://", "http://", "//", "https:", "", "HTTPS://"]),
            _ODD,
            st.sampled_from(["api.twilio.com", "mms.twiliocdn.com", "s3.amazonaws.com", "evil.example", ""]),
            _ODD,
        ),
    )
)
def test_whatever_is_followed_means_the_same_to_every_parser(location: str) -> None:
    try:
        followed = RedirectRules(API).follow(MEDIA, location)
    except RedirectRefused:
        return
    parsed = parse_url(followed)
    assert parsed.scheme == "https"
    assert parsed.auth is None
    assert parsed.port is None
    assert parsed.host is not None
    assert parsed.host.endswith((".twilio.com", ".twiliocdn.com", ".amazonaws.com", "s3.amazonaws.com"))
