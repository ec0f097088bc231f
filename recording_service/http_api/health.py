"""`/healthz`: this process lives. `/readyz`: the service behind it can serve recordings."""

import math
from collections.abc import Callable, Mapping
from typing import Final, TypeVar

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from recording_service.http_api.identity import CallIdentity
from recording_service.http_api.recording_client import RecordingClient
from recording_service.http_api.settings import HttpSettings

_Number = TypeVar("_Number", int, float)
_BOOLEANS: Final[Mapping[str, bool]] = {"true": True, "false": False}


class Health:
    """The endpoints for probes."""

    def __init__(self, client: RecordingClient, settings: HttpSettings) -> None:
        self._client = client
        self._timeout_seconds = settings.readiness_timeout_seconds

    async def alive(self, _: Request) -> Response:
        """200 while this process answers; restarting it would help nobody else's fault."""
        return JSONResponse({"status": "alive"}, headers={"Cache-Control": "no-store"})

    async def ready(self, request: Request) -> Response:
        """200 if the service says SERVING, else 503.

        What SERVING takes is the service's to say: catalogue and shelf, never Redis or room (reading goes on without
        them). The length of the queue, the age of its oldest due row in seconds, and whether the shelf is full (new
        recordings are then refused) come as trailing metadata of the check.
        """
        status, details = await self._client.check_health(CallIdentity.own(request), self._timeout_seconds)
        ready = status == "SERVING"
        return JSONResponse(
            {
                "ready": ready,
                "status": status,
                "queued": _number(int, details.get("recording-queued")),
                "oldest_due_seconds": _number(float, details.get("recording-oldest-due-seconds")),
                "storage_full": _BOOLEANS.get(details.get("recording-storage-full", "")),
            },
            200 if ready else 503,
            {"Cache-Control": "no-store"},
        )


def _number(read: Callable[[str], _Number], text: str | None) -> _Number | None:
    """A number from metadata; `None` if it was not sent or is none that JSON has."""
    try:
        number = read(text) if text is not None else None
    except ValueError:
        return None
    return number if number is not None and math.isfinite(number) else None
