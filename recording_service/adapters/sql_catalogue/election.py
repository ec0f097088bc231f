"""The dispatcher's one row: DispatcherElection of core/ports.py."""

from sqlalchemy import bindparam, select, update

from recording_service.adapters.sql_catalogue.part import CataloguePart
from recording_service.adapters.sql_catalogue.schema import dispatcher
from recording_service.core.ports import DispatcherRow

_c = dispatcher.c
_LOOK = select(_c.holder, _c.lease)
_HOLD = update(dispatcher).where(_c.holder == bindparam("seen_holder")).values(lease=_c.lease + 1)
# The counter is never set back, so that a term of office is never mistaken for an earlier one.
_TAKE = _HOLD.where(_c.lease == bindparam("seen_lease")).values(holder=bindparam("new_holder"))


class SqlElection(CataloguePart):
    """Who dispatches."""

    def look(self) -> DispatcherRow:
        """Who dispatches now."""
        ((holder, lease),) = self._database.rows(_LOOK, {})
        return DispatcherRow(holder, lease)

    def take(self, holder: str, seen: DispatcherRow) -> bool:
        """Takes the office over, if it is still as it was seen."""
        parameters = {"new_holder": holder, "seen_holder": seen.holder, "seen_lease": seen.lease}
        return self._database.write(lambda connection: connection.execute(_TAKE, parameters).rowcount) > 0

    def hold(self, holder: str) -> bool:
        """Raises the holder's counter; False if it is not the holder any more."""
        return self._database.write(lambda connection: connection.execute(_HOLD, {"seen_holder": holder}).rowcount) > 0
