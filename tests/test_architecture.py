"""The directions of design.md §5, read off the imports of every module."""

import ast
import importlib
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import NamedTuple

import pytest

from recording_service.core import errors
from recording_service.core.errors import (
    DecryptionError,
    DependencyUnavailable,
    RecordingServiceError,
    SourceError,
    StorageUnavailable,
    WorkerCrashed,
)
from recording_service.core.retry import RETRY_RULES

ROOT = Path(__file__).parent.parent
PACKAGE = "recording_service"

#: What each part may import of ours besides itself. A part is a package, or a module, directly under recording_service;
#: `recordings` is the generated client.
ALLOWED: Mapping[str, frozenset[str]] = {
    "core": frozenset({"transcripts"}),
    # What was said, and how it is written: made by the core, shown by the HTTP adapter.
    "transcripts": frozenset(),
    "config": frozenset({"signed_urls"}),
    "adapters": frozenset({"core", "transcripts"}),
    "worker": frozenset({"core"}),
    # The form of playback URLs: made by the one, checked by the other, who otherwise know nothing of each other.
    "signed_urls": frozenset(),
    "grpc_api": frozenset({"core", "recordings", "signed_urls", "transcripts"}),
    "http_api": frozenset({"recordings", "signed_urls", "transcripts"}),
    "twilio_stand_in": frozenset(),
    "transcription_stand_in": frozenset(),
    # The demo shows the service from outside: it is a client, and brings its own Twilio.
    "processes": frozenset(
        {
            "core",
            "config",
            "adapters",
            "worker",
            "grpc_api",
            "http_api",
            "recordings",
            "signed_urls",
            "transcription_stand_in",
            "transcripts",
            "twilio_stand_in",
        }
    ),
    # It reads the settings, hands them to a composition root, and puts their errors into words.
    "cli": frozenset({"processes", "config", "core", "twilio_stand_in"}),
    "__main__": frozenset({"cli"}),
    "__init__": frozenset(),
}

#: Adapters of one technology are one family, and may import each other: those that share a package, or these first
#: words of a name. Every other adapter is a family of its own.
FAMILIES = ("disk", "twilio")

#: Small modules that adapters of several families share, because they share a technology. They import no adapter.
SHARED_ADAPTERS = frozenset(
    {
        "answer_times",  # HTTP: what an answer's headers say of times
        "one_request",  # HTTP: a request by a connection of its own
        "object_keys",  # how objects and uploads are named on any shelf
        "redis_client",  # connections to Redis, and what its errors are to the core
        "private_sockets",  # where processes of this machine meet
        "parent_death",  # Linux: a child dies with its parent
    }
)

#: What must never import grpc: the functions RQ runs, the process that forks work-horses for them, and `serve`, which
#: forks that process (grpc.md B.5).
FORKING = (
    f"{PACKAGE}.worker",
    f"{PACKAGE}.processes.worker_process",
    f"{PACKAGE}.processes.dispatch_process",
    f"{PACKAGE}.processes.events_process",
    f"{PACKAGE}.processes.serve",
    f"{PACKAGE}.processes.supervisor",
    f"{PACKAGE}.cli",
)


class Imported(NamedTuple):
    """A module that is imported, and whether that happens as soon as the importing one is."""

    module: str
    at_once: bool


class Source(NamedTuple):
    """A module of the package, and what it imports."""

    name: str
    imports: frozenset[Imported]

    @property
    def part(self) -> str:
        """The package or module directly under recording_service that it belongs to."""
        return part_of(self.name)


def part_of(module: str) -> str:
    if module == PACKAGE:
        return "__init__"
    return module.split(".")[1] if module.startswith(f"{PACKAGE}.") else module.split(".")[0]


def is_ours(module: str) -> bool:
    return module.split(".")[0] in (PACKAGE, "recordings")


