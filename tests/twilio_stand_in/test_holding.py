import select
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from recording_service.twilio_stand_in import Answer, Gate, Outcome, Recording, TwilioStandIn, media
from tests.twilio_stand_in import raw_http


@contextmanager
def asking(twilio: TwilioStandIn, recording: Recording, credentials: dict[str, str]) -> Iterator[socket.socket]:
    url = twilio.media_url(recording.recording_sid, ".mp3")
    with raw_http.connect(url) as client:
        raw_http.send(client, url, credentials)
        yield client


def received(client: socket.socket, length: int) -> bytes:
    data = b""
    while len(data) < length:
        piece = client.recv(length - len(data))
        assert piece
        data += piece
    return data


def head_of(client: socket.socket) -> bytes:
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += received(client, 1)
    return head


def has_more(client: socket.socket) -> bool:
    return bool(select.select([client], [], [], 0.05)[0])


@pytest.mark.parametrize(("after", "first"), [(0, 0), (5000, 5000), (-1, 8045)])
def test_a_held_answer_sends_exactly_what_comes_before_the_gate_and_then_the_rest(
    twilio: TwilioStandIn, recording: Recording, credentials: dict[str, str], after: int, first: int
) -> None:
    whole = twilio.media(recording.recording_sid)
    gate = twilio.hold(recording.recording_sid, after)

    with asking(twilio, recording, credentials) as client:
        gate.wait_reached()
        assert b"200 OK" in head_of(client)
        assert received(client, first) == whole[:first]
        assert not has_more(client)
        request = twilio.requests[0]
        assert (request.status, request.bytes_sent, request.outcome) == (200, first, None)

        gate.release()
        assert received(client, len(whole) - first) == whole[first:]

    finished = twilio.wait_for_requests(finished=True)[0]
    assert (finished.bytes_sent, finished.outcome) == (len(whole), Outcome.SENT)


def test_a_stalled_answer_sends_not_even_a_status_until_released(
    twilio: TwilioStandIn, recording: Recording, credentials: dict[str, str]
) -> None:
    gate = Gate()
    twilio.behave(recording.recording_sid, media().stall(gate))

    with asking(twilio, recording, credentials) as client:
        gate.wait_reached()
        assert not has_more(client)
        assert twilio.requests[0].status is None

        gate.release()
        assert raw_http.receive(client).body == twilio.media(recording.recording_sid)


def test_an_answer_can_be_held_more_than_once(
    twilio: TwilioStandIn, recording: Recording, credentials: dict[str, str]
) -> None:
    first, second = Gate(), Gate()
    twilio.behave(recording.recording_sid, media().hold(second, after=2000).hold(first, after=1000))

    with asking(twilio, recording, credentials) as client:
        first.wait_reached()
        assert second.arrivals == 0
        first.release()
        second.wait_reached()
        assert twilio.requests[0].bytes_sent == 2000
        second.release()
        assert raw_http.receive(client).body == twilio.media(recording.recording_sid)


def test_a_hold_ends_in_a_cut_where_both_are_asked_for(
    twilio: TwilioStandIn, recording: Recording, credentials: dict[str, str]
) -> None:
    gate = Gate()
    twilio.behave(recording.recording_sid, media().hold(gate, after=1000).truncate(1000))

    with asking(twilio, recording, credentials) as client:
        gate.wait_reached()
        gate.release()
        assert raw_http.receive(client).body == twilio.media(recording.recording_sid)[:1000]


@pytest.mark.parametrize("answer", [media().hold(Gate(), after=1000), media().stall(), media().drip(1)])
def test_a_client_that_goes_away_is_noticed_at_once(
    twilio: TwilioStandIn, recording: Recording, credentials: dict[str, str], answer: Answer
) -> None:
    twilio.behave(recording.recording_sid, answer)

    with asking(twilio, recording, credentials):
        twilio.wait_for_requests()

    assert twilio.wait_for_requests(finished=True)[0].outcome is Outcome.HUNG_UP


def test_one_answer_going_away_leaves_the_gate_shut_for_the_others(
    twilio: TwilioStandIn, recording: Recording, credentials: dict[str, str]
) -> None:
    gate = Gate()
    twilio.behave(recording.recording_sid, media().hold(gate), times=2)

    with asking(twilio, recording, credentials) as patient:
        gate.wait_reached()
        with asking(twilio, recording, credentials):
            gate.wait_reached(arrivals=2)
        twilio.wait_for_requests(finished=True)
        head_of(patient)
        assert not has_more(patient)

        gate.release()
        gate.release()
        assert received(patient, 10) == twilio.media(recording.recording_sid)[:10]


def test_an_open_gate_holds_nobody(twilio: TwilioStandIn, recording: Recording, credentials: dict[str, str]) -> None:
    gate = twilio.hold(recording.recording_sid)
    gate.release()

    with asking(twilio, recording, credentials) as client:
        assert raw_http.receive(client).body == twilio.media(recording.recording_sid)
    assert gate.arrivals == 1


def test_a_hundred_and_fifty_answers_are_held_at_once(
    twilio: TwilioStandIn, recording: Recording, credentials: dict[str, str]
) -> None:
    gate = Gate()
    twilio.behave(recording.recording_sid, media().hold(gate, after=100), times=150)
    whole = twilio.media(recording.recording_sid)

    with ExitStack() as stack:
        clients = [stack.enter_context(asking(twilio, recording, credentials)) for _ in range(150)]
        gate.wait_reached(arrivals=150)
        gate.release()
        assert all(raw_http.receive(client).body == whole for client in clients)


def test_waiting_for_a_gate_that_nobody_reaches_times_out() -> None:
    with pytest.raises(TimeoutError, match="0 of 1"):
        Gate().wait_reached(timeout=0.01)


def test_waiting_for_requests_that_do_not_come_times_out(twilio: TwilioStandIn) -> None:
    with pytest.raises(TimeoutError, match="0 of 2"):
        twilio.wait_for_requests(2, timeout=0.01)


def test_requests_are_waited_for_by_recording_and_condition(
    twilio: TwilioStandIn, recording: Recording, credentials: dict[str, str]
) -> None:
    raw_http.get(twilio.url + "/elsewhere", {})
    raw_http.get(twilio.media_url(recording.recording_sid, ".mp3"), {**credentials, "X-Attempt": "1"})

    found = twilio.wait_for_requests(recording_sid=recording.recording_sid, finished=True)

    assert [(request.number, request.method, request.headers["x-attempt"]) for request in found] == [(1, "GET", "1")]
    assert found[0].path.endswith(f"{recording.recording_sid}.mp3")
    assert found[0].finish_time is not None
    assert found[0].time <= found[0].finish_time
    assert twilio.wait_for_requests(where=lambda request: request.status == 404)[0].path == "/elsewhere"
