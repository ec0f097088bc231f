"""An answer with all of a result in it, or with the news that it is still the same."""

import hashlib
from dataclasses import dataclass
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from recording_service.http_api.playback.conditions import CONDITIONAL_FIELDS, Outcome, Validators, evaluate
from recording_service.http_api.problems import Problem

#: A browser keeps it and asks each time: what a signed URL or a session opened is shown to nobody else, and a result
#: that was made anew shows at once.
_CACHE_CONTROL: Final = "private, no-cache"


@dataclass(frozen=True, slots=True)
class Rendition:
    """A result in one form.

    Attributes:
        content: the whole of it.
        media_type: as `Content-Type` has it.
        file_name: what it is called where somebody saves it. ASCII, without quotes.
    """

    content: bytes
    media_type: str
    file_name: str

    def answer(self, request: Request) -> Response:
        """The answer to a GET or HEAD.

        Its entity tag is made of the content: the same only where every byte is, whichever zoom or form was asked for.

        Raises:
            Problem: 412, a precondition is not met.
        """
        etag = hashlib.sha256(self.content).hexdigest()[:32]
        headers = {"ETag": f'"{etag}"', "Cache-Control": _CACHE_CONTROL}
        fields = {
            name: ", ".join(request.headers.getlist(name)) for name in CONDITIONAL_FIELDS if name in request.headers
        }
        outcome = evaluate(fields, Validators(etag, None))
        if outcome is Outcome.FAILED:
            raise Problem(412, "PRECONDITION_FAILED", "It is another version than the one asked for.")
        if outcome is Outcome.NOT_MODIFIED:
            return Response(status_code=304, headers=headers)
        headers["Content-Type"] = self.media_type
        headers["Content-Disposition"] = f'inline; filename="{self.file_name}"'
        return Response(self.content, headers=headers)
