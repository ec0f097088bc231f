"""GET, HEAD and OPTIONS over every endpoint and size, and no other method."""

import pytest

from tests.http_api.conformance.conftest import ORIGIN
from tests.http_api.conformance.expectations import VERSION_FIELDS, check_problem
from tests.http_api.conformance.places import Place
from tests.http_api.conformance.wire import Wire, request

ALLOW = "GET, HEAD, OPTIONS"


def test_a_head_is_the_head_of_a_get(wire: Wire, place: Place) -> None:
    wire.send(request("GET", place.target, *place.endpoint.fields))
    get = wire.answer()
    wire.send(request("HEAD", place.target, *place.endpoint.fields))
    head = wire.answer("HEAD")

    def lasting(fields: list[tuple[str, str]]) -> list[tuple[str, str]]:
        return [(name, value) for name, value in fields if name not in ("date", "x-request-id")]

    assert head.head.status == get.head.status == 200
    assert lasting(list(head.head.fields)) == lasting(list(get.head.fields))
    assert get.body == place.content


def test_every_answer_with_bytes_or_without_has_the_same_version_fields(wire: Wire, place: Place) -> None:
    lines = [(), ("Range: bytes=0-0",), (f"If-None-Match: {place.etag}",)]
    wire.send(*(request("GET", place.target, *place.endpoint.fields, *more) for more in lines))
    whole, part, not_modified = (wire.answer().head for _ in lines)
    assert whole.subset(*VERSION_FIELDS) == part.subset(*VERSION_FIELDS) == not_modified.subset(*VERSION_FIELDS)
    assert not_modified.all("content-type") == not_modified.all("content-disposition") == []


def test_options_say_what_is_allowed(wire: Wire, place: Place) -> None:
    wire.send(request("OPTIONS", place.target, *place.endpoint.fields, "Range: bytes=0-0", 'If-Match: "x"'))
    answer = wire.answer("OPTIONS")
    assert (answer.head.status, answer.head["allow"]) == (204, ALLOW)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND"])
def test_another_method_is_told_which_are_allowed(wire: Wire, place: Place, method: str) -> None:
    wire.send(request(method, place.target, *place.endpoint.fields, "Range: bytes=0-0", "If-None-Match: *"))
    answer = wire.answer()
    check_problem(answer, 405, "METHOD_NOT_ALLOWED")
    assert answer.head["allow"] == ALLOW
    wire.send(request("HEAD", place.target, *place.endpoint.fields))
    assert wire.answer("HEAD").head.status == 200


def test_scripts_of_an_allowed_origin_may_read_whatever_the_answer_is(wire: Wire, place: Place) -> None:
    fields = (*place.endpoint.fields, f"Origin: {ORIGIN}")
    asked = {
        405: request("POST", place.target, *fields),
        412: request("GET", place.target, *fields, 'If-Match: "x"'),
        304: request("GET", place.target, *fields, "If-None-Match: *"),
        404: request("GET", place.endpoint.target("RE123"), *fields),
    }
    if place.size:
        asked[206] = request("GET", place.target, *fields, "Range: bytes=0-0")
        asked[416] = request("GET", place.target, *fields, "Range: bytes=-0")
    wire.send(*asked.values())
    for status in asked:
        head = wire.answer().head
        assert head.status == status
        assert head.all("access-control-allow-origin") == ([ORIGIN] if place.endpoint.is_shared else [])
        exposed = ", ".join(head.all("access-control-expose-headers"))
        assert ("Content-Range" in exposed) == place.endpoint.is_shared
