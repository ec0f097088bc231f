"""The conformance suite finds out what a client does wrong: here its runners lie, leak, are silent or die."""

import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from clients.conformance.driver import Driver, Outcome
from clients.conformance.languages import Language
from clients.conformance.matrix import README
from clients.conformance.runner_process import RunnerProcess
from clients.conformance.scenario import Scenario, differences, scenarios
from clients.conformance.service import service_under_test

#: Answers by what the first line of its program says; `request` is what it was asked.
RUNNER = """
import json, sys, time
import grpc
from recordings.v1.recording_service_pb2_grpc import RecordingServiceStub
from recordings.v1.stream_pb2 import StreamRecordingRequest

def open_streams(request, times):
    channel = grpc.insecure_channel(request["options"]["target"])
    metadata = (("authorization", "Bearer " + request["options"]["token"]),)
    streams = []
    for _ in range(times):
        asked = StreamRecordingRequest(recording_sid=request["arguments"]["recording_sid"])
        streams.append(RecordingServiceStub(channel).StreamRecording(asked, metadata=metadata))
        next(streams[-1])
    return channel, streams

for line in sys.stdin:
    request = json.loads(line)
    answer = {"id": request["id"], **eval(sys.argv[1])}
    print(json.dumps(answer), flush=True)
"""

READ = next(each for each in scenarios() if each.name == "five mebibytes and three bytes are read whole")


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Driver]:
    with service_under_test(tmp_path_factory.mktemp("service")) as service:
        yield Driver(service)


Play = Callable[[Scenario, str], Outcome]


@pytest.fixture
def play(driver: Driver, tmp_path: Path) -> Play:
    """Plays a scenario with a runner that gives the answer that an expression makes."""

    def play(scenario: Scenario, answer: str) -> Outcome:
        program = tmp_path / "runner.py"
        program.write_text(RUNNER)
        language = Language("lying", (), program, lambda: (sys.executable, str(program), answer))
        with RunnerProcess(language, tmp_path / "log") as runner:
            return driver.play(scenario, runner)

    return play


def test_another_hash_is_wrong(play: Play) -> None:
    outcome = play(READ, '{"result": {"bytes": 1, "sha256": "00"}}')

    assert any("result.sha256" in line for line in outcome.wrong)


def test_an_error_where_there_must_be_none_is_wrong(play: Play) -> None:
    outcome = play(READ, '{"result": {}, "error": {"kind": "Unavailable"}}')

    assert any("has an error" in line for line in outcome.wrong)


def test_streams_that_were_never_opened_are_missed(play: Play) -> None:
    scenario = replace(READ, expect={"result": {}}, openings=[[0, None, ""]])

    assert any("0 streams were opened" in line for line in play(scenario, '{"result": {}}').wrong)


def test_a_stream_too_many_is_wrong(play: Play) -> None:
    scenario = replace(READ, expect={"result": {}}, openings=1)

    outcome = play(scenario, '{"result": {} if [each.cancel() for each in open_streams(request, 2)[1]] else {}}')

    assert any("2 streams were opened" in line for line in outcome.wrong)


def test_a_stream_that_stays_open_is_seen_in_the_services_own_count(play: Play) -> None:
    large = replace(
        READ,
        request={"operation": "read", "arguments": {"recording_sid": "$sid:large"}},
        expect={"result": {}},
        openings=None,
        idle_within=0.5,
    )
    outcome = play(large, '{"result": {}} if (kept := globals().setdefault("kept", open_streams(request, 1))) else {}')

    assert any("still has 1 streams" in line for line in outcome.wrong)


@pytest.mark.parametrize(
    ("answer", "said"),
    [("time.sleep(60) or {}", "no answer within"), ("sys.exit(1)", "it has ended"), ('{"id": 99}', "another request")],
)
def test_a_runner_that_does_not_answer_has_failed(play: Play, answer: str, said: str) -> None:
    outcome = play(replace(READ, within=1.5), answer)

    assert any(said in line for line in outcome.wrong)


def test_what_is_not_named_is_not_compared() -> None:
    assert differences({"result": {"bytes": 3}}, {"result": {"bytes": 3, "sha256": "00"}}) == []


def test_one_of_several_values_will_do() -> None:
    expected = {"result": {"state": {"one_of": ["QUEUED", "READY"]}}}

    assert differences(expected, {"result": {"state": "READY"}}) == []
    assert differences(expected, {"result": {"state": "FAILED"}})


def test_the_matrix_in_the_readme_has_every_scenario_and_no_failure() -> None:
    page = README.read_text(encoding="utf-8")

    missing = [each.name for each in scenarios() if f"| {each.name} | ✓ | ✓ | ✓ | ✓ | ✓ |" not in page]
    assert missing == [], json.dumps(missing)
