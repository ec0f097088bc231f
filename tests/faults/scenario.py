"""What a scenario is: a function of a world, whose chance follows from a seed, registered by its name."""

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from tests.faults import scenarios
from tests.faults.world import World

#: What a scenario does: strikes and mends. What must hold afterwards is the checker's business.
Act = Callable[[World], None]


class UnknownScenario(Exception):
    """Raised for a name that no scenario has."""

    def __init__(self, name: str, known: list[str]) -> None:
        super().__init__(f"there is no scenario {name!r}; there are: {', '.join(known)}")
        self.name = name


@dataclass(frozen=True, slots=True)
class Scenario:
    """One fault, or one family of faults, of reliability.md B3."""

    name: str
    #: Its numbers in reliability.md B3; empty for what goes beyond the list.
    numbers: tuple[int, ...]
    #: What is done, in a sentence.
    what: str
    act: Act
    #: `sqlite` or `postgresql`.
    database: str = "sqlite"
    #: Whether Redis keeps its memory in a file.
    append_only: bool = True
    #: More variables of the service.
    variables: Mapping[str, str] = field(default_factory=dict)
    #: Tracebacks that the service may log; a bug that is brought about on purpose is logged as one.
    expects_tracebacks: bool = False
    #: Seconds beyond the promise that the scenario's own waits may take, with default clocks.
    beyond_seconds: float = 0.0


_registered: dict[str, Scenario] = {}


def scenario(
    *numbers: int,
    database: str = "sqlite",
    append_only: bool = True,
    variables: Mapping[str, str] | None = None,
    expects_tracebacks: bool = False,
    beyond_seconds: float = 0.0,
) -> Callable[[Act], Act]:
    """Registers a function as a scenario, by its name; the first line of its docstring says what it does."""

    def register(act: Act) -> Act:
        name = act.__name__.replace("_", "-")
        assert name not in _registered, name
        assert act.__doc__, name
        _registered[name] = Scenario(
            name=name,
            numbers=numbers,
            what=act.__doc__.strip().splitlines()[0],
            act=act,
            database=database,
            append_only=append_only,
            variables=variables or {},
            expects_tracebacks=expects_tracebacks,
            beyond_seconds=beyond_seconds,
        )
        return act

    return register


def all_scenarios() -> dict[str, Scenario]:
    """Every scenario, by its name, in the order of the numbers."""
    for module in pkgutil.iter_modules(scenarios.__path__):
        importlib.import_module(f"{scenarios.__name__}.{module.name}")
    return dict(sorted(_registered.items(), key=lambda item: (item[1].numbers or (99,), item[0])))


def scenario_named(name: str) -> Scenario:
    """The scenario of that name. Raises UnknownScenario, which names those there are."""
    known = all_scenarios()
    if name not in known:
        raise UnknownScenario(name, list(known))
    return known[name]
