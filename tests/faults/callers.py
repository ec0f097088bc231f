"""The service's callers: each call is made for real, and its answer written down beside what was true just then."""

import http.client
import json
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import grpc
import requests
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from recording_service.twilio_stand_in.server import TwilioStandIn
from recording_service.twilio_stand_in.webhooks import CALLED, CALLER
from recordings.v1 import (
    deletion_pb2,
    enqueue_pb2,
    lookup_pb2,
    recording_pb2,
    recording_service_pb2_grpc,
    stream_pb2,
    watch_pb2,
)
from tests.faults.catalogue_view import CatalogueView
from tests.faults.history import Answer, Evidence, History
from tests.faults.secrets import telling_request
from tests.faults.shelf_view import ShelfView
from tests.faults.wording import words_of_http, words_of_recording, words_of_refusal

#: Longest wait for an answer that should come at once, in seconds. Longer than any the service promises.
CALL_SECONDS = 20.0
#: Between two calls of a client that asks again, in seconds.
AGAIN_SECONDS = 0.1
#: What the checker compares an answer with.
TOLD_COLUMNS = ("state", "attempt", "rung_time", "waiting_reason", "object_key", "size_bytes", "revision")
#: The states and reasons by what a caller reads.
_STATES = recording_pb2.RecordingState
_REASONS = enqueue_pb2.EnqueueReason


