"""`python -m clients.conformance`: run | list | measure."""

import json
import os
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import click

from clients.conformance.driver import Driver, Outcome
from clients.conformance.languages import LANGUAGES, Language
from clients.conformance.matrix import matrix_of, write
from clients.conformance.measuring import LEAST_RATIO, MOST_MEGABYTES, measure, table_of
from clients.conformance.runner_process import RunnerProcess
from clients.conformance.scenario import Scenario, scenarios
from clients.conformance.service import service_under_test

_NAMES = [language.name for language in LANGUAGES]
_LANGUAGE = click.option(
    "--language", "names", multiple=True, type=click.Choice(_NAMES), help="Only this one; may be given several times."
)
_NO_SKIPS = click.option(
    "--no-skips",
    is_flag=True,
    default=os.environ.get("CI") == "true",
    help="Fail if a language can't be tried. With CI=true this is so anyway.",
)


@click.group()
def main() -> None:
    """One suite for all clients: scenarios, a real service, a fault proxy before it.

    Example: python -m clients.conformance run --language go --scenario "a stream that"
    """


@main.command(name="list")
def list_scenarios() -> None:
    """Say what there is.

    Example: python -m clients.conformance list
    """
    for scenario in scenarios():
        click.echo(f"{scenario.topic}: {scenario.name}")


@main.command()
@_LANGUAGE
@_NO_SKIPS
@click.option("--scenario", "words", multiple=True, help="Only those with these words in their names.")
@click.option("--only-failures", is_flag=True, help="Don't name those that pass.")
@click.option("--write", "writes", is_flag=True, help="Write the matrix into clients/README.md.")
def run(names: Sequence[str], no_skips: bool, words: Sequence[str], only_failures: bool, writes: bool) -> None:
    """Play the scenarios with each language.

    Example: python -m clients.conformance run --language python --language java
    """
    chosen = [each for each in scenarios() if not words or any(word in each.name for word in words)]
    languages, skipped = _those_that_can(names)
    results: dict[str, dict[str, bool]] = {each.name: {} for each in chosen}
    failed = 0
    with ExitStack() as open_ones:
        folder = Path(open_ones.enter_context(tempfile.TemporaryDirectory(prefix="conformance-")))
        click.echo("Preparing the shelf and starting the service …")
        driver = Driver(open_ones.enter_context(service_under_test(folder)))
        for language in languages:
            with RunnerProcess(language, folder / f"{language.name}.log") as runner:
                for scenario in chosen:
                    outcome = driver.play(scenario, runner)
                    results[scenario.name][language.name] = not outcome.wrong
                    failed += bool(outcome.wrong)
                    if outcome.wrong or not only_failures:
                        _tell(language, scenario, outcome)
            if failed:
                sys.stdout.write((folder / f"{language.name}.log").read_text(errors="replace")[-2000:])
    if writes:
        write("matrix", matrix_of(chosen, results))
    click.echo(f"{len(chosen) * len(languages) - failed} passed, {failed} failed, {len(skipped)} skipped")
    sys.exit(1 if failed or (skipped and no_skips) or not languages else 0)


@main.command(name="measure")
@_LANGUAGE
@_NO_SKIPS
@click.option("--write", "writes", is_flag=True, help="Write the figures into clients/README.md.")
def measure_all(names: Sequence[str], no_skips: bool, writes: bool) -> None:
    """Read 256 MiB with each reader, and with bare stubs beside it; say pace and memory.

    Example: python -m clients.conformance measure --language java
    """
    languages, skipped = _those_that_can(names)
    found = []
    with ExitStack() as open_ones:
        folder = Path(open_ones.enter_context(tempfile.TemporaryDirectory(prefix="conformance-")))
        service = open_ones.enter_context(service_under_test(folder))
        for language in languages:
            with RunnerProcess(language, folder / f"{language.name}.log") as runner:
                found.append(measure(language.name, runner, service))
            click.echo(table_of(found[-1:]).splitlines()[-1])
    if writes:
        write("measurements", table_of(found))
    missed = [each.language for each in found if each.megabytes >= MOST_MEGABYTES or each.ratio < LEAST_RATIO]
    if missed:
        click.echo(
            f"Over {MOST_MEGABYTES} MB, or below {LEAST_RATIO} of a bare stub that does the same: {', '.join(missed)}"
        )
    sys.exit(1 if missed or (skipped and no_skips) else 0)


def _those_that_can(names: Sequence[str]) -> tuple[list[Language], list[Language]]:
    """The languages asked for that can be tried, and those that can't, which is said."""
    asked = [language for language in LANGUAGES if not names or language.name in names]
    skipped = [language for language in asked if language.lacks]
    for language in skipped:
        click.echo(f"SKIPPED {language.name}: {language.lacks}")
    return [language for language in asked if language not in skipped], skipped


def _tell(language: Language, scenario: Scenario, outcome: Outcome) -> None:
    mark = "FAILED" if outcome.wrong else "ok"
    click.echo(f"{mark:6} {language.name:10} {scenario.topic}: {scenario.name}")
    if outcome.wrong:
        for line in outcome.wrong:
            click.echo(f"         {line}")
        click.echo(f"         asked    {json.dumps(outcome.request)[:600]}")
        click.echo(f"         answered {json.dumps(outcome.answer)[:600]}")
        click.echo(f"         opened   {outcome.openings[:12]}")
        click.echo(f"         failures {outcome.failures[:12]}")


if __name__ == "__main__":
    main()
