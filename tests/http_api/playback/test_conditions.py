"""conditions.py against RFC 9110 §13."""

import pytest

from recording_service.http_api.playback.conditions import Outcome, Validators, evaluate, range_applies

THEN = "Tue, 03 Mar 2026 10:00:00 GMT"
BEFORE = "Tue, 03 Mar 2026 09:59:59 GMT"
AFTER = "Tue, 03 Mar 2026 10:00:01 GMT"
VALIDATORS = Validators("abc", 1772532000)
UNDATED = Validators("abc", None)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, Outcome.PROCEED),
        ({"if-match": '"abc"'}, Outcome.PROCEED),
        ({"if-match": '"x", "abc"'}, Outcome.PROCEED),
        ({"if-match": "*"}, Outcome.PROCEED),
        ({"if-match": '"x"'}, Outcome.FAILED),
        ({"if-match": 'W/"abc"'}, Outcome.FAILED),
        ({"if-match": "abc"}, Outcome.FAILED),
        ({"if-match": '"abc" "x"'}, Outcome.FAILED),
        ({"if-match": '"abc""x"'}, Outcome.FAILED),
        ({"if-match": '*, "abc"'}, Outcome.FAILED),
        ({"if-unmodified-since": THEN}, Outcome.PROCEED),
        ({"if-unmodified-since": AFTER}, Outcome.PROCEED),
        ({"if-unmodified-since": BEFORE}, Outcome.FAILED),
        ({"if-unmodified-since": "yesterday"}, Outcome.PROCEED),
        ({"if-match": '"abc"', "if-unmodified-since": BEFORE}, Outcome.PROCEED),
        ({"if-none-match": '"abc"'}, Outcome.NOT_MODIFIED),
        ({"if-none-match": 'W/"abc"'}, Outcome.NOT_MODIFIED),
        ({"if-none-match": ' "x" ,, W/"abc" '}, Outcome.NOT_MODIFIED),
        ({"if-none-match": "*"}, Outcome.NOT_MODIFIED),
        ({"if-none-match": '"x"'}, Outcome.PROCEED),
        ({"if-none-match": '"abc'}, Outcome.PROCEED),
        ({"if-none-match": ""}, Outcome.PROCEED),
        ({"if-none-match": '"x"', "if-modified-since": THEN}, Outcome.PROCEED),
        ({"if-modified-since": THEN}, Outcome.NOT_MODIFIED),
        ({"if-modified-since": AFTER}, Outcome.NOT_MODIFIED),
        ({"if-modified-since": BEFORE}, Outcome.PROCEED),
        ({"if-modified-since": "Tuesday, 03-Mar-26 10:00:00 GMT"}, Outcome.NOT_MODIFIED),
        ({"if-modified-since": "Tue Mar  3 10:00:00 2026"}, Outcome.NOT_MODIFIED),
        ({"if-modified-since": "no date"}, Outcome.PROCEED),
        ({"if-modified-since": f"{AFTER}, {AFTER}"}, Outcome.PROCEED),
        ({"if-modified-since": "Tue, 03 Mar 2026 10:00:01 +0000"}, Outcome.PROCEED),
        ({"if-unmodified-since": f"{BEFORE}, {BEFORE}"}, Outcome.PROCEED),
        ({"if-match": '"x"', "if-none-match": '"abc"'}, Outcome.FAILED),
    ],
)
def test_preconditions_are_evaluated_in_the_order_of_the_rfc(fields: dict[str, str], expected: Outcome) -> None:
    assert evaluate(fields, VALIDATORS) is expected


@pytest.mark.parametrize("name", ["if-modified-since", "if-unmodified-since"])
def test_a_date_means_nothing_where_no_modification_is_known(name: str) -> None:
    assert evaluate({name: BEFORE}, UNDATED) is Outcome.PROCEED


@pytest.mark.parametrize(
    ("if_range", "applies"),
    [
        (None, True),
        ('"abc"', True),
        ('"x"', False),
        ('W/"abc"', False),
        ('"abc", "x"', False),
        ("abc", False),
        ("", False),
        (THEN, True),
        (BEFORE, False),
        (AFTER, False),
    ],
)
def test_a_range_counts_only_for_exactly_this_version(if_range: str | None, applies: bool) -> None:
    assert range_applies(if_range, VALIDATORS) is applies


def test_a_date_names_no_version_where_no_modification_is_known() -> None:
    assert not range_applies(THEN, UNDATED)
