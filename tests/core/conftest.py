import pytest

from tests.support.core_world import World


@pytest.fixture
def world() -> World:
    """The core over adapters in memory."""
    return World()
