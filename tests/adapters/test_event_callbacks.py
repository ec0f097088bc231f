"""Callbacks over real connections, verified by the convention's own library."""

import base64
import json
import logging
import ssl
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
import trustme
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook

from recording_service.adapters.event_callbacks import EventCallbacks
from recording_service.adapters.event_callbacks.callbacks import body_of
from recording_service.adapters.event_callbacks.signing import signatures
from recording_service.core.clock import SystemClock
from recording_service.core.event_ports import ReceiverAnswer
from recording_service.core.events import Event, new_events, numbered
from recording_service.core.model import CallDetails
from tests.support.event_receiver import SECRET, EventReceiverServer
from tests.support.events import ready
from tests.support.running_service import free_port
from tests.support.waiting import eventually

OTHER_SECRET = "whsec_" + base64.b64encode(b"another secret of 24 bytes, or more").decode()


def secret_bytes(secret: str) -> bytes:
    return base64.b64decode(secret.removeprefix("whsec_"))


def an_event() -> Event:
    (event,) = new_events(None, ready(1, size_bytes=3, sha256="ab", call=CallDetails(call_sid="CA1")))
    return numbered(event, 7)


def callbacks_to(receiver: EventReceiverServer, *secrets: str, total_seconds: float = 15.0) -> EventCallbacks:
    keys = [secret_bytes(secret) for secret in secrets or (SECRET,)]
    return EventCallbacks(receiver.url, keys, SystemClock(), total_seconds=total_seconds)


# Signed and said as the convention has it


def test_a_callback_is_believed_by_the_conventions_own_library_and_says_what_has_happened() -> None:
    event = an_event()
    with EventReceiverServer() as receiver:
        assert callbacks_to(receiver).send(event) == ReceiverAnswer(200)
    (callback,) = receiver.callbacks
    assert callback.event_id == event.event_id
    assert callback.body == {
        "type": "recording.ready",
        "timestamp": "2026-03-04T05:06:07.000089Z",
        "revision": 7,
        "data": dict(event.facts),
    }
    assert callback.headers["content-type"] == "application/json"
    assert abs(int(callback.headers["webhook-timestamp"]) - time.time()) < 5


def test_each_try_of_an_event_has_the_same_name_and_body() -> None:
    event = an_event()
    with EventReceiverServer() as receiver:
        sender = callbacks_to(receiver)
        for _ in range(2):
            sender.send(event)
    first, second = receiver.callbacks
    assert (first.event_id, first.body) == (second.event_id, second.body)


def test_while_secrets_rotate_receivers_of_either_believe() -> None:
    for known in (SECRET, OTHER_SECRET):
        with EventReceiverServer(known) as receiver:
            assert callbacks_to(receiver, OTHER_SECRET, SECRET).send(an_event()) == ReceiverAnswer(200)
            assert " " in receiver.callbacks[0].headers["webhook-signature"]


def test_what_is_signed_with_another_secret_is_not_believed() -> None:
    with EventReceiverServer(OTHER_SECRET) as receiver:
        assert callbacks_to(receiver).send(an_event()) == ReceiverAnswer(400)
    assert len(receiver.refused) == 1


@given(secret=st.binary(min_size=24, max_size=64), body=st.dictionaries(st.text(), st.text()).map(json.dumps))
def test_signatures_are_those_of_the_conventions_own_library(secret: bytes, body: str) -> None:
    now = SystemClock().now()
    ours = signatures([secret], "evt_1", int(now.timestamp()), body.encode())
    assert ours == Webhook(base64.b64encode(secret).decode()).sign("evt_1", now, body)


def test_a_body_is_small() -> None:
    assert len(body_of(an_event())) < 1000


# Whatever the receiver does is an answer


@pytest.mark.parametrize("status", [204, 302, 404, 410, 500])
def test_a_status_is_an_answer_and_no_redirect_is_followed(status: int) -> None:
    with EventReceiverServer() as receiver:
        receiver.answers = [(status, {"location": receiver.url})]
        assert callbacks_to(receiver).send(an_event()) == ReceiverAnswer(status)
        assert receiver.requests == 1


def test_the_receiver_may_ask_to_be_left_alone() -> None:
    later = format_datetime(SystemClock().now() + timedelta(seconds=100), usegmt=True)
    with EventReceiverServer() as receiver:
        receiver.answers = [
            (429, {"retry-after": "120"}),
            (503, {"retry-after": later}),
            (503, {"retry-after": "soon"}),
        ]
        sender = callbacks_to(receiver)
        assert sender.send(an_event()) == ReceiverAnswer(429, 120.0)
        asked = sender.send(an_event()).retry_after_seconds
        assert asked is not None
        assert 90 < asked <= 100
        assert sender.send(an_event()) == ReceiverAnswer(503, None)


