import gc
import os
import socket
import stat
import subprocess
import sys
import threading
import warnings
from types import ModuleType

import pytest
import requests

from recording_service import twilio_stand_in
from recording_service.twilio_stand_in import FOREVER, Outcome, Recording, TwilioStandIn, media, serve
from tests.twilio_stand_in import raw_http
from tests.twilio_stand_in.conftest import ACCOUNT_SID, AUTH_TOKEN

#: Descriptors looked at.
DESCRIPTORS = 1024

GOOD = (ACCOUNT_SID, AUTH_TOKEN)


def open_descriptors() -> list[int]:
    return [descriptor for descriptor in range(DESCRIPTORS) if is_open(descriptor)]


def is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True


def is_listening(descriptor: int) -> bool:
    if not stat.S_ISSOCK(os.fstat(descriptor).st_mode):
        return False
    with socket.socket(fileno=os.dup(descriptor)) as candidate:
        return bool(candidate.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))


def started() -> TwilioStandIn:
    return TwilioStandIn(account_sid=ACCOUNT_SID, auth_token=AUTH_TOKEN).start()


def test_stopping_ends_every_thread_and_stalled_answer_and_leaks_nothing() -> None:
    threads = set(threading.enumerate())
    descriptors = open_descriptors()
    twilio = started()
    recording = twilio.add_recording(duration=1)
    twilio.behave(recording.recording_sid, media().stall(), media().drip(1), media().endless(), times=5)
    url = twilio.media_url(recording.recording_sid, ".mp3")
    clients = []
    for _ in range(15):
        clients.append(raw_http.connect(url))
        raw_http.send(clients[-1], url, raw_http.basic(*GOOD))
    twilio.wait_for_requests(15)

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        twilio.stop()
        gc.collect()

    assert {request.outcome for request in twilio.requests} == {Outcome.STOPPED}
    for client in clients:
        raw_http.receive(client)
        client.close()
    assert set(threading.enumerate()) == threads
    assert open_descriptors() == descriptors


def test_starting_and_stopping_twice(twilio: TwilioStandIn) -> None:
    with pytest.raises(RuntimeError, match="runs already"):
        twilio.start()
    twilio.stop()
    twilio.stop()
    with pytest.raises(RuntimeError, match="not running"):
        twilio.down()


def test_a_stopped_stand_in_starts_again_on_its_port_with_all_it_had(
    twilio: TwilioStandIn, recording: Recording
) -> None:
    url = twilio.media_url(recording.recording_sid, ".mp3")
    twilio.stop()
    twilio.start()

    assert requests.get(url, auth=GOOD, timeout=10).content == twilio.media(recording.recording_sid)


def test_a_taken_port_is_refused_and_leaks_nothing(twilio: TwilioStandIn) -> None:
    port = int(twilio.url.rpartition(":")[2])
    threads = set(threading.enumerate())

    with pytest.raises(OSError, match="in use"):
        TwilioStandIn(account_sid=ACCOUNT_SID, auth_token=AUTH_TOKEN, port=port).start()

    assert set(threading.enumerate()) == threads


def test_while_down_connections_are_refused_and_then_accepted_on_the_same_port(
    twilio: TwilioStandIn, recording: Recording
) -> None:
    url = twilio.media_url(recording.recording_sid, ".mp3")
    for _ in range(3):
        twilio.down()
        twilio.down()
        with pytest.raises(ConnectionRefusedError):
            raw_http.connect(url)
        twilio.up()
        twilio.up()
        assert requests.get(url, auth=GOOD, timeout=10).status_code == 200


def test_going_down_cuts_what_is_under_way(twilio: TwilioStandIn, recording: Recording) -> None:
    gate = twilio.hold(recording.recording_sid, after=1000)
    url = twilio.media_url(recording.recording_sid, ".mp3")
    with raw_http.connect(url) as client:
        raw_http.send(client, url, raw_http.basic(*GOOD))
        gate.wait_reached()
        twilio.down()
        assert raw_http.receive(client).body == twilio.media(recording.recording_sid)[:1000]

    assert twilio.requests[0].outcome is Outcome.STOPPED
    twilio.up()


def test_while_down_connections_are_refused_even_if_a_forked_child_holds_the_socket(twilio: TwilioStandIn) -> None:
    code = "import sys; sys.stdin.read()"
    descriptors = [descriptor for descriptor in open_descriptors() if is_listening(descriptor)]
    assert descriptors
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, pass_fds=descriptors) as child:
        twilio.down()
        with pytest.raises(ConnectionRefusedError):
            raw_http.connect(twilio.url)
        twilio.up()
        assert raw_http.get(twilio.url + "/", {}).status == 404
        child.communicate()


def test_an_error_inside_is_raised_on_stopping() -> None:
    twilio = started()
    recording = twilio.add_recording(size=1)
    with pytest.raises(requests.ConnectionError):
        requests.get(twilio.media_url(recording.recording_sid, ".mp3"), auth=GOOD, timeout=10)

    with pytest.raises(ValueError, match="no whole number"):
        twilio.stop()


def test_many_requests_at_once_are_all_answered(twilio: TwilioStandIn, recording: Recording) -> None:
    url = twilio.media_url(recording.recording_sid, ".mp3")
    bodies: list[bytes] = []
    threads = [
        threading.Thread(target=lambda: bodies.append(requests.get(url, auth=GOOD, timeout=30).content))
        for _ in range(100)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert bodies == [twilio.media(recording.recording_sid)] * 100


def test_a_request_costs_no_nagle_delay(twilio: TwilioStandIn, recording: Recording) -> None:
    url = twilio.media_url(recording.recording_sid, ".mp3")
    with requests.Session() as session:
        session.auth = GOOD
        slowest = sorted(session.get(url, timeout=10).elapsed.total_seconds() for _ in range(50))

    assert slowest[len(slowest) // 2] < 0.03


def test_serve_runs_until_it_is_told_to_stop() -> None:
    stop, ready = threading.Event(), threading.Event()
    stand_ins: list[TwilioStandIn] = []

    def is_ready(twilio: TwilioStandIn) -> None:
        stand_ins.append(twilio)
        ready.set()

    recording = Recording(duration=1)
    thread = threading.Thread(
        target=serve,
        args=("127.0.0.1", 0),
        kwargs={
            "account_sid": ACCOUNT_SID,
            "auth_token": AUTH_TOKEN,
            "recordings": [recording],
            "ready": is_ready,
            "stop": stop,
        },
    )
    thread.start()
    assert ready.wait(10)
    twilio = stand_ins[0]
    twilio.behave(recording.recording_sid, media().stall(), times=FOREVER)
    for recording_sid, path in ((recording.recording_sid, ".json"), ("RE" + "7" * 32, ".mp3")):
        url = f"{twilio.url}/2010-04-01/Accounts/{ACCOUNT_SID}/Recordings/{recording_sid}{path}"
        assert requests.get(url, auth=GOOD, timeout=10).status_code == 200

    stop.set()
    thread.join(10)
    assert not thread.is_alive()
    with pytest.raises(ConnectionRefusedError):
        raw_http.connect(twilio.url)


def test_every_public_name_is_listed() -> None:
    modules = {name for name, value in vars(twilio_stand_in).items() if isinstance(value, ModuleType)}
    names = {name for name in vars(twilio_stand_in) if not name.startswith("_")}

    assert names - modules == set(twilio_stand_in.__all__)
