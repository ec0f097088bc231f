"""Which rows are due, as the port says it: QUEUED, not of a paused account, rung for or timely."""

from sqlalchemy import BindParameter, and_, bindparam, or_, select

from recording_service.adapters.sql_catalogue.schema import is_queued, is_rung, is_unrung, paused_accounts, recordings

_c = recordings.c
_NOW: BindParameter[int] = bindparam("now")
_PAUSED = select(paused_accounts.c.account_sid)

#: Its time has come by the clock of who asks: the parameter `now`.
has_come = _c.next_attempt_time <= _NOW

#: QUEUED and not of a paused account.
is_unpaused = and_(is_queued, _c.account_sid.not_in(_PAUSED))

#: Due, and nobody has rung for it. One parameter, `now`.
is_due_unrung = and_(is_unpaused, is_unrung, has_come)

#: Due, and rung for, whatever the clock says.
is_due_rung = and_(is_unpaused, is_rung)

#: QUEUED, and rung for or timely, also of a paused account. One parameter, `now`.
is_timely = and_(is_queued, or_(is_rung, has_come))

#: What a worker that was rung for may take: QUEUED, and not of a paused account, unless that is due for a probe.
#: One parameter, `now`.
is_claimable = and_(is_queued, _c.account_sid.not_in(_PAUSED.where(paused_accounts.c.next_probe_time > _NOW)))
