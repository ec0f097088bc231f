"""Hostile webhooks over a raw socket: each is refused as it should be, none reaches the service, none is a traceback.

The forms are signed with the account's own token wherever that is possible, so that nothing but the matter at hand can
be what refuses them.
"""

import base64
import hashlib
import hmac
import logging
import time
from contextlib import closing
from typing import NamedTuple
from urllib.parse import urlencode

import pytest

from recording_service.http_api.webhooks.forms import MAX_BODY_BYTES, Form
from recording_service.http_api.webhooks.signatures import signed_parameters
from tests.http_api.conftest import TOKEN, Settings
from tests.http_api.fake_recordings import ACCOUNT, RECORDING, FakeRecordings
from tests.http_api.running_app import PUBLIC_URL, Answer, Client, parse_answer, running_app
from tests.support.waiting import eventually

PATH = "/webhooks/twilio/recording-status"
FORM = "Content-Type: application/x-www-form-urlencoded"
CALLBACK = [
    ("AccountSid", ACCOUNT),
    ("CallSid", "CA" + "2c" * 16),
    ("RecordingSid", RECORDING),
    ("RecordingStatus", "completed"),
]
#: The second account of these tests.
OTHER, OTHER_TOKEN = "AC" + "0b" * 16, "token-of-the-other-account"
ANOTHER_RECORDING = "RE" + "ff" * 16


def encoded(*further: tuple[str, str | bytes], but: str = "") -> bytes:
    """The callback's form, perhaps without a field, and with others."""
    return urlencode([*(pair for pair in CALLBACK if pair[0] != but), *further]).encode()


def signature(body: bytes, *, token: str = TOKEN, path: str = PATH) -> str:
    """As Twilio signs; of bytes that are no form, the bare address."""
    try:
        text = PUBLIC_URL + path + signed_parameters(Form.parse(body))
    except ValueError:
        text = PUBLIC_URL + path
    return base64.b64encode(hmac.new(token.encode(), text.encode(), hashlib.sha1).digest()).decode()


def request(
    body: bytes = encoded(),
    *fields: str,
    start: str = f"POST {PATH} HTTP/1.1",
    content_type: str = FORM,
    framing: str | None = None,
    signed: str | None = None,
) -> bytes:
    """A webhook on the wire; whatever is not given is as it should be."""
    framing = f"Content-Length: {len(body)}" if framing is None else framing
    signed = f"X-Twilio-Signature: {signature(body)}" if signed is None else signed
    lines = [start, "Host: h", "Connection: close", content_type, framing, signed, *fields]
    return "\r\n".join(filter(None, lines)).encode("latin-1") + b"\r\n\r\n" + body


def chunked(body: bytes, *, end: bytes = b"0\r\n\r\n") -> bytes:
    return b"%x\r\n%b\r\n%b" % (len(body), body, end)


class Hostile(NamedTuple):
    """What is sent, and what that is answered with."""

    sent: bytes
    status: int
    reason: str


BAD = (400, "BAD_REQUEST")
INVALID = (400, "INVALID_REQUEST")
FORGED = (403, "SIGNATURE_INVALID")
TYPE = (415, "UNSUPPORTED_MEDIA_TYPE")
LARGE = (413, "BODY_TOO_LARGE")
METHOD = (405, "METHOD_NOT_ALLOWED")

