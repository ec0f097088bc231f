"""Catalogues that give up soon, and how to see that they do."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from recording_service.adapters.sql_catalogue.options import DatabaseOptions
from recording_service.core.errors import CatalogueUnavailable

#: How long anything is waited for, in seconds.
PATIENCE_SECONDS = 0.3

#: Within what it is then over, in seconds: several waits may follow each other, and the machine may be busy.
BOUND_SECONDS = 5.0

IMPATIENT = DatabaseOptions(
    lock_seconds=PATIENCE_SECONDS, pool_seconds=PATIENCE_SECONDS, statement_seconds=2 * PATIENCE_SECONDS
)


@contextmanager
def unavailable_in_time() -> Iterator[None]:
    """Expects CatalogueUnavailable, and not too late."""
    start = time.monotonic()
    with pytest.raises(CatalogueUnavailable):
        yield
    assert time.monotonic() - start < BOUND_SECONDS
