"""The scenarios of reliability.md B3: all there, named, and told so that a failure can be played again."""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

from tests.faults import campaign
from tests.faults.campaign import Campaign, Turn
from tests.faults.play import Result, play
from tests.faults.scenario import Act, Scenario, all_scenarios
from tests.faults.turn_processes import CampaignHasEnded, TurnProcesses
from tests.faults.world import World
from tests.faults.world_folders import keep, new_folder, remove_abandoned
from tests.support.processes import Process
from tests.support.waiting import eventually

ROOT = Path(__file__).parents[2]
#: Of what is to come: reconciliation with Twilio (27), a shelf in S3 (33).
TO_COME = {27, 33}


def faults(*arguments: str) -> "subprocess.CompletedProcess[str]":
    """The harness's command line."""
    command = [sys.executable, "-m", "tests.faults", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)


def test_every_number_of_the_list_has_a_scenario() -> None:
    played = {number for scenario in all_scenarios().values() for number in scenario.numbers}

    assert set(range(1, 36)) - played == TO_COME


def test_every_scenario_says_in_one_sentence_what_it_does() -> None:
    listed = faults("list")

    assert listed.returncode == 0, listed.stderr
    assert len(listed.stdout.splitlines()) == len(all_scenarios())
    for name, scenario in all_scenarios().items():
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*", name)
        assert scenario.what.endswith((".", ").")), name


@pytest.mark.parametrize("arguments", [("run", "flushal"), ("replay", "flushal", "1")])
def test_a_scenario_that_there_is_not_is_named_and_so_are_those_that_there_are(arguments: tuple[str, ...]) -> None:
    refused = faults(*arguments)

    assert refused.returncode == 1
    (line,) = refused.stderr.splitlines()
    assert line.startswith("there is no scenario 'flushal'; there are: ")
    assert "flushall" in line


@pytest.mark.parametrize(
    "arguments", [("replay", "flushall", "seven"), ("run", "--seeds", "seven"), ("run", "--first-seed", "seven")]
)
def test_a_seed_that_is_no_number_is_named(arguments: tuple[str, ...]) -> None:
    refused = faults(*arguments)

    assert refused.returncode == 2
    assert "'seven' is not a valid integer" in refused.stderr


# A scenario that fails


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where folders of scenarios that fail are kept."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def failing(act: Act, seed: int = 7) -> Result:
    """What becomes of a scenario that fails."""
    result = play(Scenario("tiny", (), "Fails.", act), seed, 0.1)
    assert result.problems
    return result


def flushes_and_is_not_content(world: World) -> None:
    world.redis.flush()
    world.strike(f"FLUSHALL, by a chance of {world.chance.random()}")
    raise AssertionError("as it was told to")


def test_a_scenario_that_fails_says_why_and_keeps_log_and_history(kept: Path) -> None:
    result = failing(flushes_and_is_not_content)

    (problem,) = result.problems
    assert "AssertionError: as it was told to" in problem
    assert (result.name, result.seed) == ("tiny", 7)
    folder = Path(result.folder)
    assert folder.parent == kept
    history = [json.loads(line) for line in (folder / "history.jsonl").read_text().splitlines()]
    assert [event["what"].split(",")[0] for event in history if event["kind"] == "fault"] == ["FLUSHALL"]
    assert "ready after" in (folder / "service.log").read_text()


@pytest.mark.usefixtures("kept")
def test_a_failpoint_that_there_is_not_is_named() -> None:
    result = failing(lambda world: world.restart_with_failpoints("enqueue.nowhere=kill"))

    assert "'enqueue.nowhere' is no failpoint" in result.problems[0]


@pytest.mark.usefixtures("kept")
def test_the_seed_decides_what_happens() -> None:
    told = []

    def by_chance(world: World) -> None:
        told.append((world.add(2), world.chance.random()))
        raise AssertionError("that is all")

    for seed in (1, 1, 2):
        failing(by_chance, seed)

    assert told[0] == told[1] != told[2]


# Campaigns


class Played:
    """Stands in for the processes that play turns: fails those that it is told to."""

    def __init__(self, *failing: Turn) -> None:
        self.failing = set(failing)
        self.turns: list[Turn] = []

    def __call__(self, turn: Turn, _processes: TurnProcesses) -> dict[str, Any]:
        self.turns.append(turn)
        problems = ["I2 RE1: is queued in the end"] if turn in self.failing else []
        figures = {"faults": 1, "recordings": 2, "answers": 3, "duplicate_downloads": 0, "orphans": 0}
        seconds = {"recovery_seconds": 1.0, "seconds": 2.0}
        return {**turn._asdict(), **seconds, "problems": problems, "figures": figures, "folder": "/tmp/kept"}


@pytest.fixture
def played(monkeypatch: pytest.MonkeyPatch) -> Played:
    played = Played()
    monkeypatch.setattr(campaign, "_play", played)
    return played


