"""What HTTP/1.1 allows to be said differently, and connections that carry several requests (RFC 9112)."""

import gzip

import pytest

from tests.http_api.conformance.expectations import Expected, check_head, check_problem
from tests.http_api.conformance.places import ENDPOINTS, SIZES, Endpoint, Place
from tests.http_api.conformance.wire import Wire, request

RANGE = "Range: bytes=10-19"


@pytest.fixture(params=ENDPOINTS, ids=lambda endpoint: endpoint.name)
def place(request: pytest.FixtureRequest) -> Place:
    """Each endpoint with a recording of 1000 bytes."""
    endpoint = request.param
    assert isinstance(endpoint, Endpoint)
    assert 1000 in SIZES
    return Place(endpoint, 1000)


def get(place: Place, *lines: str) -> bytes:
    """A GET of the place."""
    return request("GET", place.target, *place.endpoint.fields, *lines)


def check_part(wire: Wire, place: Place, start: int = 10, end: int = 20) -> None:
    """The next answer is that part."""
    answer = wire.answer()
    assert answer.head.status == 206
    check_head(answer.head, Expected(206, start, end), place)
    assert answer.body == place.content[start:end]


@pytest.mark.parametrize(
    "target",
    [
        "http://recordings.example.com{path}",
        "https://recordings.example.com:8443{path}",
        "http://recordings.example.com{path}?a=b",
        "{path}?",
        "{path}?a=b&%zz",
    ],
)
def test_a_target_may_have_the_absolute_form_and_a_query(wire: Wire, place: Place, target: str) -> None:
    wire.send(request("GET", target.format(path=place.target), *place.endpoint.fields, RANGE))
    check_part(wire, place)


def test_a_path_may_be_percent_encoded(wire: Wire, place: Place) -> None:
    target = place.target.replace("RE", "%52%45")
    wire.send(request("GET", target, *place.endpoint.fields, RANGE))
    check_part(wire, place)


def test_a_request_of_http_1_0_is_answered_and_its_connection_closed(wire: Wire, place: Place) -> None:
    wire.send(request("GET", place.target, *place.endpoint.fields, RANGE, version="1.0"))
    check_part(wire, place)
    assert wire.is_at_its_end()


def test_a_head_of_http_1_0_is_answered_and_its_connection_closed(wire: Wire, place: Place) -> None:
    wire.send(request("HEAD", place.target, *place.endpoint.fields, RANGE, version="1.0"))
    head = wire.answer("HEAD").head
    assert (head.status, head["content-length"]) == (200, "1000")
    assert wire.is_at_its_end()


def test_a_connection_is_closed_where_the_client_asks_for_it(wire: Wire, place: Place) -> None:
    wire.send(get(place, RANGE, "Connection: close"))
    check_part(wire, place)
    assert wire.is_at_its_end()


#: (lines of a GET, its status): what a connection has to survive.
ANSWERS = [
    ((), 200),
    (("Range: bytes=5-6",), 206),
    (("If-None-Match: *",), 304),
    (('If-Match: "x"',), 412),
    (("Range: bytes=1000-",), 416),
    (("If-None-Match: *", "Range: bytes=0-0"), 304),
]


@pytest.mark.parametrize(("lines", "status"), ANSWERS)
def test_a_connection_goes_on_after_every_answer(wire: Wire, place: Place, lines: tuple[str, ...], status: int) -> None:
    wire.send(get(place, *lines))
    assert wire.answer().head.status == status
    wire.send(get(place, RANGE))
    check_part(wire, place)


def test_a_connection_goes_on_after_methods_and_paths_that_there_are_not(wire: Wire, place: Place) -> None:
    for method, target, status in (
        ("POST", place.target, 405),
        ("OPTIONS", place.target, 204),
        ("HEAD", f"{place.target}x", 404),
        ("GET", f"{place.target}x", 404),
    ):
        wire.send(request(method, target, *place.endpoint.fields))
        assert wire.answer(method).head.status == status
        wire.send(get(place, RANGE))
        check_part(wire, place)


def test_pipelined_requests_are_answered_in_their_order(wire: Wire, place: Place) -> None:
    expected = []
    requests = []
    # As many as may wait at once, the one that is being answered included.
    for number in range(8):
        lines, status = ANSWERS[number % len(ANSWERS)]
        requests.append(get(place, *lines))
        expected.append(status)
        requests.append(get(place, f"Range: bytes={number}-{number * 3}"))
        expected.append(206)
    wire.send(*requests)
    for number, status in enumerate(expected):
        if number % 2:
            check_part(wire, place, number // 2, number // 2 * 3 + 1)
        else:
            assert wire.answer().head.status == status


def test_a_body_of_a_get_means_nothing(wire: Wire, place: Place) -> None:
    wire.send(get(place, RANGE, "Content-Length: 5"), b"hello", get(place, RANGE, "Transfer-Encoding: chunked"))
    wire.send(b"5\r\nhello\r\n0\r\n\r\n", get(place, "Range: bytes=1-2"))
    check_part(wire, place)
    check_part(wire, place)
    check_part(wire, place, 1, 3)


@pytest.mark.parametrize("coding", ["gzip", "gzip, deflate, br, zstd", "identity;q=1, *;q=0", "*", "identity;q=0", ""])
@pytest.mark.parametrize("lines", [(), (RANGE,)])
def test_audio_is_never_compressed(wire: Wire, place: Place, coding: str, lines: tuple[str, ...]) -> None:
    wire.send(get(place, f"Accept-Encoding: {coding}", "TE: gzip, trailers", *lines))
    answer = wire.answer()
    assert answer.body == (place.content[10:20] if lines else place.content)
    assert not answer.body.startswith(gzip.compress(b"")[:2])


@pytest.mark.parametrize("accept", ["text/html", "image/*", "audio/ogg;q=1, */*;q=0"])
def test_what_is_accepted_changes_nothing(wire: Wire, place: Place, accept: str) -> None:
    wire.send(get(place, f"Accept: {accept}", RANGE))
    check_part(wire, place)


def test_a_recording_that_there_is_not_is_a_problem(wire: Wire, place: Place) -> None:
    for sid in ("RE" + "f" * 32, "RE123", "CA" + "0" * 32):
        wire.send(request("GET", place.endpoint.target(sid), *place.endpoint.fields, RANGE))
        check_problem(wire.answer(), 404, "RECORDING_NOT_FOUND")
