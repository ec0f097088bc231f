"""`GET /recordings`: a page of the recordings, newest first."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from recording_service.http_api.console.recording_filters import RecordingFilters, whole_number
from recording_service.http_api.identity import CallIdentity
from recording_service.http_api.problems import Problem
from recording_service.http_api.recording_client import RecordingClient
from recording_service.http_api.recording_json import recording_json
from recording_service.http_api.settings import HttpSettings
from recordings.errors import FieldViolation
from recordings.v1.lookup_pb2 import ListRecordingsRequest

#: The longest page token that is passed on, in characters.
_LONGEST_TOKEN = 1024


class Listing:
    """The endpoint for the list: `RecordingFilters`, and `page_size` and `page_token` as ListRecordings has them."""

    def __init__(self, client: RecordingClient, settings: HttpSettings) -> None:
        self._client = client
        self._timeout_seconds = settings.call_timeout_seconds

    async def show(self, request: Request) -> Response:
        """The page as it is now."""
        filters = RecordingFilters.of(request.query_params)
        page_tokens = request.query_params.getlist("page_token")
        if len(page_tokens) > 1 or any(len(token) > _LONGEST_TOKEN for token in page_tokens):
            raise Problem.invalid(FieldViolation("page_token", "is malformed"))
        page = await self._client.list_recordings(
            ListRecordingsRequest(
                states=filters.states,
                account_sids=filters.account_sids,
                call_sids=filters.call_sids,
                page_size=whole_number(request.query_params, "page_size", 0),
                page_token="".join(page_tokens),
            ),
            CallIdentity.of(request),
            self._timeout_seconds,
        )
        return JSONResponse(
            {
                "recordings": [recording_json(recording) for recording in page.recordings],
                "next_page_token": page.next_page_token,
            },
            headers={"Cache-Control": "no-store"},
        )
