"""Tests that are coroutines."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Final, ParamSpec

_Arguments = ParamSpec("_Arguments")
#: Nothing here waits for so long, in seconds.
_DEADLINE: Final = 30.0


def in_loop(test: Callable[_Arguments, Awaitable[None]]) -> Callable[_Arguments, None]:
    """The same test, run in a loop of its own."""

    @wraps(test)
    def run(*arguments: _Arguments.args, **named: _Arguments.kwargs) -> None:
        async def within_the_deadline() -> None:
            async with asyncio.timeout(_DEADLINE):
                await test(*arguments, **named)

        asyncio.run(within_the_deadline())

    return run


async def until(condition: Callable[[], object], within: float = 5.0) -> None:
    """Waits until that is so."""
    async with asyncio.timeout(within):
        while not condition():
            await asyncio.sleep(0.005)
