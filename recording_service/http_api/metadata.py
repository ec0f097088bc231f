"""`GET /recordings/{sid}`: what is known of a recording, in protobuf's own JSON with the contract's field names."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from recording_service.http_api.identity import CallIdentity
from recording_service.http_api.recording_client import RecordingClient
from recording_service.http_api.recording_json import recording_json
from recording_service.http_api.settings import HttpSettings
from recording_service.http_api.targets import Target
from recordings.v1.lookup_pb2 import GetRecordingRequest


class Metadata:
    """The endpoint for a recording's metadata."""

    def __init__(self, client: RecordingClient, settings: HttpSettings) -> None:
        self._client = client
        self._timeout_seconds = settings.call_timeout_seconds

    async def show(self, request: Request) -> Response:
        """The recording as it is now; never cached, because its state moves."""
        target = Target.of(request)
        recording = await self._client.get_recording(
            GetRecordingRequest(account_sid=target.account_sid, recording_sid=target.recording_sid),
            CallIdentity.of(request),
            self._timeout_seconds,
        )
        return JSONResponse(recording_json(recording), headers={"Cache-Control": "no-store"})
