"""Delivers events: one POST an attempt, signed, with its deadline."""

import json
import threading
from collections.abc import Sequence
from pathlib import Path

import requests
from requests.exceptions import ConnectTimeout, ReadTimeout, SSLError
from urllib3.exceptions import HTTPError

from recording_service.adapters.answer_times import retry_after_seconds
from recording_service.adapters.event_callbacks.connection import BoundedAdapter, Deadline
from recording_service.adapters.event_callbacks.signing import signatures
from recording_service.core.event_ports import ReceiverAnswer
from recording_service.core.events import Event, written_time
from recording_service.core.ports import Clock

#: How long one attempt may take in all, in seconds (the convention recommends 15 to 30).
TOTAL_SECONDS = 15.0
#: How long each address of the receiver has for connecting, in seconds.
CONNECT_SECONDS = 5.0

_LATE = "took too long"


class EventCallbacks:
    """`EventReceiver` of core/event_ports.py. Safe to use from many threads."""

    def __init__(
        self,
        url: str,
        secrets: Sequence[bytes],
        clock: Clock,
        *,
        total_seconds: float = TOTAL_SECONDS,
        certificates: Path | None = None,
    ) -> None:
        """Signs with each of the secrets. `certificates` are trusted instead of certifi's."""
        self._url = url
        self._secrets = secrets
        self._clock = clock
        self._total_seconds = total_seconds
        self._certificates = certificates
        self._lock = threading.Lock()
        self._closed = False
        self._under_way: set[Deadline] = set()

    def send(self, event: Event) -> ReceiverAnswer:
        """Delivers the event once more. Whatever the network does is an answer, not an error."""
        body = body_of(event)
        # By its own clock: receivers refuse what is signed for a time long ago.
        timestamp = int(self._clock.now().timestamp())
        headers = {
            "content-type": "application/json",
            "user-agent": "recording-service",
            "webhook-id": event.event_id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": signatures(self._secrets, event.event_id, timestamp, body),
        }
        return self._ask(requests.Request("POST", self._url, headers=headers, data=body))

    def reach(self) -> ReceiverAnswer:
        """Asks the receiver for nothing (HEAD): whatever it answers, it can be reached."""
        return self._ask(requests.Request("HEAD", self._url, headers={"user-agent": "recording-service"}))

    def close(self) -> None:
        """Ends what is under way. Idempotent."""
        with self._lock:
            self._closed = True
            under_way = list(self._under_way)
        for deadline in under_way:
            deadline.cut()

    def _ask(self, request: requests.Request) -> ReceiverAnswer:
        deadline = Deadline(self._total_seconds)
        with self._lock:
            self._under_way.add(deadline)
            if self._closed:
                deadline.is_over = True
        adapter = BoundedAdapter(deadline, self._certificates)
        try:
            connect_seconds = min(CONNECT_SECONDS, self._total_seconds)
            answer = adapter.ask(request.prepare(), connect_seconds=connect_seconds, seconds=self._total_seconds)
            with answer:
                if deadline.is_over:
                    # Headers that were cut pass for whole ones.
                    return ReceiverAnswer(None, problem=_LATE)
                # Its body is nobody's concern, and may be without end.
                asked = retry_after_seconds(answer.headers.get("retry-after"), self._clock.now())
                return ReceiverAnswer(answer.status_code, asked)
        except (requests.RequestException, HTTPError, OSError) as error:
            return ReceiverAnswer(None, problem=_LATE if deadline.is_over else _in_a_word(error))
        finally:
            deadline.cancel()
            adapter.close()
            with self._lock:
                self._under_way.discard(deadline)


def body_of(event: Event) -> bytes:
    """The body of the event's callback, the same at each attempt."""
    message = {
        "type": event.type.value,
        "timestamp": written_time(event.event_time),
        "revision": event.revision,
        "data": event.facts,
    }
    return json.dumps(message, separators=(",", ":")).encode()


def _in_a_word(error: Exception) -> str:
    """What went wrong, without the texts of libraries, which quote addresses."""
    if isinstance(error, SSLError):
        return "has no certificate that is trusted"
    if isinstance(error, ConnectTimeout | ReadTimeout):
        return _LATE
    return "can't be reached"
