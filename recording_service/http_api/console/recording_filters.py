"""The filters of a list and of its changes, as a query says them: `states=READY,FAILED&call_sids=CA…`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from starlette.datastructures import QueryParams

from recording_service.http_api import sids
from recording_service.http_api.problems import Problem
from recordings.errors import FieldViolation
from recordings.v1.recording_pb2 import RecordingState

#: The most values of one filter.
_MOST_VALUES: Final = 100
_WHOLE_NUMBER: Final = re.compile(r"[0-9]{1,9}")
#: As problems name them, and as a recording's own JSON does.
_STATES: Final[Mapping[str, str]] = {
    name: full_name
    for full_name, number in RecordingState.items()
    if number != RecordingState.RECORDING_STATE_UNSPECIFIED
    for name in (full_name, full_name.removeprefix("RECORDING_STATE_"))
}


@dataclass(frozen=True, slots=True)
class RecordingFilters:
    """What is asked for; values of one filter are combined with OR, filters with AND. Empty: no such filter.

    States are named as in the contract.
    """

    states: tuple[str, ...]
    account_sids: tuple[str, ...]
    call_sids: tuple[str, ...]

    @classmethod
    def of(cls, query: QueryParams) -> "RecordingFilters":
        """Read a query. A filter may be given several times, and with several values separated by commas.

        Raises:
            Problem: 400, naming the field.
        """
        states = _values(query, "states")
        if not all(state in _STATES for state in states):
            raise Problem.invalid(FieldViolation("states", "has a state that there isn't"))
        return cls(
            tuple(_STATES[state] for state in states),
            _sids(query, "account_sids", sids.ACCOUNT_SID),
            _sids(query, "call_sids", sids.CALL_SID),
        )


def whole_number(query: QueryParams, name: str, default: int) -> int:
    """A number of a query.

    Raises:
        Problem: 400, it is none, or given twice.
    """
    values = query.getlist(name)
    if not values:
        return default
    if len(values) > 1 or _WHOLE_NUMBER.fullmatch(values[0]) is None:
        raise Problem.invalid(FieldViolation(name, "is not a whole number"))
    return int(values[0])


def _values(query: QueryParams, name: str) -> tuple[str, ...]:
    values = tuple(value for given in query.getlist(name) for value in given.split(",") if value)
    if len(values) > _MOST_VALUES:
        raise Problem.invalid(FieldViolation(name, f"has more than {_MOST_VALUES} values"))
    return values


def _sids(query: QueryParams, name: str, shape: re.Pattern[str]) -> tuple[str, ...]:
    values = _values(query, name)
    if not all(shape.fullmatch(value) for value in values):
        raise Problem.invalid(FieldViolation(name, "is malformed"))
    return values
