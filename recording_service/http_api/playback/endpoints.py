"""`/recordings/{sid}/stream` and `/recordings/{sid}/download`: bytes for players, or the honest answer.

Either path may end in the extension of what is stored (`/stream.mp3`): some players look at it.

Most requests of players (no condition, no Range or one with a known start) open the stream at once: its first message
carries the recording and the range, so a seek costs one call. All others look the recording up first.
"""

import time
from contextlib import ExitStack
from dataclasses import dataclass

import grpc
from starlette.requests import Request
from starlette.responses import Response

from recording_service.http_api.identity import CallIdentity
from recording_service.http_api.playback import ranges
from recording_service.http_api.playback.conditions import CONDITIONAL_FIELDS, Outcome, evaluate, range_applies
from recording_service.http_api.playback.preparation import Preparation
from recording_service.http_api.playback.range_stream import Patience, RangeStream, resuming
from recording_service.http_api.playback.representation import MAX_AGE_SECONDS, Disposition, Representation
from recording_service.http_api.playback.stream_response import StreamResponse
from recording_service.http_api.problems import Problem, problem_response
from recording_service.http_api.recording_client import RecordingClient
from recording_service.http_api.settings import HttpSettings
from recording_service.http_api.shares import Shares
from recording_service.http_api.targets import Target
from recordings.aio import Range
from recordings.errors import RecordingsError
from recordings.v1.lookup_pb2 import GetRecordingRequest
from recordings.v1.recording_pb2 import Recording, RecordingState


@dataclass(frozen=True, slots=True)
class _Wanted:
    """One request, as far as it decides the answer."""

    target: Target
    disposition: Disposition
    is_head: bool
    range_field: str | None
    conditions: dict[str, str]
    identity: CallIdentity

    @classmethod
    def by(cls, request: Request, target: Target, disposition: Disposition) -> "_Wanted":
        ranges_sent = request.headers.getlist("range")
        return cls(
            target=target,
            disposition=disposition,
            is_head=request.method == "HEAD",
            # Range is defined for GET alone (RFC 9110 §14.2). It is no list: two fields are malformed, so ignored.
            range_field=ranges_sent[0] if request.method == "GET" and len(ranges_sent) == 1 else None,
            conditions={
                name: ", ".join(request.headers.getlist(name)) for name in CONDITIONAL_FIELDS if name in request.headers
            },
            identity=CallIdentity.of(request),
        )

    @property
    def max_age_seconds(self) -> int:
        """For how long a browser may play what it has kept: no longer than what let it in is good."""
        expires = self.identity.expires
        return MAX_AGE_SECONDS if expires is None else max(0, min(MAX_AGE_SECONDS, int(expires - time.time())))

    def representation(self, recording: Recording) -> Representation:
        """What is served of a READY recording.

        Raises:
            ContractBroken: as `Representation.of`.
            Problem: 404, it is not stored as what the path asks for.
        """
        representation = Representation.of(recording)
        if self.target.extension not in {"", representation.extension}:
            raise Problem(
                404,
                "REPRESENTATION_NOT_FOUND",
                f"The recording is not stored as .{self.target.extension}. "
                "Without an extension it is served as it is stored.",
            )
        return representation

    def headers(self, representation: Representation) -> dict[str, str]:
        """The fields of an answer that has the bytes, or would have them."""
        version = representation.version_headers(self.max_age_seconds)
        return version | representation.content_headers(self.disposition)

    def selection(self, representation: Representation) -> ranges.Selection:
        """Which bytes to send, once no precondition stands against it."""
        applies = range_applies(self.conditions.get("if-range"), representation.validators)
        return ranges.select(self.range_field if applies else None, representation.size)


