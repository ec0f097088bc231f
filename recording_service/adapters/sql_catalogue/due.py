"""Which rows are due, as the port says it: waiting, not of a paused account, rung for or timely."""

from dataclasses import dataclass
from functools import cache

from sqlalchemy import BindParameter, ColumnElement, and_, bindparam, or_, select

from recording_service.adapters.sql_catalogue.schema import paused_accounts, recordings
from recording_service.adapters.sql_catalogue.work_columns import COLUMNS
from recording_service.core.model import Work

_NOW: BindParameter[int] = bindparam("now")
_PAUSED = select(paused_accounts.c.account_sid)
_account_sid = recordings.c.account_sid


@dataclass(frozen=True, eq=False)
class Due:
    """The conditions for one kind of work."""

    #: Its time has come by the clock of who asks: the parameter `now`.
    has_come: ColumnElement[bool]
    #: Waiting, and not of a paused account.
    is_unpaused: ColumnElement[bool]
    #: Due, and nobody has rung for it. One parameter, `now`.
    is_due_unrung: ColumnElement[bool]
    #: Due, and rung for, whatever the clock says.
    is_due_rung: ColumnElement[bool]
    #: Waiting, and rung for or timely, also of a paused account. One parameter, `now`.
    is_timely: ColumnElement[bool]
    #: What a worker that was rung for may take: waiting, and not of a paused account, unless that is due for a probe.
    #: One parameter, `now`.
    is_claimable: ColumnElement[bool]


@cache
def due(work: Work) -> Due:
    """The conditions for that kind of work."""
    columns = COLUMNS[work]
    has_come = columns["next_attempt_time"] <= _NOW
    is_unpaused = is_claimable = columns.is_waiting
    if columns.has_pauses:
        is_unpaused = and_(columns.is_waiting, _account_sid.not_in(_PAUSED))
        unprobed = _PAUSED.where(paused_accounts.c.next_probe_time > _NOW)
        is_claimable = and_(columns.is_waiting, _account_sid.not_in(unprobed))
    return Due(
        has_come=has_come,
        is_unpaused=is_unpaused,
        is_due_unrung=and_(is_unpaused, columns.is_unrung, has_come),
        is_due_rung=and_(is_unpaused, columns.is_rung),
        is_timely=and_(columns.is_waiting, or_(columns.is_rung, has_come)),
        is_claimable=is_claimable,
    )
