"""The limits on waiting, with time held by the test."""

from dataclasses import dataclass

import pytest

from recording_service.adapters.twilio_media.account import TwilioLimits
from recording_service.adapters.twilio_media.patience import Patience
from recording_service.core.errors import SourceTimedOut

LIMITS = TwilioLimits(
    connect_seconds=10.0, idle_seconds=30.0, total_seconds=100.0, min_bytes_per_second=1000.0, rate_window_seconds=20.0
)


@dataclass
class Time:
    now: float = 5000.0

    def __call__(self) -> float:
        return self.now


def test_waiting_is_limited_by_what_is_left_of_the_whole() -> None:
    time = Time()
    patience = Patience(LIMITS, time)
    assert (patience.connect_seconds(), patience.idle_seconds()) == (10.0, 30.0)

    time.now += 93.0
    assert (patience.connect_seconds(), patience.idle_seconds()) == (7.0, 7.0)

    time.now += 7.0
    for wait in (patience.connect_seconds, patience.idle_seconds, patience.silent):
        with pytest.raises(SourceTimedOut, match="not done in 100 s"):
            wait()


def test_bytes_that_come_too_slowly_over_a_whole_window_are_given_up() -> None:
    patience = Patience(LIMITS, Time())
    patience.begin_body()

    patience.received(9_999, 10.0)
    with pytest.raises(SourceTimedOut, match="less than 1000 bytes a second"):
        patience.received(10_000, 10.0)


def test_a_slow_start_is_made_up_for_within_the_window() -> None:
    patience = Patience(LIMITS, Time())
    patience.begin_body()

    patience.received(1, 19.0)
    patience.received(20_000, 1.0)
    patience.received(20_000, 20.0)


def test_a_quick_window_is_no_credit_for_the_next() -> None:
    patience = Patience(LIMITS, Time())
    patience.begin_body()
    patience.received(1_000_000, 20.0)

    with pytest.raises(SourceTimedOut):
        patience.received(1, 20.0)


def test_time_that_was_not_spent_waiting_is_not_held_against_twilio() -> None:
    time = Time()
    patience = Patience(LIMITS, time)
    patience.begin_body()

    for _ in range(9):
        time.now += 10.0  # Our disk was slow.
        patience.received(10, 0.001)


def test_headers_may_be_long_in_coming() -> None:
    patience = Patience(LIMITS, Time())

    patience.received(100, 29.0)
    patience.begin_body()
    patience.received(100, 0.1)
