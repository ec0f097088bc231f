"""Nobody takes all there is."""

from contextlib import ExitStack

import pytest

from recording_service.http_api.identity import CallIdentity
from recording_service.http_api.problems import Problem
from recording_service.http_api.shares import Shares

ANN = CallIdentity("id", shown="ann")
BOB = CallIdentity("id", shown="bob")
SOMEBODY = CallIdentity("id")


def refused(shares: Shares, identity: CallIdentity) -> int:
    """The status of the refusal."""
    assert not shares.has_room_for(identity)
    with pytest.raises(Problem) as caught:
        shares.check(identity)
    assert int(caught.value.headers["Retry-After"]) >= 1
    return caught.value.status


def test_one_takes_no_more_than_its_share_and_others_theirs() -> None:
    shares = Shares("players", 5, 2)
    with ExitStack() as playing:
        for _ in range(2):
            shares.check(ANN)
            playing.enter_context(shares.taken(ANN))

        assert refused(shares, ANN) == 429
        shares.check(BOB)
    shares.check(ANN)


def test_all_together_take_no_more_than_there_is() -> None:
    shares = Shares("players", 3, 2)
    with ExitStack() as playing:
        for identity in (ANN, ANN, BOB):
            playing.enter_context(shares.taken(identity))

        assert refused(shares, BOB) == 503
    shares.check(BOB)


def test_those_who_have_shown_nothing_are_not_told_from_each_other() -> None:
    shares = Shares("players", 3, 1)
    with shares.taken(SOMEBODY), shares.taken(SOMEBODY):
        shares.check(SOMEBODY)


def test_a_place_is_given_back_also_where_the_answer_fails() -> None:
    shares = Shares("players", 1, 1)
    with pytest.raises(LookupError), shares.taken(ANN):
        raise LookupError
    shares.check(ANN)
