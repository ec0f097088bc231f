"""`python -m tests.faults`: the fault harness's command line."""

import os
import sys
from pathlib import Path

import click

from tests.faults.campaign import Campaign, Turn
from tests.faults.play import play
from tests.faults.scenario import UnknownScenario, all_scenarios, scenario_named

#: Where results are kept, so that a run can be taken up again.
RESULTS = Path(".faults/results.jsonl")


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
@click.option("--jobs", default=os.cpu_count() or 1, show_default=True, help="How many are played at once.")
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
@click.option("--results", type=click.Path(path_type=Path), default=RESULTS, show_default=True)
def figures(results: Path) -> None:
    """Print what has been measured so far, as docs/reliability.md quotes it.

    \b
    Example:
      python -m tests.faults figures
    """
    click.echo(Campaign([], results, jobs=1, again=False).summary())


if __name__ == "__main__":
    try:
        main()
    except UnknownScenario as error:
        raise SystemExit(str(error)) from None
