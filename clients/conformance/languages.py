"""The runners, how each is started, and what its language needs to be there."""

import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
CLIENTS: Final = ROOT / "clients"


@dataclass(frozen=True, slots=True)
class Language:
    """One column of the matrix.

    Attributes:
        tools: what must be on the PATH.
        built: the file that its `check` leaves; the runner can't be started without.
        command: what starts the runner.
    """

    name: str
    tools: Sequence[str]
    built: Path
    command: Callable[[], Sequence[str]]

    @property
    def lacks(self) -> str:
        """What isn't there, in words; empty if all is."""
        missing = [tool for tool in self.tools if shutil.which(tool) is None]
        if missing:
            return f"there is no {missing[0]}"
        return (
            "" if self.built.exists() else f"{self.built.relative_to(ROOT)} isn't built: run clients/{self.name}/check"
        )


def _java() -> Sequence[str]:
    target = CLIENTS / "java" / "target"
    further = (target / "runner-classpath.txt").read_text(encoding="utf-8").strip()
    path = f"{target / 'test-classes'}:{target / 'classes'}:{further}"
    return ("java", "-Xmx64m", "-cp", path, "recordings.client.conformance.Runner")


def _python(module: str) -> Language:
    file = CLIENTS / "conformance" / "runners" / f"{module}.py"
    command = (sys.executable, "-m", f"clients.conformance.runners.{module}")
    return Language(module.replace("_", "-"), (), file, lambda: command)


LANGUAGES: Final = (
    _python("python"),
    _python("python_aio"),
    Language("go", ("go",), CLIENTS / "go/conformance/runner", lambda: (str(CLIENTS / "go/conformance/runner"),)),
    Language(
        "typescript",
        ("node",),
        CLIENTS / "typescript/dist/conformance/runner.js",
        lambda: ("node", str(CLIENTS / "typescript/dist/conformance/runner.js")),
    ),
    Language("java", ("java",), CLIENTS / "java/target/runner-classpath.txt", _java),
)
