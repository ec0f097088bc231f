"""Puts the adapter together: routes, middleware, and the channel that lives as long as the app."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.routing import Route

from recording_service.http_api.access import Access
from recording_service.http_api.console.events import Events
from recording_service.http_api.console.listing import Listing
from recording_service.http_api.console.page import console_routes
from recording_service.http_api.console.retrying import Retrying
from recording_service.http_api.console.sessions import Sessions
from recording_service.http_api.health import Health
from recording_service.http_api.metadata import Metadata
from recording_service.http_api.middleware.cors import Cors
from recording_service.http_api.middleware.error_boundary import ErrorBoundary
from recording_service.http_api.middleware.hosts import KnownHosts
from recording_service.http_api.middleware.request_context import RequestContext
from recording_service.http_api.middleware.security_headers import SecurityHeaders
from recording_service.http_api.playback.endpoints import Playback
from recording_service.http_api.playback.status import Status
from recording_service.http_api.problems import Problem, on_http_exception, on_problem, on_service_failure
from recording_service.http_api.recording_client import RecordingClient
from recording_service.http_api.results.rendition import Renditions
from recording_service.http_api.results.transcript import Transcripts
from recording_service.http_api.results.waveform import Waveforms
from recording_service.http_api.routes import readable
from recording_service.http_api.settings import HttpSettings
from recording_service.http_api.twilio_paths.paths import TwilioPaths
from recording_service.http_api.webhooks.endpoints import Webhooks
from recordings.errors import RecordingsError


def build_app(settings: HttpSettings) -> Starlette:
    """The ASGI application. Its lifespan opens the gRPC channel and closes it; it connects to nothing before.

    Whoever stops it sets `state.stopping` first: answers that never end by themselves end then.
    """
    client = RecordingClient(settings.grpc_target, settings.grpc_token, settings.grpc_tls)
    access = Access(settings)
    sessions = Sessions(client, settings)
    webhooks = Webhooks(client, settings)
    playback = Playback(client, settings)
    stream = access.of_listeners(playback.stream, "inline")
    download = access.of_listeners(playback.download, "attachment")
    health = Health(client, settings)
    stopping = asyncio.Event()
    events = Events(client, settings, stopping)
    status = access.of_listeners(Status(client, settings, stopping).show)
    retrying = Retrying(client, settings)
    renditions = Renditions(settings)
    waveforms = Waveforms(client, settings, renditions)
    transcripts = Transcripts(client, settings, renditions)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with client:
            yield

    app = Starlette(
        routes=[
            Route("/webhooks/twilio/recording-status", webhooks.recording_status, methods=["POST"]),
            Route("/webhooks/twilio/recording", webhooks.recording, methods=["POST"]),
            readable("/recordings", access.of_callers(Listing(client, settings).show)),
            # Before the SIDs: it would be taken for one.
            readable("/recordings/events", access.of_callers(events.show)),
            readable("/recordings/{recording_sid}", access.of_callers(Metadata(client, settings).show)),
            readable("/recordings/{recording_sid}/stream", stream),
            readable("/recordings/{recording_sid}/stream.{extension:audio}", stream),
            readable("/recordings/{recording_sid}/download", download),
            readable("/recordings/{recording_sid}/download.{extension:audio}", download),
            Route("/recordings/{recording_sid}/retry", access.of_callers(retrying.retry), methods=["POST"]),
            readable("/recordings/{recording_sid}/status", status),
            readable("/recordings/{recording_sid}/waveform.json", access.of_listeners(waveforms.json)),
            readable("/recordings/{recording_sid}/waveform.dat", access.of_listeners(waveforms.dat)),
            readable("/recordings/{recording_sid}/transcript.vtt", access.of_listeners(transcripts.web_vtt)),
            readable("/recordings/{recording_sid}/transcript.txt", access.of_listeners(transcripts.plain_text)),
            readable("/recordings/{recording_sid}/transcript.json", access.of_listeners(transcripts.json)),
            *TwilioPaths(client, settings, playback).routes(),
            Route("/session", sessions.answer, methods=["GET", "POST", "DELETE"]),
            Route("/healthz", health.alive, methods=["GET"]),
            Route("/readyz", health.ready, methods=["GET"]),
            *console_routes(),
        ],
        middleware=[
            Middleware(RequestContext),
            Middleware(SecurityHeaders),
            Middleware(KnownHosts, settings.known_hosts),
            Middleware(Cors, settings.cors_origins),
            Middleware(ErrorBoundary),
        ],
        exception_handlers={
            HTTPException: on_http_exception,
            Problem: on_problem,
            RecordingsError: on_service_failure,
        },
        lifespan=lifespan,
    )
    app.state.stopping = stopping
    # The redirect would be built from the Host header.
    app.router.redirect_slashes = False
    return app
