"""Which recording a request names. Nothing but a checked SID ever reaches gRPC."""

from dataclasses import dataclass

from starlette.requests import Request

from recording_service.http_api import sids
from recording_service.http_api.problems import Problem
from recordings.errors import FieldViolation


@dataclass(frozen=True, slots=True)
class Target:
    """A recording, as far as a request names it.

    Attributes:
        recording_sid: the recording.
        account_sid: its account, where the path or `?account_sid=` narrows it down; else empty.
        extension: what it must be stored as for the path to exist (`mp3`); empty where any will do.
    """

    recording_sid: str
    account_sid: str
    extension: str = ""

    @classmethod
    def of(cls, request: Request) -> "Target":
        """Read path and query; whatever the route, here a request becomes a target.

        Raises:
            Problem: 404 for a path with a malformed SID (no recording can have it), 400 for an account_sid in the query
                that is malformed or is given twice.
        """
        recording_sid = request.path_params["recording_sid"]
        extension = request.path_params.get("extension", "")
        if sids.RECORDING_SID.fullmatch(recording_sid) is None:
            raise _not_found()
        if "account_sid" in request.path_params:
            account_sid = request.path_params["account_sid"]
            if sids.ACCOUNT_SID.fullmatch(account_sid) is None:
                raise _not_found()
            return cls(recording_sid, account_sid, extension)
        account_sids = request.query_params.getlist("account_sid")
        if not account_sids:
            return cls(recording_sid, "", extension)
        if len(account_sids) > 1 or sids.ACCOUNT_SID.fullmatch(account_sids[0]) is None:
            raise Problem.invalid(FieldViolation("account_sid", "is malformed"))
        return cls(recording_sid, account_sids[0], extension)


def _not_found() -> Problem:
    return Problem(404, "RECORDING_NOT_FOUND", "There is no such recording.")
