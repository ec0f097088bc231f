"""Decides what a request is answered: as Twilio would, until told otherwise."""

import asyncio
import functools
import time
from collections.abc import Callable
from dataclasses import dataclass

from recording_service.twilio_stand_in import documents
from recording_service.twilio_stand_in.accounts import Accounts, Credentials
from recording_service.twilio_stand_in.answers import Answer, Content, not_found
from recording_service.twilio_stand_in.connection import Connection, MalformedRequest, RequestHead
from recording_service.twilio_stand_in.recording import DEFAULT_EXTENSION, MEDIA_TYPES, Recording, Recordings
from recording_service.twilio_stand_in.reply import Observer, made_out, send_reply
from recording_service.twilio_stand_in.request_log import Outcome, Request, RequestLog
from recording_service.twilio_stand_in.route import Endpoint, Route, route_of
from recording_service.twilio_stand_in.script import Scripts

#: What is said to a client that does not speak HTTP.
BAD_REQUEST = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"

#: What S3 says when a redirected client brings Twilio's credentials along.
TWO_CREDENTIALS = Answer(
    status=400,
    body=b"<?xml version='1.0' encoding='UTF-8'?>\n"
    b"<Error><Code>InvalidArgument</Code><Message>Only one auth mechanism allowed</Message></Error>",
    content_type="application/xml",
)

#: What an encrypted recording as MP3 is answered; Twilio documents the code, and no status.
ENCRYPTED_MP3 = Answer(status=400, body=documents.encrypted_error_xml(400), content_type="application/xml")

#: What no or wrong credentials get.
UNAUTHORIZED = Answer(status=401, content=Content.ERROR).header("WWW-Authenticate", 'Basic realm="Twilio API"')


@dataclass(frozen=True)
class _Subject:
    """What the body of an answer is made from."""

    recording: Recording | None
    extension: str
    channels: int


class Responder:
    """Serves connections: credentials first, then what there is, then how it has been told to misbehave."""

    def __init__(
        self, accounts: Accounts, recordings: Recordings, scripts: Scripts, log: RequestLog, base_url: Callable[[], str]
    ) -> None:
        self._accounts = accounts
        self._recordings = recordings
        self._scripts = scripts
        self._log = log
        self._base_url = base_url
        self._answer_to_all: Answer | None = None

    def answer_all(self, answer: Answer | None) -> None:
        """Answers every request so, until called with None."""
        self._answer_to_all = answer

    async def serve(self, connection: Connection) -> None:
        """Answers the requests of one connection until either side ends it."""
        try:
            while (head := await connection.read_request()) is not None:
                if not await self._respond(connection, head):
                    return
        except MalformedRequest:
            await connection.send(BAD_REQUEST)
        except ConnectionError:
            return  # The client tore the connection between requests: nobody is left to tell.

    async def _respond(self, connection: Connection, head: RequestHead) -> bool:
        """Answers one request; says whether the connection can go on."""
        route = route_of(head.target)
        authorization = head.headers.get("authorization")
        credentials, account_sid = self._accounts.identify(authorization)
        number = self._log.add(_logged(connection, head, route, credentials))
        try:
            answer, subject = self._decided(head.method, route, account_sid, authorization is not None)
            reply = made_out(answer, *await self._content(answer, subject), head)
            observer = Observer(
                functools.partial(self._log.answered, number), functools.partial(self._log.sent, number)
            )
            outcome = await send_reply(connection, reply, observer)
        except ConnectionError:
            self._log.finished(number, Outcome.HUNG_UP)
            return False
        except asyncio.CancelledError:
            self._log.finished(number, Outcome.STOPPED)
            raise
        self._log.finished(number, outcome)
        return outcome is Outcome.SENT and reply.keeps_alive

    def _decided(
        self, method: str, route: Route, account_sid: str | None, has_credentials: bool
    ) -> tuple[Answer, _Subject]:
        subject = _Subject(None, route.extension, 1)
        if self._answer_to_all is not None:
            return self._answer_to_all, self._subject(route) or subject
        if method not in ("GET", "HEAD"):
            return Answer(status=405, content=Content.ERROR), subject
        if route.endpoint is Endpoint.CDN and has_credentials:
            return TWO_CREDENTIALS, subject
        if route.endpoint is Endpoint.MEDIA and account_sid != route.account_sid:
            return UNAUTHORIZED, subject
        found = self._subject(route)
        if found is None or found.recording is None:
            return not_found(), subject
        if route.extension == ".json":
            return Answer(content=Content.METADATA_JSON), found
        if route.extension == ".xml":
            return Answer(content=Content.METADATA_XML), found
        if found.recording.status != "completed":
            return not_found(), found
        if found.recording.encryption is not None and route.extension == ".mp3":
            return ENCRYPTED_MP3, found
        if route.requested_channels not in (None, *map(str, range(1, found.recording.channels + 1))):
            return Answer(status=400, content=Content.ERROR), found
        return self._scripts.next((found.recording.recording_sid, route.endpoint)), found

    def _subject(self, route: Route) -> _Subject | None:
        """The recording that a path names, if it is there and the path is one that is served."""
        if route.endpoint is None or route.recording_sid is None:
            return None
        recording = self._recordings.find(route.recording_sid, route.account_sid)
        if recording is None:
            return None
        is_mixed = route.requested_channels == "1" and recording.encryption is None
        channels = 1 if is_mixed else recording.channels
        return _Subject(recording, route.extension, channels)

    async def _content(self, answer: Answer, subject: _Subject) -> tuple[bytes, str]:
        """The body and its true Content-Type."""
        extension = subject.extension if subject.extension in MEDIA_TYPES else DEFAULT_EXTENSION
        if answer.body is not None:
            return answer.body, MEDIA_TYPES[extension]
        if answer.content is Content.HTML:
            return documents.HTML_PAGE, "text/html"
        if answer.content is Content.ERROR and subject.extension == ".json":
            return documents.error_json(answer.status), "application/json"
        if answer.content is Content.ERROR or subject.recording is None:
            return documents.error_xml(answer.status if answer.status >= 400 else 404), "application/xml"
        if answer.content is Content.METADATA_JSON:
            return documents.metadata_json(subject.recording, self._base_url()), "application/json"
        if answer.content is Content.METADATA_XML:
            return documents.metadata_xml(subject.recording, self._base_url()), "application/xml"
        return await self._media(subject.recording, extension, subject.channels), MEDIA_TYPES[extension]

    async def _media(self, recording: Recording, extension: str, channels: int) -> bytes:
        made = self._recordings.media_if_made(recording.recording_sid, extension, channels)
        if made is not None:
            return made
        return await asyncio.to_thread(self._recordings.media, recording.recording_sid, extension, channels)


def _logged(connection: Connection, head: RequestHead, route: Route, credentials: Credentials) -> Request:
    return Request(
        number=0,
        connection=connection.number,
        time=time.monotonic(),
        method=head.method,
        path=head.target,
        headers=head.headers,
        account_sid=route.account_sid,
        recording_sid=route.recording_sid,
        credentials=credentials,
    )
