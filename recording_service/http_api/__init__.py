"""The HTTP adapter: Twilio's webhooks in, recordings out to players. It translates to gRPC and knows nothing else.

It imports the generated client `recordings.v1` and no other module of the service (design.md §4).
"""

from recording_service.http_api.app import build_app
from recording_service.http_api.server import HttpServer
from recording_service.http_api.settings import HttpSettings

__all__ = ["HttpServer", "HttpSettings", "build_app"]
