"""Recordings whose bytes are not here, over every endpoint: conditions and ranges change nothing about that."""

import pytest

from tests.http_api.conformance.expectations import check_problem
from tests.http_api.conformance.places import ENDPOINTS, FAILED_SID, QUEUED_SID, Endpoint
from tests.http_api.conformance.wire import Wire, request

LINES = pytest.mark.parametrize(
    "lines", [(), ("Range: bytes=0-1",), ("Range: bytes=-1",), ("If-None-Match: *",), ('If-Match: "x"',)]
)
ENDPOINT = pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: endpoint.name)


@ENDPOINT
@LINES
def test_a_failed_recording_says_why(wire: Wire, endpoint: Endpoint, lines: tuple[str, ...]) -> None:
    wire.send(request("GET", endpoint.target(FAILED_SID), *endpoint.fields, *lines))
    assert check_problem(wire.answer(), 424, "RECORDING_FAILED")["failure_reason"] == "SOURCE_ABSENT"


@ENDPOINT
@LINES
def test_a_recording_on_its_way_says_so_and_when_to_ask_again(
    wire: Wire, endpoint: Endpoint, lines: tuple[str, ...]
) -> None:
    wire.send(request("GET", endpoint.target(QUEUED_SID), *endpoint.fields, *lines))
    answer = wire.answer()
    assert answer.head.status == 202
    assert answer.head["retry-after"].isdecimal()
    assert answer.head["content-type"] == "application/json"
    assert answer.head["cache-control"] == "no-store"
    assert (answer.json()["reason"], answer.json()["state"]) == ("RECORDING_NOT_READY", "QUEUED")
    for name in ("etag", "content-range", "accept-ranges", "last-modified"):
        assert name not in answer.head


@ENDPOINT
def test_a_head_of_either_is_its_head(wire: Wire, endpoint: Endpoint) -> None:
    for sid, status in ((FAILED_SID, 424), (QUEUED_SID, 202)):
        wire.send(request("HEAD", endpoint.target(sid), *endpoint.fields))
        assert wire.answer("HEAD").head.status == status