HOSTILE = {
    # Who it is from
    "unsigned": Hostile(request(signed=""), *FORGED),
    "blank signature": Hostile(request(signed="X-Twilio-Signature: "), *FORGED),
    "two signatures": Hostile(request(encoded(), f"X-Twilio-Signature: {signature(encoded())}"), *FORGED),
    "a good one behind a bad": Hostile(
        request(encoded(), f"X-Twilio-Signature: {signature(encoded())}", signed="X-Twilio-Signature: x"), *FORGED
    ),
    "two signatures in one": Hostile(
        request(signed=f"X-Twilio-Signature: {signature(encoded())}, {signature(encoded())}"), *FORGED
    ),
    "signed with nothing": Hostile(request(signed=f"X-Twilio-Signature: {signature(encoded(), token='')}"), *FORGED),
    "signed by another account": Hostile(
        request(signed=f"X-Twilio-Signature: {signature(encoded(), token=OTHER_TOKEN)}"), *FORGED
    ),
    "in another account's name": Hostile(request(encoded(("AccountSid", OTHER), but="AccountSid")), *FORGED),
    "in two accounts' names": Hostile(request(encoded(("AccountSid", OTHER))), *FORGED),
    "in nobody's name": Hostile(request(encoded(but="AccountSid")), *FORGED),
    "in a blank name": Hostile(request(encoded(("AccountSid", ""), but="AccountSid")), *FORGED),
    "algorithm of its own choice": Hostile(
        request(encoded(), "X-Twilio-Webhooks-Signature-Settings: key=k,algorithm=HMAC_MD5", signed=""), *FORGED
    ),
    "signed for the other endpoint": Hostile(
        request(signed=f"X-Twilio-Signature: {signature(encoded(), path='/webhooks/twilio/recording')}"), *FORGED
    ),
    "query that nobody signed": Hostile(request(start=f"POST {PATH}?a=b HTTP/1.1"), *FORGED),
    "fields moved into the query": Hostile(
        # One signature: there is no delimiter between the two (twilio.md A2).
        request(b"AccountSid=" + ACCOUNT.encode(), start=f"POST {PATH}?{encoded().decode()} HTTP/1.1"),
        *FORGED,
    ),
    "signed in a trailer": Hostile(
        request(signed="", framing="Transfer-Encoding: chunked")[: -len(encoded())]
        + chunked(encoded(), end=f"0\r\nX-Twilio-Signature: {signature(encoded())}\r\n\r\n".encode()),
        400,
        "TRAILERS_REFUSED",
    ),
    # What it says
    "two RecordingSids": Hostile(request(encoded(("RecordingSid", ANOTHER_RECORDING))), *INVALID),
    "two statuses": Hostile(request(encoded(("RecordingStatus", "absent"))), *INVALID),
    "line break in a SID": Hostile(
        request(encoded(("RecordingSid", f"{RECORDING}\r\nX-Injected: 1"), but="RecordingSid")), *INVALID
    ),
    "line break in the status": Hostile(
        request(encoded(("RecordingStatus", "completed\r\nINFO all is well"), but="RecordingStatus")), *INVALID
    ),
    "NUL in a SID": Hostile(request(encoded(("RecordingSid", f"{RECORDING}\0"), but="RecordingSid")), *INVALID),
    "path in a SID": Hostile(request(encoded(("RecordingSid", "RE/../../" + "a" * 25), but="RecordingSid")), *INVALID),
    "field shifted into another": Hostile(
        # Its signature is the one of RecordingSid and RecordingUrl.
        request(encoded(("RecordingSid", f"{RECORDING}RecordingUrlhttps://x"), but="RecordingSid")),
        *INVALID,
    ),
    "digits of another script": Hostile(
        request(encoded(("RecordingSid", "RE" + "\u0661" * 32), but="RecordingSid")), *INVALID
    ),
    # How it says it
    "raw NULs": Hostile(request(b"\0\0\0=\0&\0"), *FORGED),
    "latin-1": Hostile(request(encoded(but="CallSid") + b"&From=M\xfcller"), *INVALID),
    "latin-1, encoded": Hostile(request(encoded(but="CallSid") + b"&From=M%FCller"), *INVALID),
    "overlong UTF-8": Hostile(request(encoded() + b"&From=%C0%AF"), *INVALID),
    "surrogates": Hostile(request(encoded() + b"&From=%ED%A0%80"), *INVALID),
    "broken escape": Hostile(request(encoded() + b"&From=%4"), *INVALID),
    "no body": Hostile(request(b""), *INVALID),
    "charset=utf-16": Hostile(request(content_type=f"{FORM}; charset=utf-16"), *TYPE),
    "charset=latin-1": Hostile(request(content_type=f"{FORM}; charset=ISO-8859-1"), *TYPE),
    "two content types": Hostile(request(encoded(), "Content-Type: application/json"), *TYPE),
    "no content type": Hostile(request(content_type=""), *TYPE),
    "JSON": Hostile(request(b'{"RecordingSid": "x"}', content_type="Content-Type: application/json"), *TYPE),
    "compressed": Hostile(request(b"\x1f\x8b\x08\x00\x00", "Content-Encoding: gzip"), *INVALID),
    "10 000 fields": Hostile(request(b"&".join(b"f%d=" % number for number in range(10_000))), *LARGE),
    "a byte too much": Hostile(request(encoded() + b"&x=" + b"y" * (MAX_BODY_BYTES - len(encoded()) - 2)), *LARGE),
    # HTTP
    "GET": Hostile(request(b"", start=f"GET {PATH}?{encoded().decode()} HTTP/1.1", framing=""), *METHOD),
    "GET with a form": Hostile(request(start=f"GET {PATH} HTTP/1.1"), *METHOD),
    "PUT": Hostile(request(start=f"PUT {PATH} HTTP/1.1"), *METHOD),
    "lower-case method": Hostile(request(start=f"post {PATH} HTTP/1.1"), *BAD),
    "overridden method": Hostile(request(b"", "X-HTTP-Method-Override: POST", start=f"GET {PATH} HTTP/1.1"), *METHOD),
    "folded header": Hostile(request(encoded(), "X-Folded: a\r\n b"), *BAD),
    "line break in a header": Hostile(request(encoded(), "X-Broken: a\rX-Injected: 1"), *BAD),
    "bare line feeds": Hostile(request().replace(b"\r\n", b"\n"), *BAD),
    "NUL in a header": Hostile(request(encoded(), "X-Nul: \0"), *BAD),
    "space before a colon": Hostile(request(encoded(), "X-Spaced : 1"), *BAD),
    "escape in the target": Hostile(request(start=f"POST {PATH}\x1b[2J HTTP/1.1"), *BAD),
    "NUL in the target": Hostile(request(start=f"POST {PATH}\0 HTTP/1.1"), *BAD),
    "no ASCII in the target": Hostile(request(start=f"POST {PATH}?\xff HTTP/1.1"), *BAD),
    "target with no path": Hostile(request(start="POST http://recordings.example.com HTTP/1.1"), *BAD),
    "length and chunks": Hostile(request(chunked(encoded()), "Transfer-Encoding: chunked"), *BAD),
    "chunks and length": Hostile(
        request(chunked(encoded()), f"Content-Length: {len(encoded())}", framing="Transfer-Encoding: chunked"), *BAD
    ),
    "two lengths": Hostile(request(encoded(), "Content-Length: 5"), *BAD),
    "length with a sign": Hostile(request(framing=f"Content-Length: +{len(encoded())}"), *BAD),
    "length that overflows": Hostile(request(framing=f"Content-Length: {2**64 + len(encoded())}"), *BAD),
    "chunks of another coding": Hostile(
        request(chunked(encoded()), framing="Transfer-Encoding: chunked, identity"), *BAD
    ),
    "length that is no number": Hostile(request(b"zz\r\nx\r\n0\r\n\r\n", framing="Transfer-Encoding: chunked"), *BAD),
}


