"""Events told by HTTP, as the Standard Webhooks convention has it (standardwebhooks.com, spec 1.0.0)."""

from recording_service.adapters.event_callbacks.callbacks import EventCallbacks

__all__ = ["EventCallbacks"]