ONE, OTHER = Turn("flushall", 1, 0.1), Turn("flushall", 2, 0.1)


def run(results: Path, *turns: Turn, again: bool = False) -> tuple[int, list[str]]:
    """How many have failed, and what was said."""
    said: list[str] = []
    return Campaign(turns, results, jobs=1, again=again).run(said.append), said


def test_a_campaign_leaves_out_what_has_passed_and_plays_again_what_has_failed(played: Played, tmp_path: Path) -> None:
    results = tmp_path / "results" / "results.jsonl"
    played.failing = {OTHER}
    assert run(results, ONE, OTHER)[0] == 1
    assert played.turns == [ONE, OTHER]

    played.failing = set()
    failed, said = run(results, ONE, OTHER)

    assert failed == 0
    assert said[0].startswith("1 turns have passed before")
    assert played.turns[2:] == [OTHER]
    assert run(results, ONE, OTHER)[1] == ["2 turns have passed before " + f"({results}); --again plays them too"]
    assert len(played.turns) == 3
    assert run(results, ONE, OTHER, again=True)[0] == 0
    assert played.turns[3:] == [ONE, OTHER]
    assert "2 turns of 1 scenarios, 0 failed" in Campaign([], results, jobs=1, again=False).summary()


def test_another_speed_of_the_clocks_is_another_turn(played: Played, tmp_path: Path) -> None:
    run(tmp_path / "results", ONE)

    run(tmp_path / "results", ONE._replace(time_scale=1.0))

    assert [turn.time_scale for turn in played.turns] == [0.1, 1.0]


def test_a_failure_is_told_with_its_seed_its_history_and_the_command_that_plays_it_again(
    played: Played, tmp_path: Path
) -> None:
    played.failing = {OTHER}

    _, said = run(tmp_path / "results", OTHER)

    (told,) = said
    assert "FAIL  flushall seed 2 scale 0.1" in told
    assert "I2 RE1: is queued in the end" in told
    assert "again: python -m tests.faults replay flushall 2 --scale 0.1" in told
    assert "history: /tmp/kept" in told


def test_a_turn_that_can_not_be_played_is_a_failure(tmp_path: Path) -> None:
    failed, said = run(tmp_path / "results", Turn("no-such-scenario", 1, 0.1))

    assert failed == 1
    assert "exit status 1: there is no scenario 'no-such-scenario'" in said[0]


# The end of a campaign


def worlds_in(folder: Path) -> list[Path]:
    """The folders of worlds that there are."""
    return list(folder.glob("recording-faults-*"))


def family_at_play(campaign: Process, folder: Path) -> list[Process]:
    """All processes of a campaign, once its turn's service runs."""

    def is_up() -> bool:
        logs = [world / "service.log" for world in worlds_in(folder)]
        return any(log.exists() and "ready after" in log.read_text() for log in logs)

    eventually(is_up, within=60.0, what="a turn that is played")
    family = campaign.family()
    assert {"redis-server", "grpc", "dispatcher"} <= {member.name for member in family}
    return family


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_campaign_that_is_ended_ends_its_turns_and_plays_no_other(kept: Path, number: signal.Signals) -> None:
    results = kept / "results.jsonl"
    # Whoever runs the tests in the background ignores SIGINT, and children would inherit that.
    command = ["env", "--default-signal=INT", sys.executable, "-m", "tests.faults", "run", "worker-killed"]
    command += ["--seeds", "3", "--jobs", "1"]
    with subprocess.Popen(
        [*command, "--results", str(results)], cwd=ROOT, env={**os.environ, "TMPDIR": str(kept)}
    ) as campaign:
        family = family_at_play(Process.at(campaign.pid), kept)
        campaign.send_signal(number)
        for member in family:
            member.wait_for_end(within=45.0)

    assert campaign.returncode in (1, 128 + signal.SIGTERM, -signal.SIGKILL)
    assert not results.exists()
    if number is signal.SIGKILL:
        # Nobody was left to remove it: the next run does.
        assert len(worlds_in(kept)) == 1
        remove_abandoned()
    assert worlds_in(kept) == []


def test_no_turn_begins_once_a_campaign_is_ended() -> None:
    processes = TurnProcesses()
    assert processes.run([sys.executable, "-c", "print(1)"], within=60.0).stdout == "1\n"

    processes.end()

    with pytest.raises(CampaignHasEnded):
        processes.run([sys.executable, "-c", "print(1)"], within=60.0)


def test_only_folders_that_nobody_wants_any_more_are_removed(kept: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as gone:
        pass
    abandoned, wanted = (kept / f"recording-faults-{gone.pid}-{name}" for name in ("abandoned", "wanted"))
    for folder in (abandoned, wanted):
        folder.mkdir()
        (folder / "service.log").touch()
    keep(wanted)
    others = [new_folder(), kept / "recording-faults-other"]
    others[1].mkdir()

    remove_abandoned()

    assert set(worlds_in(kept)) == {wanted, *others}
