"""A stand-in for a transcription server: as strict as the strictest, and with every fault a client can meet.

    with TranscriptionStandIn(api_key="sk-…") as transcription:
        transcription.say("Hello, this is the bakery.", "What can I do for you?")
        transcription.behave(server_error(503, retry_after=1), transcribed().trickle(10))
        print(transcription.url)

It answers `POST /v1/audio/transcriptions` as OpenAI does, or as one of those that resemble it. It understands nothing,
but hears when there is sound: for each stretch of it there is a sentence, the same for the same sound.

It depends on nothing else of this project.
"""

from recording_service.transcription_stand_in.answers import (
    Answer,
    html_page,
    key_rejected,
    malformed_json,
    model_not_found,
    redirect,
    refused,
    server_error,
    shaped,
    too_large,
    too_many_requests,
    transcribed,
)
from recording_service.transcription_stand_in.dialects import Dialect
from recording_service.transcription_stand_in.request_log import Request
from recording_service.transcription_stand_in.script import FOREVER
from recording_service.transcription_stand_in.server import TranscriptionStandIn

__all__ = [
    "FOREVER",
    "Answer",
    "Dialect",
    "Request",
    "TranscriptionStandIn",
    "html_page",
    "key_rejected",
    "malformed_json",
    "model_not_found",
    "redirect",
    "refused",
    "server_error",
    "shaped",
    "too_large",
    "too_many_requests",
    "transcribed",
]