def test_malformed_headers_of_a_receiver_change_nothing_and_nothing_of_them_is_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def mumble(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"HTTP/1.1 202 Accepted\r\nretry-after: 5\r\nthis is no header\r\nx: confided\r\n\r\n")
        handler.close_connection = True

    with EventReceiverServer() as receiver:
        receiver.answers = [mumble]
        assert callbacks_to(receiver).send(an_event()) == ReceiverAnswer(202)
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


def test_nobody_who_listens_is_an_answer() -> None:
    sender = EventCallbacks(f"http://127.0.0.1:{free_port()}/", [secret_bytes(SECRET)], SystemClock())
    assert sender.send(an_event()) == ReceiverAnswer(None, problem="can't be reached")


def drip(handler: BaseHTTPRequestHandler) -> None:
    """Sends headers without end, a few bytes at a time."""
    try:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nx: ")
        while True:
            handler.wfile.write(b"x")
            handler.wfile.flush()
            time.sleep(0.05)
    except OSError:
        handler.close_connection = True


def test_a_receiver_that_drips_or_is_silent_has_its_deadline_in_all() -> None:
    def hang(_: BaseHTTPRequestHandler) -> None:
        receiver.released.wait(30.0)

    with EventReceiverServer() as receiver:
        receiver.answers = [drip, hang]
        sender = callbacks_to(receiver, total_seconds=0.5)
        for _ in range(2):
            started = time.monotonic()
            assert sender.send(an_event()) == ReceiverAnswer(None, problem="took too long")
            assert 0.4 < time.monotonic() - started < 3


def test_a_body_without_end_is_not_waited_for() -> None:
    def endless(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
        handler.wfile.flush()
        receiver.released.wait(30.0)
        handler.close_connection = True

    with EventReceiverServer() as receiver:
        receiver.answers = [endless]
        started = time.monotonic()
        assert callbacks_to(receiver).send(an_event()) == ReceiverAnswer(200)
        assert time.monotonic() - started < 5


def test_a_connection_that_is_cut_is_an_answer() -> None:
    def cut(handler: BaseHTTPRequestHandler) -> None:
        handler.connection.close()
        handler.close_connection = True

    with EventReceiverServer() as receiver:
        receiver.answers = [cut]
        assert callbacks_to(receiver).send(an_event()) == ReceiverAnswer(None, problem="can't be reached")


def test_closing_ends_what_is_under_way_and_whatever_comes_after() -> None:
    waiting = threading.Event()

    def hang(_: BaseHTTPRequestHandler) -> None:
        waiting.set()
        receiver.released.wait(30.0)

    with EventReceiverServer() as receiver, ThreadPoolExecutor(1) as pool:
        receiver.answers = [hang]
        sender = callbacks_to(receiver)
        sending = pool.submit(sender.send, an_event())
        assert waiting.wait(10.0)
        sender.close()
        assert sending.result(5.0).status is None
        assert sender.send(an_event()).status is None
        assert receiver.requests == 1


def test_no_variable_of_the_environment_leads_it_astray(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setenv("ALL_PROXY", f"http://127.0.0.1:{free_port()}")
    with EventReceiverServer() as receiver:
        assert callbacks_to(receiver).send(an_event()) == ReceiverAnswer(200)


def test_no_connection_and_no_timer_stays_behind() -> None:
    with EventReceiverServer() as receiver:
        sender = callbacks_to(receiver)
        for _ in range(5):
            sender.send(an_event())
        eventually(lambda: not any(isinstance(thread, threading.Timer) for thread in threading.enumerate()))


# TLS


def test_a_receiver_by_tls_has_to_be_who_it_says(tmp_path: Path) -> None:
    authority = trustme.CA()
    trusted = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(trusted))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    keys = [secret_bytes(SECRET)]
    with EventReceiverServer(tls=context) as receiver:
        believes = EventCallbacks(receiver.url, keys, SystemClock(), certificates=trusted)
        assert believes.send(an_event()) == ReceiverAnswer(200)
        doubts = EventCallbacks(receiver.url, keys, SystemClock())
        assert doubts.send(an_event()) == ReceiverAnswer(None, problem="has no certificate that is trusted")


def test_whether_a_receiver_can_be_reached_is_found_out_without_an_event() -> None:
    with EventReceiverServer() as receiver:
        assert callbacks_to(receiver).reach() == ReceiverAnswer(405)
    assert receiver.callbacks == []
    assert callbacks_to(receiver).reach().status is None
