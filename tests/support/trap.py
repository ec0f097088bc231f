"""A module that must never be imported by a worker, and whose functions must never be called: it tells when it is."""

from tests.support.bell_functions import note

note("trapped by import")


def spring(*_: object) -> None:
    """Tells that it was called."""
    note("trapped by call")
