"""The sources that the contract suite runs over, each with a way to say what it is to do next."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

import pytest

from recording_service.adapters.memory.source import Answer as MemoryAnswer
from recording_service.adapters.memory.source import MemorySource, Outcome
from recording_service.adapters.twilio_media.account import TwilioAccount, TwilioLimits
from recording_service.adapters.twilio_media.media import TwilioMedia
from recording_service.core.errors import SourceNotFound, SourceRateLimited, SourceUnauthorized, SourceUnavailable
from recording_service.core.model import RecordingKey
from recording_service.core.ports import MediaSource
from recording_service.twilio_stand_in import (
    Answer,
    Encryption,
    Recording,
    TwilioStandIn,
    media,
    not_found,
    server_error,
    too_many_requests,
    unauthorized,
)
from tests.support.encrypted import details

ACCOUNT_SID = "AC" + "0a" * 16

#: What Twilio asks to be waited, in seconds, where it asks for it.
RETRY_AFTER_SECONDS = 7

#: Where a body is cut, in bytes.
CUT_AFTER_BYTES = 5000


class Event(Enum):
    """What may happen when a recording is asked for."""

    WHOLE = "whole"
    UNANNOUNCED = "unannounced"
    CUT = "cut"
    NOT_FOUND = "not found"
    UNAUTHORIZED = "unauthorized"
    RATE_LIMITED = "rate limited"
    UNAVAILABLE = "unavailable"


class SourceUnderTest(Protocol):
    @property
    def source(self) -> MediaSource: ...

    def add(self, body: bytes) -> RecordingKey:
        """A new recording."""

    def add_encrypted(self, body: bytes, encryption: Encryption) -> RecordingKey:
        """A new recording that is had as it was encrypted."""

    def script(self, key: RecordingKey, *events: Event) -> None:
        """What happens the next times the recording is asked for."""


@dataclass
class MemoryUnderTest:
    source: MemorySource
    recordings: int = 0

    def __post_init__(self) -> None:
        self._bodies: dict[RecordingKey, bytes] = {}

    def add(self, body: bytes) -> RecordingKey:
        self.recordings += 1
        key = RecordingKey(ACCOUNT_SID, f"RE{self.recordings:032x}")
        self._bodies[key] = body
        self.source.script(key, [body])
        return key

    def add_encrypted(self, body: bytes, encryption: Encryption) -> RecordingKey:
        key = self.add(encryption.sealed(body))
        self.source.encryption[key] = details(encryption)
        return key

    def script(self, key: RecordingKey, *events: Event) -> None:
        body = self._bodies[key]
        outcomes: dict[Event, Outcome] = {
            Event.WHOLE: body,
            Event.UNANNOUNCED: MemoryAnswer(body, announced=False),
            Event.CUT: MemoryAnswer(body, cut_after_bytes=CUT_AFTER_BYTES),
            Event.NOT_FOUND: SourceNotFound("no such recording"),
            Event.UNAUTHORIZED: SourceUnauthorized("refused"),
            Event.RATE_LIMITED: SourceRateLimited("fewer requests", RETRY_AFTER_SECONDS),
            Event.UNAVAILABLE: SourceUnavailable("down", RETRY_AFTER_SECONDS),
        }
        self.source.script(key, [*(outcomes[event] for event in events), body])


@dataclass
class TwilioUnderTest:
    source: TwilioMedia
    twilio: TwilioStandIn

    def add(self, body: bytes) -> RecordingKey:
        return RecordingKey(ACCOUNT_SID, self.twilio.add_recording(Recording(body=body)).recording_sid)

    def add_encrypted(self, body: bytes, encryption: Encryption) -> RecordingKey:
        recording = Recording(body=body, encryption=encryption)
        return RecordingKey(ACCOUNT_SID, self.twilio.add_recording(recording).recording_sid)

    def script(self, key: RecordingKey, *events: Event) -> None:
        answers: dict[Event, Answer] = {
            Event.WHOLE: media(),
            Event.UNANNOUNCED: media().chunked(),
            Event.CUT: media().truncate(after=CUT_AFTER_BYTES),
            Event.NOT_FOUND: not_found(),
            Event.UNAUTHORIZED: unauthorized(),
            Event.RATE_LIMITED: too_many_requests(RETRY_AFTER_SECONDS),
            Event.UNAVAILABLE: server_error(503, RETRY_AFTER_SECONDS),
        }
        for event in events:
            self.twilio.behave(key.recording_sid, answers[event])


@pytest.fixture(params=["memory", "twilio"])
def source(request: pytest.FixtureRequest) -> Iterator[SourceUnderTest]:
    """A source without recordings."""
    if request.param == "memory":
        yield MemoryUnderTest(MemorySource())
        return
    with TwilioStandIn(account_sid=ACCOUNT_SID, auth_token="token") as twilio:
        account = TwilioAccount(ACCOUNT_SID, twilio.url, ACCOUNT_SID, "token")
        yield TwilioUnderTest(TwilioMedia([account], TwilioLimits(idle_seconds=5.0, settle_seconds=0.3)), twilio)
