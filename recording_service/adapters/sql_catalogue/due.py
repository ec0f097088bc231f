"""Which rows are due. Both conditions have one parameter, `now`."""

from sqlalchemy import BindParameter, and_, bindparam, select

from recording_service.adapters.sql_catalogue.schema import is_queued, paused_accounts, recordings

_c = recordings.c
_NOW: BindParameter[int] = bindparam("now")
_PAUSED = select(paused_accounts.c.account_sid)

#: QUEUED, and its time has come.
is_timely = and_(is_queued, _c.next_attempt_time <= _NOW)

#: As the port says it: QUEUED, its time has come, its account is not paused.
is_due = and_(is_timely, _c.account_sid.not_in(_PAUSED))

#: What a worker may take: due, or of a paused account that is due for a probe.
is_claimable = and_(is_timely, _c.account_sid.not_in(_PAUSED.where(paused_accounts.c.next_probe_time > _NOW)))
