"""`/recordings/{sid}/waveform.json` and `waveform.dat`: what is seen of a recording's sound."""

import re
from collections.abc import Callable
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from recording_service.http_api.identity import CallIdentity
from recording_service.http_api.problems import Problem
from recording_service.http_api.recording_client import RecordingClient
from recording_service.http_api.results import audiowaveform
from recording_service.http_api.results.rendition import Form, Renditions
from recording_service.http_api.settings import HttpSettings
from recording_service.http_api.targets import Target
from recordings.errors import FieldViolation
from recordings.v1.results_pb2 import GetWaveformRequest, GetWaveformResponse

_PARAMETER: Final = "samples_per_pixel"
#: As large as the contract's number can be.
MAX_SAMPLES_PER_PIXEL: Final = 2**31 - 1
_NUMBER: Final = re.compile(r"[0-9]{1,10}")


class Waveforms:
    """The endpoints for waveforms. `?samples_per_pixel=` chooses the zoom, as GetWaveform has it."""

    def __init__(self, client: RecordingClient, settings: HttpSettings, renditions: Renditions) -> None:
        self._client = client
        self._renditions = renditions
        self._timeout_seconds = settings.call_timeout_seconds

    async def json(self, request: Request) -> Response:
        """As JSON."""
        return await self._answer(request, audiowaveform.to_json, "application/json", "json")

    async def dat(self, request: Request) -> Response:
        """In the binary form, a quarter as large."""
        return await self._answer(request, audiowaveform.to_dat, "application/octet-stream", "dat")

    async def _answer(
        self, request: Request, write: Callable[[GetWaveformResponse], bytes], media_type: str, extension: str
    ) -> Response:
        target = Target.of(request)
        asked = GetWaveformRequest(
            account_sid=target.account_sid,
            recording_sid=target.recording_sid,
            samples_per_pixel=_samples_per_pixel(request),
        )
        return await self._renditions.answer(
            request,
            lambda: self._client.get_waveform(asked, CallIdentity.of(request), self._timeout_seconds),
            write,
            Form(media_type, f"waveform-{target.recording_sid}.{extension}"),
        )


def _samples_per_pixel(request: Request) -> int:
    """The zoom that is asked for. Raises Problem: 400, what is given is none."""
    given = request.query_params.getlist(_PARAMETER)
    if not given:
        return 0
    if len(given) == 1 and _NUMBER.fullmatch(given[0]) and int(given[0]) <= MAX_SAMPLES_PER_PIXEL:
        return int(given[0])
    raise Problem.invalid(FieldViolation(_PARAMETER, f"give it once, as a whole number up to {MAX_SAMPLES_PER_PIXEL}"))