class Playback:
    """The endpoints that players and browsers call."""

    def __init__(self, client: RecordingClient, settings: HttpSettings) -> None:
        self._client = client
        self._timeout_seconds = settings.call_timeout_seconds
        self._players = Shares("players", settings.max_players, settings.max_players_each)
        self._preparation = Preparation(client, settings.call_timeout_seconds, settings.not_ready_retry_seconds)
        self._patience = Patience(
            first_message_seconds=settings.call_timeout_seconds,
            pause_seconds=settings.pause_seconds,
            resuming=resuming(settings.stream_idle_seconds, settings.resume_attempts),
        )

    async def stream(self, request: Request) -> Response:
        """The bytes, to be played."""
        return await self.answer(request, Target.of(request), "inline")

    async def download(self, request: Request) -> Response:
        """The bytes, to be saved."""
        return await self.answer(request, Target.of(request), "attachment")

    async def answer(self, request: Request, target: Target, disposition: Disposition) -> Response:
        """A GET or HEAD of this recording's bytes, whatever its path."""
        wanted = _Wanted.by(request, target, disposition)
        if not wanted.is_head:
            self._players.check(wanted.identity)
        guess = ranges.known_start(wanted.range_field)
        is_plain = not wanted.conditions and not wanted.is_head
        # Without a connection the look-up waits for one: it has a deadline, and grpc.aio leaks a little of each stream
        # that is given up before it was sent (grpc#43360).
        if guess is not None and is_plain and self._client.is_connected:
            response = await self._stream_at_once(wanted, *guess)
            if response is not None:
                return response
        try:
            return await self._look_up_and_stream(wanted)
        except RecordingsError as failure:
            # The version, or its being there, changed between the two calls. Look again: the conditions, If-Match
            # among them, are then judged by what there is now.
            if failure.code not in {grpc.StatusCode.ABORTED, grpc.StatusCode.FAILED_PRECONDITION}:
                raise
        return await self._look_up_and_stream(wanted)

    async def _stream_at_once(self, wanted: _Wanted, offset: int, length: int | None) -> Response | None:
        """Open the stream unseen. `None` where the recording has to be looked up to say what is the matter."""
        first = Range(
            account_sid=wanted.target.account_sid,
            recording_sid=wanted.target.recording_sid,
            offset=offset,
            length=length,
        )
        try:
            stream = await self._open(first, wanted)
        except RecordingsError as failure:
            if failure.code in {grpc.StatusCode.FAILED_PRECONDITION, grpc.StatusCode.OUT_OF_RANGE}:
                return None
            raise
        with ExitStack() as unless_answered:
            unless_answered.callback(stream.close)
            representation = wanted.representation(stream.opening.recording)
            selection = wanted.selection(representation)
            if not _length(selection, representation):
                return self._without_bytes(wanted, selection, representation)
            unless_answered.pop_all()
        return self._with_bytes(wanted, selection, representation, stream)

    async def _look_up_and_stream(self, wanted: _Wanted) -> Response:
        recording = await self._client.get_recording(
            GetRecordingRequest(account_sid=wanted.target.account_sid, recording_sid=wanted.target.recording_sid),
            wanted.identity,
            self._timeout_seconds,
        )
        if recording.state != RecordingState.RECORDING_STATE_READY:
            return await self._preparation.answer(recording, wanted.identity.request_id)
        representation = wanted.representation(recording)
        outcome = evaluate(wanted.conditions, representation.validators)
        if outcome is Outcome.FAILED:
            raise Problem(412, "PRECONDITION_FAILED", "The recording is another version than the one asked for.")
        if outcome is Outcome.NOT_MODIFIED:
            return Response(status_code=304, headers=representation.version_headers(wanted.max_age_seconds))
        selection = wanted.selection(representation)
        length = _length(selection, representation)
        if wanted.is_head or not length:
            return self._without_bytes(wanted, selection, representation)
        chosen = Range(
            account_sid=recording.account_sid,
            recording_sid=recording.recording_sid,
            offset=_start(selection),
            length=length,
            etag=recording.etag,
        )
        return self._with_bytes(wanted, selection, representation, await self._open(chosen, wanted))

    async def _open(self, chosen: Range, wanted: _Wanted) -> RangeStream:
        return await RangeStream.open(self._client, chosen, wanted.identity, self._patience)

    def _with_bytes(
        self, wanted: _Wanted, selection: ranges.Selection, representation: Representation, stream: RangeStream
    ) -> Response:
        status = 200
        headers = wanted.headers(representation)
        if isinstance(selection, ranges.Part):
            status = 206
            headers["Content-Range"] = f"bytes {selection.start}-{selection.end - 1}/{representation.size}"
        place = self._players.taken(wanted.identity)
        return StreamResponse(status, headers, stream, _length(selection, representation), place)

    def _without_bytes(self, wanted: _Wanted, selection: ranges.Selection, representation: Representation) -> Response:
        """The header alone: of a HEAD, of a recording without a byte, or of a range without one."""
        if isinstance(selection, ranges.Unsatisfiable):
            problem = Problem(
                416,
                "RANGE_NOT_SATISFIABLE",
                "The recording has no such bytes.",
                headers={"Content-Range": f"bytes */{representation.size}", "Accept-Ranges": "bytes"},
            )
            return problem_response(problem, wanted.identity.request_id)
        headers = wanted.headers(representation)
        return Response(status_code=200, headers=headers | {"Content-Length": str(representation.size)})


def _start(selection: ranges.Selection) -> int:
    return selection.start if isinstance(selection, ranges.Part) else 0


def _length(selection: ranges.Selection, representation: Representation) -> int:
    match selection:
        case ranges.Part(start, end):
            return end - start
        case ranges.Whole():
            return representation.size
        case ranges.Unsatisfiable():
            return 0
