"""Plays one scenario with one seed: world, faults, recovery, check."""

import json
import shutil
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass

from tests.faults.checker import Checker, Figures, tracebacks
from tests.faults.leaks import leaks
from tests.faults.scenario import Scenario
from tests.faults.world import World
from tests.faults.world_folders import keep, new_folder


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one scenario with one seed."""

    name: str
    seed: int
    time_scale: float
    #: What did not hold, a line each; empty when all is well.
    problems: list[str]
    #: From the last fault to the end of every recording, in seconds.
    recovery_seconds: float
    seconds: float
    figures: Figures | None
    #: Where log and history are; empty when all is well.
    folder: str = ""

    def line(self) -> str:
        """One line of JSON."""
        return json.dumps(asdict(self))


def play(scenario: Scenario, seed: int, time_scale: float) -> Result:
    """Plays it; never raises for what the service does wrong: the result says it, and keeps log and history."""
    started = time.monotonic()
    folder = new_folder()
    world: World | None = None
    recovery_seconds = 0.0
    figures = None
    problems: list[str] = []
    try:
        world = World(
            folder,
            seed,
            time_scale=time_scale,
            database=scenario.database,
            append_only=scenario.append_only,
            variables=scenario.variables,
        )
        scenario.act(world)
        recovery_seconds = world.settle(beyond=scenario.beyond_seconds * time_scale)
        world.play_everything()
        world.tell_secrets()
        problems, figures = _checked(world, scenario)
    except Exception:
        # What a scenario asserts is a finding as well; the history tells what led to it.
        problems.append(traceback.format_exc())
    finally:
        if problems:
            keep(folder)
        if world is not None:
            if problems:
                world.history.write(folder / "history.jsonl")
            world.close()
        # Also of a turn that is interrupted nothing stays.
        if not problems:
            shutil.rmtree(folder)
    seconds = time.monotonic() - started
    return Result(
        scenario.name, seed, time_scale, problems, recovery_seconds, seconds, figures, str(folder) if problems else ""
    )


def problems_of(act: Callable[[], list[str]]) -> list[str]:
    """What did not hold: as `act` says it, or what it raised, as what a scenario asserts is a finding as well."""
    try:
        return act()
    except Exception:
        return [traceback.format_exc()]


@contextmanager
def kept_world(seed: int, time_scale: float, variables: Mapping[str, str]) -> Iterator[World]:
    """A world whose folder is kept if the block is left by an exception (SystemExit is one), and removed if not."""
    folder = new_folder()
    try:
        with closing(World(folder, seed, time_scale=time_scale, variables=variables)) as world:
            yield world
    except BaseException:
        keep(folder)
        raise
    shutil.rmtree(folder)


def _checked(world: World, scenario: Scenario) -> tuple[list[str], Figures]:
    checker = Checker(world.history, world.twilio, world.shelf, world.catalogue, cannot_be_had=world.expected_failures)
    problems = [str(violation) for violation in checker.violations()]
    problems += leaks(world)
    if not scenario.expects_tracebacks and (count := tracebacks(world.log)):
        problems.append(f"the service's log has {count} tracebacks")
    return problems, checker.figures()
