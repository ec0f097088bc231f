"""`python -m tests.faults`: the fault harness's command line."""

import os
import signal
import sys
from pathlib import Path

import click

from tests.faults.campaign import Campaign, Turn
from tests.faults.play import kept_world, play, problems_of
from tests.faults.scenario import UnknownScenario, all_scenarios, scenario_named
from tests.faults.soak import VARIABLES as SOAK_VARIABLES
from tests.faults.soak import Soak
from tests.faults.step_sweep import sweep as killed_at_every_step
from tests.faults.world import World
from tests.faults.world_folders import remove_abandoned

#: Where results are kept, so that a run can be taken up again.
RESULTS = Path(".faults/results.jsonl")
#: How many problems are printed; all are in the history.
MOST_PROBLEMS = 40


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
def main() -> None:
    """Makes everything around the real service fail, and checks that it never lies and never loses.

    \b
    Example: every scenario once, with clocks ten times as fast:
      python -m tests.faults run
    """


@main.command("list")
def list_scenarios() -> None:
    """Name every scenario, with its numbers in reliability.md B3.

    \b
    Example:
      python -m tests.faults list
    """
    for name, scenario in all_scenarios().items():
        numbers = ",".join(map(str, scenario.numbers)) or "-"
        click.echo(f"{numbers:>5}  {name:<42} {scenario.what}")


@main.command()
@click.argument("names", nargs=-1)
@click.option("--seeds", default=1, show_default=True, help="How many seeds each.")
@click.option("--first-seed", default=1, show_default=True, help="The first of them.")
@click.option("--scale", default=0.1, show_default=True, help="Multiplies all clocks of the service.")
@click.option("--jobs", default=(os.cpu_count() or 1) + 1, show_default=True, help="How many are played at once.")
@click.option("--again", is_flag=True, help="Play also what has passed before.")
@click.option("--results", type=click.Path(path_type=Path), default=RESULTS, show_default=True)
def run(
    names: tuple[str, ...], seeds: int, first_seed: int, scale: float, jobs: int, again: bool, results: Path
) -> None:
    """Play scenarios (all, or those that are named) with several seeds; what has passed before is not played again.

    \b
    Example: two scenarios with 20 seeds each, with the clocks of production:
      python -m tests.faults run flushall worker-killed --seeds 20 --scale 1
    """
    scenarios = [scenario_named(name) for name in names] or list(all_scenarios().values())
    turns = [
        Turn(scenario.name, seed, scale) for seed in range(first_seed, first_seed + seeds) for scenario in scenarios
    ]
    remove_abandoned()
    campaign = Campaign(turns, results, jobs=jobs, again=again)
    failed = campaign.run(click.echo)
    click.echo(campaign.summary())
    sys.exit(1 if failed else 0)


@main.command()
@click.argument("name")
@click.argument("seed", type=int)
@click.option("--scale", default=0.1, show_default=True, help="Multiplies all clocks of the service.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as a line of JSON only.")
def replay(name: str, seed: int, scale: float, as_json: bool) -> None:
    """Play one scenario with one seed, as after a failure; log and history are kept if it fails.

    \b
    Example:
      python -m tests.faults replay flushall 7
    """
    result = play(scenario_named(name), seed, scale)
    if as_json:
        click.echo(result.line())
    else:
        click.echo(
            f"{name} seed {seed}: recovered after {result.recovery_seconds:.1f} s, {result.seconds:.1f} s in all"
        )
        for problem in result.problems:
            click.echo(problem)
        if result.folder:
            click.echo(f"log and history: {result.folder}")
    sys.exit(1 if result.problems else 0)


@main.command()
@click.option("--first", default=1, show_default=True, help="The step to begin with.")
@click.option("--stride", default=1, show_default=True, help="From one step to the next; more than 1 leaves some out.")
@click.option("--seed", default=1, show_default=True)
@click.option("--scale", default=0.1, show_default=True, help="Multiplies all clocks of the service.")
def sweep(first: int, stride: int, seed: int, scale: float) -> None:
    """Kill whoever reaches the n-th failpoint, for n = 1, 2, 3 … until the happy path runs through untouched.

    \b
    Example, from the step on that has failed:
      python -m tests.faults sweep --first 12
    """
    with kept_world(seed, scale, {}) as world:
        _end(problems_of(lambda: killed_at_every_step(world, click.echo, first, stride)), world)


@main.command()
@click.option("--minutes", default=30.0, show_default=True)
@click.option("--seed", default=1, show_default=True)
@click.option("--scale", default=1.0, show_default=True, help="Multiplies all clocks of the service.")
def soak(minutes: float, seed: int, scale: float) -> None:
    """Ask, watch and read for a long time while a gremlin breaks whatever it can reach; then everything must recover.

    \b
    Example:
      python -m tests.faults soak --minutes 5 --seed 3
    """
    with kept_world(seed, scale, SOAK_VARIABLES) as world:
        _end(problems_of(Soak(world, minutes, click.echo).run), world)


@main.command()
@click.option("--results", type=click.Path(path_type=Path), default=RESULTS, show_default=True)
def figures(results: Path) -> None:
    """Print what has been measured so far, as docs/reliability.md quotes it.

    \b
    Example:
      python -m tests.faults figures
    """
    click.echo(Campaign([], results, jobs=1, again=False).summary())


def _end(problems: list[str], world: World) -> None:
    """Prints what did not hold, and exits accordingly."""
    for problem in problems[:MOST_PROBLEMS]:
        click.echo(problem)
    if problems:
        world.history.write(world.folder / "history.jsonl")
        click.echo(f"{len(problems)} problems; log and history: {world.folder}")
        sys.exit(1)
    click.echo("Everything held.")


def _end_in_order(number: int, _frame: object) -> None:
    """Has SIGTERM unwind everything, as Ctrl-C does; a second one can't disturb that."""
    signal.signal(number, signal.SIG_IGN)
    sys.exit(128 + number)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _end_in_order)
    try:
        main()
    except UnknownScenario as error:
        raise SystemExit(str(error)) from None
