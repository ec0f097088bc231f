"""The console in a real Chromium, in front of a service whose answers a test decides."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.http_api.conftest import Settings
from tests.http_api.fake_recordings import FakeRecordings
from tests.http_api.running_app import running_app
from tests.support.console import Console, chromium
from tests.support.running_service import free_port

OpenConsole = Callable[..., Console]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


@pytest.fixture
def token() -> str:
    """What callers have to show; empty: nothing. Tests put their own in its place."""
    return ""


@pytest.fixture
def url(settings: Settings, recordings: FakeRecordings, token: str) -> Iterator[str]:
    """A service of the test's own: its address is the public one."""
    port = free_port()
    recordings.token = token
    public = settings(public_url=f"http://127.0.0.1:{port}", requires_credentials=bool(token))
    with running_app(public, port=port):
        yield f"http://127.0.0.1:{port}"


@pytest.fixture
def open_console(browser: Browser, url: str) -> Iterator[OpenConsole]:
    """Opens the console; at the end nobody may have complained but as the test has said by `expected`."""
    with ExitStack() as stack:

        def open_one(*, expected: tuple[str, ...] = (), live: bool = True, path: str = "", **options: Any) -> Console:
            context = stack.enter_context(browser.new_context(**options))
            console = Console(context)
            stack.callback(_check_quiet, console, expected)
            console.open(url, path)
            if live:
                console.wait_until_live()
            return console

        yield open_one


def _check_quiet(console: Console, expected: tuple[str, ...]) -> None:
    unexpected = [text for text in console.trouble if not text.startswith(expected)] if expected else console.trouble
    assert unexpected == []
