"""Which recording a request names. Nothing but a checked SID ever reaches gRPC."""

from dataclasses import dataclass

from starlette.requests import Request

from recording_service.http_api import sids
from recording_service.http_api.failures import Violation
from recording_service.http_api.problems import Problem


@dataclass(frozen=True, slots=True)
class Target:
    """A recording, and its account if the request narrows it down by `?account_sid=`; else that is empty."""

    recording_sid: str
    account_sid: str

    @classmethod
    def of(cls, request: Request) -> "Target":
        """Read path and query.

        Raises:
            Problem: 404 for a path that is no RecordingSid (no recording can have it), 400 for an account_sid that is
                none or is given twice.
        """
        recording_sid = request.path_params["recording_sid"]
        if sids.RECORDING_SID.fullmatch(recording_sid) is None:
            raise Problem(404, "RECORDING_NOT_FOUND", "There is no such recording.")
        account_sids = request.query_params.getlist("account_sid")
        if not account_sids:
            return cls(recording_sid, "")
        if len(account_sids) > 1 or sids.ACCOUNT_SID.fullmatch(account_sids[0]) is None:
            raise Problem.invalid(Violation("account_sid", "is malformed"))
        return cls(recording_sid, account_sids[0])
