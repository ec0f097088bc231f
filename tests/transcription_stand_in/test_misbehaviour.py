"""The faults that can be asked for, each as it looks to a client."""

import json
import threading
import time

import pytest
import requests

from recording_service.transcription_stand_in import (
    FOREVER,
    Answer,
    TranscriptionStandIn,
    html_page,
    key_rejected,
    malformed_json,
    model_not_found,
    redirect,
    refused,
    server_error,
    shaped,
    too_large,
    too_many_requests,
    transcribed,
)
from tests.transcription_stand_in.posting import post


@pytest.mark.parametrize(
    ("answer", "status", "headers"),
    [
        (too_many_requests(7), 429, {"Retry-After": "7"}),
        (too_many_requests(None), 429, {}),
        (server_error(), 500, {}),
        (server_error(503, retry_after="soon"), 503, {"Retry-After": "soon"}),
        (key_rejected(), 401, {}),
        (key_rejected(403), 403, {}),
        (model_not_found(), 404, {}),
        (too_large(), 413, {}),
        (refused("no", status=422), 422, {}),
        (redirect("http://127.0.0.1:9/"), 307, {"Location": "http://127.0.0.1:9/"}),
        (html_page(), 200, {"Content-Type": "text/html; charset=utf-8"}),
        (Answer(status=599, body=b"{}"), 599, {}),
    ],
)
def test_an_answer_is_as_it_was_set(
    server: TranscriptionStandIn, answer: Answer, status: int, headers: dict[str, str]
) -> None:
    server.behave(answer)

    got = post(server.url)

    assert got.status_code == status
    assert {name: got.headers[name] for name in headers} == headers
    if not headers:
        assert "Retry-After" not in got.headers
    assert server.requests[0].status == status


def test_a_body_may_be_of_any_shape_or_none(server: TranscriptionStandIn) -> None:
    server.behave(shaped({"text": float("nan")}), malformed_json())

    assert post(server.url).text == '{"text": NaN}'
    with pytest.raises(json.JSONDecodeError):
        json.loads(post(server.url).text)


def test_a_cut_connection_ends_in_the_middle_of_the_body(server: TranscriptionStandIn) -> None:
    server.behave(transcribed().cut(after=10))

    with pytest.raises(requests.exceptions.ChunkedEncodingError, match="10 bytes read"):
        post(server.url)


def test_an_answer_can_be_slow_from_its_first_byte_or_its_body(server: TranscriptionStandIn) -> None:
    server.behave(
        Answer(body=b"x" * 20).trickle(100), Answer(body=b"").trickle(1000, head=True), Answer(body=b"").delay(0.2)
    )

    for at_least in (0.15, 0.1, 0.2):
        begin = time.monotonic()
        assert post(server.url).status_code == 200
        assert time.monotonic() - begin >= at_least


def test_answers_come_in_their_order_and_then_all_is_well(server: TranscriptionStandIn) -> None:
    server.behave(server_error(500), server_error(502), times=2)

    assert [post(server.url).status_code for _ in range(5)] == [500, 502, 500, 502, 200]


def test_an_outage_lasts_until_it_is_ended(server: TranscriptionStandIn) -> None:
    server.behave(server_error(500), server_error(503), times=FOREVER)
    assert [post(server.url).status_code for _ in range(3)] == [500, 503, 503]

    server.behave_well()

    assert post(server.url).status_code == 200


def test_what_is_refused_uses_up_no_answer(server: TranscriptionStandIn) -> None:
    server.behave(server_error(500))

    assert post(server.url, key="sk-another").status_code == 401
    assert post(server.url).status_code == 500


def test_a_request_can_be_waited_for(server: TranscriptionStandIn) -> None:
    with pytest.raises(TimeoutError, match="0 of 1"):
        server.wait_for_requests(timeout=0.05)
    client = threading.Thread(target=post, args=[server.url])
    client.start()

    assert len(server.wait_for_requests()) == 1
    client.join()
