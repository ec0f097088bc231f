from hypothesis import given
from hypothesis import strategies as st

from recording_service.core.leases import LeaseWatch

EXPIRY_SECONDS = 30.0
LONGEST_GAP_SECONDS = 2.0


def a_watch() -> LeaseWatch[str]:
    return LeaseWatch(expiry_seconds=EXPIRY_SECONDS, longest_gap_seconds=LONGEST_GAP_SECONDS)


def test_a_lease_expires_after_standing_still_for_long_enough_and_not_before() -> None:
    watch = a_watch()
    looks = {second: watch.expired({"a": 7}, float(second)) for second in range(32)}
    assert [second for second, expired in looks.items() if expired] == [30, 31]


def test_a_lease_that_is_raised_starts_over() -> None:
    watch = a_watch()
    for second in range(29):
        assert watch.expired({"a": 1}, float(second)) == []
    for second in range(29, 59):
        assert watch.expired({"a": 2}, float(second)) == []
    assert watch.expired({"a": 2}, 59.0) == ["a"]


def test_each_lease_has_its_own_time() -> None:
    watch = a_watch()
    for second in range(20):
        watch.expired({"old": 1}, float(second))
    for second in range(20, 30):
        assert watch.expired({"old": 1, "new": 1}, float(second)) == []
    assert watch.expired({"old": 1, "new": 1}, 30.0) == ["old"]


def test_a_holder_that_went_and_came_back_is_a_new_one() -> None:
    watch = a_watch()
    for second in range(30):
        watch.expired({"a": 1}, float(second))
    watch.expired({}, 30.0)
    assert watch.expired({"a": 1}, 31.0) == []


def test_an_observer_that_was_stopped_itself_ends_nobodys_lease() -> None:
    watch = a_watch()
    watch.expired({"a": 1}, 0.0)
    assert watch.expired({"a": 1}, 3600.0) == []
    for second in range(1, 28):
        assert watch.expired({"a": 1}, 3600.0 + second) == []
    assert watch.expired({"a": 1}, 3628.0) == ["a"]


@given(
    gaps=st.lists(st.floats(0.0, LONGEST_GAP_SECONDS), max_size=60),
    raises=st.lists(st.booleans(), min_size=60, max_size=60),
)
def test_whoever_raises_its_lease_in_time_keeps_it_and_whoever_does_not_loses_it(
    gaps: list[float], raises: list[bool]
) -> None:
    watch, now, lease, raised_at = a_watch(), 0.0, 0, 0.0
    watch.expired({"a": lease}, now)
    for gap, raised in zip(gaps, raises, strict=False):
        now += gap
        if raised:
            lease, raised_at = lease + 1, now
        expired = watch.expired({"a": lease}, now)
        still = now - raised_at
        if abs(still - EXPIRY_SECONDS) > 1e-6:
            assert (expired == ["a"]) == (still > EXPIRY_SECONDS)
