"""Secrets where they must not be (I7)."""

from tests.faults.world import World


def leaks(world: World) -> list[str]:
    return []
