"""Drives the console in a real browser: Debian's Chromium, headless, by Playwright."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect, sync_playwright

#: Longest wait for anything on the page, in seconds.
WAIT_SECONDS = 15.0

#: Told to the page's own console, where `trouble` finds it.
_REPORT_VIOLATIONS = """
document.addEventListener("securitypolicyviolation", (event) =>
  console.error(`CSP: ${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`));
"""

#: Everything a person can use, and what a screen reader calls it; from Chromium's own accessibility tree.
_CONTROL_ROLES = frozenset(
    {"button", "link", "textbox", "searchbox", "slider", "combobox", "radio", "checkbox", "progressbar", "dialog"}
)


@contextmanager
def chromium() -> Iterator[Browser]:
    """A headless Chromium. AssertionError if there is none.

    While it is open its event loop is this thread's: nothing else in it can run one.
    """
    program = shutil.which("chromium")
    assert program is not None, "the tests of the console need Chromium: apt-get install chromium"
    with sync_playwright() as playwright:
        # Tests run as root in containers, where Chromium has no sandbox; they open pages of our own alone.
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()


class Console:
    """One open console: what a person sees and does, and what the browser complained about."""

    def __init__(self, context: BrowserContext) -> None:
        self.page: Page = context.new_page()
        self.page.set_default_timeout(WAIT_SECONDS * 1000)
        expect.set_options(timeout=WAIT_SECONDS * 1000)
        #: Errors of scripts, of the console, and violations of the policy.
        self.trouble: list[str] = []
        #: Status and path of every answer.
        self.answers: list[tuple[int, str]] = []
        self.page.add_init_script(_REPORT_VIOLATIONS)
        self.page.on("console", self._note)
        self.page.on("pageerror", lambda error: self.trouble.append(str(error)))
        self.page.on("response", lambda answer: self.answers.append((answer.status, answer.url)))

    def _note(self, message: Any) -> None:
        if message.type in {"error", "warning"}:
            self.trouble.append(message.text)

    def open(self, url: str, path: str = "") -> None:
        """Goes to the console of that service; `path`: what follows the slash."""
        self.page.goto(f"{url}/{path}")

    def row(self, recording_sid: str) -> Locator:
        """The row of a recording."""
        return self.page.locator("#rows tr").filter(has=self.page.locator(f"code[title='{recording_sid}']"))

    def wait_until_live(self) -> None:
        """Returns once the page says that it is live."""
        expect(self.page.locator("#connection-words")).to_have_text("Live")

    def choose(self, recording_sid: str) -> None:
        """Clicks the row of a recording; returns once it is open."""
        self.row(recording_sid).locator(".open").click()
        expect(self.row(recording_sid).locator(".open")).to_have_attribute("aria-current", "true")

    def audio(self) -> dict[str, Any]:
        """What the audio element says of itself."""
        state: dict[str, Any] = self.page.evaluate(
            """() => {
              const { duration, currentTime, paused, ended, readyState, error, playbackRate } =
                document.querySelector("audio");
              return { duration, currentTime, paused, ended, readyState, playbackRate, error: error && error.code };
            }"""
        )
        return state

    def wait_for_audio(self, condition: str) -> None:
        """Returns once an expression holds, in which `audio` is the element."""
        self.page.wait_for_function(f"() => {{ const audio = document.querySelector('audio'); return {condition}; }}")

    def seek_to(self, share: float) -> None:
        """Clicks the seek bar so far along."""
        bar = self.page.locator("#seek")
        box = bar.bounding_box()
        assert box is not None
        bar.click(position={"x": min(max(share * box["width"], 1), box["width"] - 1), "y": box["height"] / 2})

    def unnamed_controls(self) -> list[str]:
        """The controls that a screen reader would have no name for."""
        session = self.page.context.new_cdp_session(self.page)
        nodes = session.send("Accessibility.getFullAXTree")["nodes"]
        session.detach()
        return [
            str(node)
            for node in nodes
            if not node.get("ignored")
            and node.get("role", {}).get("value") in _CONTROL_ROLES
            and not node.get("name", {}).get("value", "").strip()
        ]

    def focused(self) -> str:
        """The id, or else the class, of what has the focus."""
        name: str = self.page.evaluate("() => document.activeElement.id || document.activeElement.className")
        return name
