"""`GET /recordings`: a page of the recordings, newest first."""

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from recording_service.http_api.console.recording_filters import RecordingFilters, whole_number
from recording_service.http_api.identity import CallIdentity
from recording_service.http_api.problems import Problem
from recording_service.http_api.recording_client import RecordingClient
from recording_service.http_api.recording_json import match_json, recording_json
from recording_service.http_api.settings import HttpSettings
from recordings.errors import FieldViolation
from recordings.found import found_in
from recordings.v1.lookup_pb2 import ListRecordingsRequest

#: The longest page token that is passed on, in characters.
_LONGEST_TOKEN = 1024
#: The longest text to search for that is passed on, in characters.
_LONGEST_WORDS = 500


class Listing:
    """The endpoint for the list: `RecordingFilters`, and `page_size`, `page_token` and `words` as in ListRecordings.

    Where words are asked for, each recording has its `transcript_match`.
    """

    def __init__(self, client: RecordingClient, settings: HttpSettings) -> None:
        self._client = client
        self._timeout_seconds = settings.call_timeout_seconds

    async def show(self, request: Request) -> Response:
        """The page as it is now."""
        filters = RecordingFilters.of(request.query_params)
        page_token = _one_text(request.query_params, "page_token", _LONGEST_TOKEN)
        words = _one_text(request.query_params, "words", _LONGEST_WORDS)
        page = await self._client.list_recordings(
            ListRecordingsRequest(
                states=filters.states,
                account_sids=filters.account_sids,
                call_sids=filters.call_sids,
                page_size=whole_number(request.query_params, "page_size", 0),
                page_token=page_token,
                words=words,
            ),
            CallIdentity.of(request),
            self._timeout_seconds,
        )
        return JSONResponse(
            {
                "recordings": [
                    recording_json(found.recording)
                    if found.match is None
                    else {**recording_json(found.recording), "transcript_match": match_json(found.match)}
                    for found in found_in(page)
                ],
                "next_page_token": page.next_page_token,
            },
            headers={"Cache-Control": "no-store"},
        )


def _one_text(query: QueryParams, name: str, longest: int) -> str:
    values = query.getlist(name)
    if len(values) > 1 or any(len(value) > longest for value in values):
        raise Problem.invalid(FieldViolation(name, f"is given twice, or has more than {longest} characters"))
    return "".join(values)