def answer_to(client: Client, sent: bytes) -> Answer:
    with closing(client.raw()) as connection:
        connection.sendall(sent)
        data = bytearray()
        while piece := connection.recv(65536):
            data += piece
        return parse_answer(bytes(data))


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_webhook_is_refused_reaches_nothing_and_breaks_nothing(
    client: Client, recordings: FakeRecordings, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    caplog.set_level(logging.DEBUG)
    hostile = HOSTILE[name]

    answer = answer_to(client, hostile.sent)

    assert (answer.status, answer.json()["reason"]) == (hostile.status, hostile.reason)
    assert answer.headers["content-type"] == "application/problem+json"
    assert "x-injected" not in answer.headers
    assert recordings.asked == []
    assert "Traceback" not in caplog.text
    assert not any(record.exc_info for record in caplog.records)
    assert all("\n" not in record.getMessage() and "\x1b" not in record.getMessage() for record in caplog.records)


@pytest.mark.parametrize(
    "sent",
    [
        request(),
        request(content_type=f"{FORM}; charset=UTF-8"),
        request(chunked(encoded()), framing="Transfer-Encoding: chunked", signed="").replace(
            b"\r\n\r\n", f"\r\nX-Twilio-Signature: {signature(encoded())}\r\n\r\n".encode(), 1
        ),
        # The address a request claims to be for is not looked at, the one that is configured is.
        request(start=f"POST http://evil.example{PATH} HTTP/1.1"),
        # Twilio adds fields, and names them as it likes.
        request(encoded(("\r\nX-Injected", "\r\n\r\n"), ("\0", "\0"), ("RecordingTrack", "\r\nboth"))),
        request(encoded(("AccountSid", ACCOUNT), ("RecordingSid", RECORDING))),
    ],
    ids=["plain", "UTF-8", "chunked", "absolute form", "odd fields", "said twice"],
)
def test_what_twilio_might_send_is_taken(client: Client, recordings: FakeRecordings, sent: bytes) -> None:
    answer = answer_to(client, sent)
    assert (answer.status, answer.json()) == (200, {"reason": "ENQUEUED", "recording_sid": RECORDING})
    (asked,) = recordings.of("EnqueueRecording")
    assert (asked.account_sid, asked.recording_sid, asked.track) == (ACCOUNT, RECORDING, "")


def test_a_client_that_expects_to_be_asked_for_the_body_is_asked(client: Client, recordings: FakeRecordings) -> None:
    head, _, body = request(encoded(), "Expect: 100-continue").partition(b"\r\n\r\n")
    with closing(client.raw()) as connection:
        connection.sendall(head + b"\r\n\r\n")
        assert connection.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(body)
        assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")
    assert len(recordings.asked) == 1


def test_a_client_that_expects_to_be_asked_is_refused_before_it_sends_too_much(client: Client) -> None:
    head, _, _ = request(b"x" * (MAX_BODY_BYTES + 1), "Expect: 100-continue").partition(b"\r\n\r\n")
    assert answer_to(client, head + b"\r\n\r\n").status == 413


@pytest.mark.parametrize("framing", [None, "Transfer-Encoding: chunked"])
def test_a_webhook_that_is_cut_reaches_nothing_and_is_no_traceback(
    client: Client, recordings: FakeRecordings, caplog: pytest.LogCaptureFixture, framing: str | None
) -> None:
    caplog.set_level(logging.INFO)
    body = encoded() if framing is None else chunked(encoded())
    whole = request(body, "X-Request-Id: id-of-the-cut", framing=framing, signed="X-Twilio-Signature: x")
    for left_out in (1, len(body) // 2, len(body)):
        caplog.clear()
        with closing(client.raw()) as connection:
            connection.sendall(whole[:-left_out])
        eventually(lambda: "id-of-the-cut" in caplog.text)
        assert " 400 " in caplog.text
        assert "Traceback" not in caplog.text
    assert recordings.asked == []


@pytest.mark.parametrize("named", ["a different name each", "all one name"])
def test_as_many_fields_as_there_is_room_for_take_no_second(
    client: Client, recordings: FakeRecordings, named: str
) -> None:
    known = encoded()
    letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
    names = ["x"] * 10_000 if named == "all one name" else [a + b for a in letters for b in letters]
    fields = ""
    for name in names:
        if len(known) + len(fields) + len(name) + 1 > MAX_BODY_BYTES:
            break
        fields += f"&{name}"
    body = known + fields.encode()
    started = time.monotonic()
    genuine, forged = answer_to(client, request(body)), answer_to(client, request(body, signed="X-Twilio-Signature: x"))
    assert time.monotonic() - started < 1.0
    assert (genuine.status, forged.status) == (200, 403)


def test_each_account_is_believed_with_its_own_token_alone(
    recordings: FakeRecordings, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    tokens = {ACCOUNT: (TOKEN, "older-token"), OTHER: (OTHER_TOKEN, " "), "AC" + "0c" * 16: ()}
    signing = [TOKEN, "older-token", OTHER_TOKEN, "", " "]
    believed = []
    with running_app(settings(auth_tokens=tokens)) as client:
        for account in tokens:
            for token in signing:
                body = encoded(("AccountSid", account), but="AccountSid")
                sent = request(body, signed=f"X-Twilio-Signature: {signature(body, token=token)}")
                answer = answer_to(client, sent)
                assert answer.status in {200, 403}
                if answer.status == 200:
                    believed.append((account, token))
    assert believed == [(ACCOUNT, TOKEN), (ACCOUNT, "older-token"), (OTHER, OTHER_TOKEN)]
    assert [asked.account_sid for asked in recordings.of("EnqueueRecording")] == [account for account, _ in believed]


@pytest.mark.parametrize(
    ("public_url", "signed_url"),
    [
        ("https://recordings.example.com:8443", "https://recordings.example.com"),
        ("https://recordings.example.com:8443", "https://recordings.example.com:8443"),
        ("https://recordings.example.com/a/prefix/", "https://recordings.example.com/a/prefix"),
        ("http://recordings.example.com:8080/prefix", "http://recordings.example.com:8080/prefix"),
        ("https://[2001:db8::1]:8443", "https://[2001:db8::1]"),
    ],
)
@pytest.mark.parametrize("query", ["", "?", "?tenant=7&b=%7E'&a="])
def test_a_public_url_may_have_a_prefix_and_a_port(
    recordings: FakeRecordings, settings: Settings, public_url: str, signed_url: str, query: str
) -> None:
    text = signed_url + PATH + query + signed_parameters(Form.parse(encoded()))
    signed = base64.b64encode(hmac.new(TOKEN.encode(), text.encode(), hashlib.sha1).digest()).decode()
    with running_app(settings(public_url=public_url)) as client:
        sent = request(start=f"POST {PATH}{query} HTTP/1.1", signed=f"X-Twilio-Signature: {signed}")
        assert answer_to(client, sent).status == 200


def test_a_refused_signature_is_logged_with_the_command_that_explains_it(
    client: Client, recordings: FakeRecordings, caplog: pytest.LogCaptureFixture
) -> None:
    answer_to(client, request(signed="X-Twilio-Signature: a-forged-signature"))
    assert "recording-service doctor --webhook" in caplog.text
    for secret in (TOKEN, "a-forged-signature", ACCOUNT):
        assert secret not in caplog.text
