"""Twilio's own paths: whoever has stored Twilio's URLs changes the host and goes on.

The same bytes by the same rules as under `/recordings/`, with the account's own credentials as at Twilio. Errors are
this service's, not Twilio's XML: a recording that is on its way is 202, and not 404 as at Twilio, because it is.
"""

from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from recording_service.http_api.access import varying
from recording_service.http_api.identity import CallIdentity
from recording_service.http_api.playback.endpoints import Playback
from recording_service.http_api.problems import Problem
from recording_service.http_api.recording_client import RecordingClient
from recording_service.http_api.routes import readable
from recording_service.http_api.settings import HttpSettings
from recording_service.http_api.targets import Target
from recording_service.http_api.twilio_paths.credentials import TwilioCredentials
from recording_service.http_api.twilio_paths.metadata import API_VERSION, twilio_metadata
from recordings.v1.lookup_pb2 import GetRecordingRequest

_RECORDING: Final = f"/{API_VERSION}/Accounts/{{account_sid}}/Recordings/{{recording_sid}}"


class TwilioPaths:
    """The endpoints that Twilio has as well."""

    def __init__(self, client: RecordingClient, settings: HttpSettings, playback: Playback) -> None:
        self._client = client
        self._playback = playback
        self._public_url = settings.public_url
        self._timeout_seconds = settings.call_timeout_seconds
        self._credentials = TwilioCredentials(settings.basic_credentials)

    def routes(self) -> list[Route]:
        """The routes; that without an extension takes every path that the others leave, so it is the last."""
        return [
            readable(f"{_RECORDING}.json", self.metadata),
            readable(f"{_RECORDING}.{{extension:audio}}", self.media),
            readable(_RECORDING, self.media),
        ]

    async def media(self, request: Request) -> Response:
        """The stored bytes."""
        self._admit(request)
        return varying(await self._playback.answer(request, Target.of(request), "inline"))

    async def metadata(self, request: Request) -> Response:
        """What is known of the recording, as Twilio shows it; never cached, because its state moves."""
        self._admit(request)
        target = Target.of(request)
        recording = await self._client.get_recording(
            GetRecordingRequest(account_sid=target.account_sid, recording_sid=target.recording_sid),
            CallIdentity.of(request),
            self._timeout_seconds,
        )
        return JSONResponse(twilio_metadata(recording, self._public_url), headers={"Cache-Control": "no-store"})

    def _admit(self, request: Request) -> None:
        """Before all else: without credentials nobody learns what there is and what not.

        Raises:
            Problem: 401, the same for none, wrong ones, and those of another account.
        """
        if not self._credentials.admits(request.path_params["account_sid"], request.headers.getlist("authorization")):
            raise Problem(
                401,
                "UNAUTHENTICATED",
                "Send the account's SID and auth token, or an API key of it and its secret, as HTTP Basic.",
                headers={"WWW-Authenticate": 'Basic realm="Twilio API"'},
            )
        CallIdentity.own(request).let_in(request)