class Callers:
    """Back ends, Twilio and players. Methods may be called from many threads."""

    def __init__(
        self,
        *,
        account_sid: str,
        channel: grpc.Channel,
        http_url: str,
        twilio: TwilioStandIn,
        history: History,
        catalogue: CatalogueView,
        shelf: ShelfView,
    ) -> None:
        self.stub = recording_service_pb2_grpc.RecordingServiceStub(channel)
        self._account_sid = account_sid
        self._http_url = http_url
        self._twilio = twilio
        self._history = history
        self._catalogue = catalogue
        self._shelf = shelf
        #: Never set: what waits for it waits as long as it says.
        self._pause = threading.Event()

    def enqueue(self, recording_sid: str, **fields: Any) -> Answer:
        """EnqueueRecording, once, without any retry of the channel's."""
        request = telling_request(self._account_sid, recording_sid, **fields)
        return self._unary("enqueue", recording_sid, lambda: self.stub.EnqueueRecording(request, timeout=CALL_SECONDS))

    def enqueue_until_answered(self, recording_sid: str, within: float = 60.0) -> Answer:
        """EnqueueRecording as a careful client does it: again after a failure, until it is certain."""
        give_up_at = self._history.seconds() + within
        while (answer := self.enqueue(recording_sid)).status != "OK":
            assert self._history.seconds() < give_up_at, f"{recording_sid} was refused for {within:.0f} s: {answer}"
            self._pause.wait(AGAIN_SECONDS)
        return answer

    def batch(self, recording_sids: Sequence[str]) -> list[Answer]:
        """BatchEnqueueRecordings; an answer a recording."""
        asked_at = self._history.seconds()
        request = enqueue_pb2.BatchEnqueueRecordingsRequest(
            requests=[telling_request(self._account_sid, recording_sid) for recording_sid in recording_sids]
        )
        try:
            response = self.stub.BatchEnqueueRecordings(request, timeout=CALL_SECONDS)
        except grpc.RpcError as error:
            return [self._refused(asked_at, "batch", sid, error) for sid in recording_sids]
        return [
            self._told(
                asked_at,
                "batch",
                sid,
                "OK",
                _REASONS.Name(result.reason),
                result.recording.attempt,
                words=words_of_recording(result.recording) + str(result.error),
            )
            for sid, result in zip(recording_sids, response.results, strict=True)
        ]

    def webhook(self, recording_sid: str, status: str = "completed", **overrides: Any) -> Answer:
        """Twilio's recordingStatusCallback, once, as Twilio sends it. Only `completed` asks for the recording."""
        method = "webhook" if status == "completed" else "report"
        asked_at = self._history.seconds()
        url = f"{self._http_url}/webhooks/twilio/recording-status"
        try:
            answer = self._twilio.send_webhook(
                url, recording_sid, status, **{"From": CALLER, "To": CALLED, **overrides}
            )
        except (OSError, http.client.HTTPException) as error:
            return self._told(asked_at, method, recording_sid, type(error).__name__, "")
        said = json.loads(answer.body).get("reason", "") if answer.body else ""
        words = words_of_http(dict(answer.headers), answer.body)
        return self._told(asked_at, method, recording_sid, str(answer.status), said, words=words)

    def get(self, recording_sid: str) -> Answer:
        """GetRecording."""
        request = lookup_pb2.GetRecordingRequest(account_sid=self._account_sid, recording_sid=recording_sid)
        return self._unary("get", recording_sid, lambda: self.stub.GetRecording(request, timeout=CALL_SECONDS))

    def delete(self, recording_sid: str) -> Answer:
        """DeleteRecording, which may be asked for again."""
        request = deletion_pb2.DeleteRecordingRequest(
            account_sid=self._account_sid, recording_sid=recording_sid, allow_missing=True
        )
        return self._unary("delete", recording_sid, lambda: self.stub.DeleteRecording(request, timeout=CALL_SECONDS))

    def watch(self, recording_sid: str, within: float) -> Answer:
        """WatchRecording to its end, which may be a refusal; every READY on the way is looked into."""
        request = watch_pb2.WatchRecordingRequest(account_sid=self._account_sid, recording_sid=recording_sid)
        asked_at = self._history.seconds()
        said, attempt, words = "", 0, ""
        try:
            for look in self.stub.WatchRecording(request, timeout=within):
                said, attempt = _STATES.Name(look.recording.state), look.recording.attempt
                words += words_of_recording(look.recording)
        except grpc.RpcError as error:
            return self._refused(asked_at, "watch", recording_sid, error)
        return self._told(asked_at, "watch", recording_sid, "OK", said, attempt, words=words)

    def stream(self, recording_sid: str, offset: int = 0, length: int = 0) -> Answer:
        """StreamRecording: what came, compared with the source byte by byte."""
        source = self._twilio.media(recording_sid)
        asked_at = self._history.seconds()
        request = stream_pb2.StreamRecordingRequest(
            account_sid=self._account_sid, recording_sid=recording_sid, offset=offset, length=length
        )
        received, status, said, words = bytearray(), "OK", "", ""
        try:
            for chunk in self.stub.StreamRecording(request, timeout=CALL_SECONDS):
                if chunk.offset != offset + len(received):
                    status, said = "OK", "WRONG_OFFSET"
                received += chunk.data
        except grpc.RpcError as error:
            status, said, words = _refusal(error)
        promised = source[offset : offset + length if length else None]
        return self._told(
            asked_at,
            "stream",
            recording_sid,
            status,
            said,
            received_bytes=len(received),
            intact=promised.startswith(received),
            complete=len(received) == len(promised),
            words=words,
        )

    def play(self, recording_sid: str, first: int | None = None, last: int | None = None) -> Answer:
        """GET …/stream as a player does, with a range if one is given: compared with the source byte by byte."""
        source = self._twilio.media(recording_sid)
        asked_at = self._history.seconds()
        headers = {} if first is None else {"Range": f"bytes={first}-{'' if last is None else last}"}
        url = f"{self._http_url}/recordings/{recording_sid}/stream"
        received, status, said, words = b"", "", "", ""
        try:
            with requests.get(url, headers=headers, timeout=CALL_SECONDS, stream=True) as answer:
                status = str(answer.status_code)
                received = b"".join(answer.iter_content(65536))
                words = words_of_http(answer.headers, b"" if answer.ok else received)
        except requests.RequestException as error:
            # Cut in the middle of a body, or never answered: either way nothing false was said.
            said = type(error).__name__
        promised = source[first or 0 : None if last is None else last + 1]
        is_audio = status in ("200", "206")
        return self._told(
            asked_at,
            "play",
            recording_sid,
            status or "none",
            said,
            received_bytes=len(received),
            intact=not is_audio or promised.startswith(received),
            complete=not is_audio or bool(said) or len(received) == len(promised),
            words=words,
        )

    def at_once(self, calls: Iterable[Callable[[], Answer]], width: int = 16) -> list[Answer]:
        """Makes many calls side by side; their answers in order."""
        with ThreadPoolExecutor(width) as pool:
            return [future.result() for future in [pool.submit(call) for call in calls]]

    def _unary(self, method: str, recording_sid: str, call: Callable[[], Any]) -> Answer:
        asked_at = self._history.seconds()
        try:
            response = call()
        except grpc.RpcError as error:
            return self._refused(asked_at, method, recording_sid, error)
        said = _REASONS.Name(response.reason) if method == "enqueue" else _STATES.Name(response.recording.state)
        words = words_of_recording(response.recording)
        return self._told(asked_at, method, recording_sid, "OK", said, response.recording.attempt, words=words)

    def _refused(self, asked_at: float, method: str, recording_sid: str, error: grpc.RpcError) -> Answer:
        status, said, words = _refusal(error)
        return self._told(asked_at, method, recording_sid, status, said, words=words)

    def _told(
        self, asked_at: float, method: str, recording_sid: str, status: str, said: str, attempt: int = 0, **more: Any
    ) -> Answer:
        told_at = self._history.seconds()
        answer = Answer(asked_at, told_at, method, recording_sid, status, _short(said), attempt, **more)
        return self._history.told(replace(answer, evidence=self._evidence(recording_sid)))

    def _evidence(self, recording_sid: str) -> Evidence:
        # The shelf is looked at between two looks at the row, so that a refetch in between is not taken for a lie.
        row = self._catalogue.row(recording_sid)
        while True:
            stored_bytes = self._shelf.size(str(row["object_key"])) if row and row["object_key"] else None
            again = self._catalogue.row(recording_sid)
            if again == row or (again and row and again["object_key"] == row["object_key"]):
                return Evidence(None if again is None else {name: again[name] for name in TOLD_COLUMNS}, stored_bytes)
            row = again


def _short(said: str) -> str:
    """The word without what every word of its kind begins with."""
    return said.removeprefix("ENQUEUE_REASON_").removeprefix("RECORDING_STATE_")


def _refusal(error: Any) -> tuple[str, str, str]:
    """The status of a refused call, the reasons in its details (ErrorInfo's, and the enqueue's), and all its words."""
    status = rpc_status.from_call(error)
    details = status.details if status is not None else ()
    said = []
    for detail in details:
        info, response = error_details_pb2.ErrorInfo(), enqueue_pb2.EnqueueRecordingResponse()
        if detail.Unpack(info):
            said.append(info.reason)
        elif detail.Unpack(response):
            said.append(_REASONS.Name(response.reason))
    return error.code().name, "+".join(said), words_of_refusal(error.details(), details)