@cache
def sources() -> Mapping[str, Source]:
    """Every module of the package, by its name."""
    files = sorted((ROOT / PACKAGE).rglob("*.py"))
    names = {".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): file for file in files}
    return {name: Source(name, frozenset(imports_of(file, frozenset(names)))) for name, file in names.items()}


def imports_of(file: Path, modules: frozenset[str]) -> Iterator[Imported]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    for node, at_once in walk(tree, at_once=True):
        if isinstance(node, ast.Import):
            yield from (Imported(alias.name, at_once) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file} has a relative import"
            assert node.module is not None
            for alias in node.names:
                name = f"{node.module}.{alias.name}"
                is_module = name in modules or (node.module in ("recordings.v1", "recordings"))
                yield Imported(name if is_module else node.module, at_once)


def walk(node: ast.AST, *, at_once: bool) -> Iterator[tuple[ast.AST, bool]]:
    """Every node, and whether it is run when the module is imported."""
    for child in ast.iter_child_nodes(node):
        runs = at_once and not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            runs = False
        yield child, runs
        yield from walk(child, at_once=runs)


def family_of(module: str) -> str:
    """Of an adapter: the package it is in, or the technology its name begins with, or its own name."""
    name = module.split(".")[2]
    return next((family for family in FAMILIES if name.startswith(f"{family}_")), name)


MODULES = sorted(sources())


def test_every_part_of_the_package_has_a_rule() -> None:
    assert {source.part for source in sources().values()} <= set(ALLOWED)


@pytest.mark.parametrize("name", MODULES)
def test_imports_go_in_the_directions_of_the_design(name: str) -> None:
    source = sources()[name]
    allowed = ALLOWED[source.part] | {source.part}
    wrong = {imported.module for imported in source.imports if is_ours(imported.module)} - {
        imported.module for imported in source.imports if part_of(imported.module) in allowed
    }
    assert wrong == set()


@pytest.mark.parametrize("name", [name for name in MODULES if part_of(name) == "core"])
def test_the_core_is_standard_library_only(name: str) -> None:
    foreign = {imported.module for imported in sources()[name].imports if not is_ours(imported.module)}
    assert {module.split(".")[0] for module in foreign} <= sys.stdlib_module_names


@pytest.mark.parametrize("name", [name for name in MODULES if part_of(name) == "adapters" and name.count(".") > 1])
def test_adapters_import_each_other_only_within_their_technology(name: str) -> None:
    others = {
        imported.module
        for imported in sources()[name].imports
        if part_of(imported.module) == "adapters" and imported.module.startswith(f"{PACKAGE}.adapters.")
    }
    own, shared = family_of(name), family_of(name) in SHARED_ADAPTERS
    wrong = {
        module for module in others if family_of(module) != own and (shared or family_of(module) not in SHARED_ADAPTERS)
    }
    assert wrong == set()


def test_what_adapters_share_is_there_and_shared() -> None:
    users: dict[str, set[str]] = {name: set() for name in SHARED_ADAPTERS}
    for source in sources().values():
        for imported in source.imports:
            if imported.module.startswith(f"{PACKAGE}.adapters.") and family_of(imported.module) in users:
                users[family_of(imported.module)].add(source.name)
    assert [name for name, importers in users.items() if len(importers) < 2] == []


def test_no_module_imports_itself_in_a_circle() -> None:
    graph = {
        source.name: {imported.module for imported in source.imports if imported.module in sources()} - {source.name}
        for source in sources().values()
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"modules import each other in a circle: {' → '.join(error.args[1])}")


def reached_from(start: str) -> set[str]:
    """Every module that is imported with that one, at once, ours and others."""
    reached: set[str] = set()
    left = [start]
    while left:
        name = left.pop()
        if name in reached:
            continue
        reached.add(name)
        if name in sources():
            parents = [".".join(name.split(".")[:count]) for count in range(1, name.count(".") + 1)]
            left += [*parents, *(imported.module for imported in sources()[name].imports if imported.at_once)]
    return reached


@pytest.mark.parametrize("name", FORKING)
def test_no_grpc_can_be_reached_from_a_process_that_forks(name: str) -> None:
    reached = {module.split(".")[0] for module in reached_from(name)}
    assert reached.isdisjoint({"grpc", "grpc_status", "grpc_health", "grpc_reflection", "recordings", "google"})


def test_importing_everything_that_forks_imports_no_grpc() -> None:
    statements = "; ".join(f"import {name}" for name in FORKING)
    program = f"import sys; {statements}; print([name for name in sys.modules if name.split('.')[0] == 'grpc'])"
    ran = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


# Errors


def subclasses(base: type[RecordingServiceError]) -> Iterator[type[RecordingServiceError]]:
    yield base
    for error in base.__subclasses__():
        yield from subclasses(error)


def every_error(base: type[RecordingServiceError]) -> Iterator[type[RecordingServiceError]]:
    """Those that errors.py defines, the base included."""
    return (error for error in subclasses(base) if error.__module__ == errors.__name__)


def test_the_tree_of_errors_is_the_one_that_is_documented() -> None:
    branch = re.compile(r"(?P<indent>(?:[│ ]   )*)(?P<mark>[├└]── )?(?P<name>[A-Z]\w+)(?:  .*)?")
    documented: dict[str, str] = {}
    path: list[str] = []
    for line in (errors.__doc__ or "").splitlines()[2:]:
        found = branch.fullmatch(line)
        if found is None:
            break
        depth = len(found["indent"]) // 4 + (1 if found["mark"] else 0)
        path[depth:] = [found["name"]]
        documented[found["name"]] = path[depth - 1] if depth else "Exception"
    actual = {error.__name__: error.__bases__[0].__name__ for error in every_error(RecordingServiceError)}
    assert documented == actual


def test_every_error_says_when_it_is_raised() -> None:
    silent = [error.__name__ for error in every_error(RecordingServiceError) if not error.__doc__]
    assert silent == []


def test_every_way_an_attempt_can_fail_has_a_rule() -> None:
    kinds = {*every_error(SourceError), *every_error(DecryptionError)} - {SourceError, DecryptionError}
    kinds |= {StorageUnavailable, WorkerCrashed}
    assert kinds == set(RETRY_RULES)


def test_no_error_of_the_core_is_defined_elsewhere() -> None:
    for name in MODULES:
        # Alembic's scripts run inside Alembic only.
        if part_of(name) in ("core", "adapters", "worker") and ".migrations" not in name:
            importlib.import_module(name)
    known = {error for error in subclasses(RecordingServiceError) if error.__module__ == errors.__name__}
    strays = {error for error in subclasses(RecordingServiceError) if error.__module__.startswith(PACKAGE)} - known
    # An adapter may say more precisely what is unavailable: whoever catches the core's error catches it.
    assert all(issubclass(stray, DependencyUnavailable) for stray in strays)


# Clients


def test_the_client_imports_nothing_of_the_service() -> None:
    files = sorted((ROOT / "clients" / "python" / "recordings").rglob("*.py"))
    assert len(files) > 50
    wrong = [
        f"{file.relative_to(ROOT)}: {imported.module}"
        for file in files
        for imported in imports_of(file, frozenset())
        if imported.module.split(".")[0] == PACKAGE
    ]
    assert wrong == []
