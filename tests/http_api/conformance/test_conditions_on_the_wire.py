"""Conditional requests over every endpoint and size."""

import pytest

from tests.http_api.conformance.condition_cases import CONDITION_CASES
from tests.http_api.conformance.expectations import Expected
from tests.http_api.conformance.places import ENDPOINTS, Endpoint, Place
from tests.http_api.conformance.test_ranges_on_the_wire import playing


def _of_a_get(status: int, size: int) -> Expected:
    """Of a recording without a byte there are no parts, so a Range changes nothing."""
    if status == 206 and size:
        return Expected(206, 0, 1)
    return Expected(200, 0, size) if status in (200, 206) or (status == 416 and not size) else Expected(status)


def test_conditions_are_evaluated_by_the_rfc(port: int, place: Place) -> None:
    with playing(port, place) as check:
        for case in CONDITION_CASES:
            check("GET", _of_a_get(case.status, place.size), *case.filled(place.etag))


@pytest.mark.parametrize("size", [0, 1000])
@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: endpoint.name)
def test_a_head_is_answered_as_a_get_without_its_range(port: int, endpoint: Endpoint, size: int) -> None:
    place = Place(endpoint, size)
    with playing(port, place) as check:
        for case in CONDITION_CASES:
            status = 200 if case.status in (206, 416) else case.status
            check("HEAD", _of_a_get(status, place.size), *case.filled(place.etag), method="HEAD")
