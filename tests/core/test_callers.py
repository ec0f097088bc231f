"""Who may do what, and for whom which recordings exist."""

import pytest

from recording_service.core.callers import EVERYONE, Caller, Scope
from recording_service.core.errors import AccountNotAllowed, ScopeMissing
from recording_service.core.model import RecordingFilter

OWN = "AC" + "1" * 32
OTHER_OWN = "AC" + "2" * 32
FOREIGN = "AC" + "3" * 32


def caller(*scopes: Scope, account_sids: frozenset[str] | None = frozenset({OWN, OTHER_OWN})) -> Caller:
    return Caller("billing", frozenset(scopes), account_sids)


def test_a_caller_may_do_what_its_scopes_say_and_nothing_else() -> None:
    reader = caller(Scope.READ)

    reader.require(Scope.READ)
    for scope in (Scope.ENQUEUE, Scope.MANAGE):
        with pytest.raises(ScopeMissing) as caught:
            reader.require(scope)
        assert caught.value.scope == scope


def test_a_caller_asks_for_its_own_accounts_alone() -> None:
    asking = caller(Scope.ENQUEUE)

    asking.require_account(OWN)
    with pytest.raises(AccountNotAllowed) as caught:
        asking.require_account(FOREIGN)
    assert caught.value.account_sid == FOREIGN


@pytest.mark.parametrize(
    ("asked", "seen"),
    [
        (frozenset(), {OWN, OTHER_OWN}),
        ({OWN}, {OWN}),
        ({OWN, FOREIGN}, {OWN}),
    ],
)
def test_a_list_is_narrowed_to_what_exists_for_the_caller(asked: frozenset[str], seen: set[str]) -> None:
    narrowed = caller(Scope.READ).narrowed(RecordingFilter(account_sids=frozenset(asked)))

    assert narrowed is not None
    assert narrowed.account_sids == seen


def test_of_another_accounts_recordings_nothing_is_left() -> None:
    assert caller(Scope.READ).narrowed(RecordingFilter(account_sids=frozenset({FOREIGN}))) is None


def test_a_caller_of_no_account_at_all_sees_nothing_rather_than_everything() -> None:
    nobody = caller(Scope.READ, account_sids=frozenset())

    assert nobody.narrowed(RecordingFilter()) is None
    assert not nobody.may_touch(OWN)


def test_everyone_may_do_everything() -> None:
    for scope in Scope:
        EVERYONE.require(scope)
    EVERYONE.require_account(FOREIGN)
    assert EVERYONE.narrowed(RecordingFilter()) == RecordingFilter()
