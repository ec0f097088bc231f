"""The commands that are for people: doctor, demo, help."""

import re
from contextlib import closing
from pathlib import Path

import pytest

from recording_service.adapters.sql_catalogue import SqlCatalogue
from recording_service.twilio_stand_in.server import TwilioStandIn
from tests.support.commands import run, sound_variables
from tests.support.event_receiver import SECRET, EventReceiverServer
from tests.support.events import add_events, forget_oldest
from tests.support.running_service import AUTH_TOKEN


def test_the_doctor_finds_nothing_where_all_is_well(tmp_path: Path, twilio: TwilioStandIn) -> None:
    examined = run("doctor", variables=sound_variables(tmp_path, twilio))

    assert examined.returncode == 0, examined.stdout
    assert "FAIL" not in examined.stdout
    assert re.search(r"free space +\d+ MiB to be written, of which 256 MiB are kept in reserve", examined.stdout)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"TWILIO_AUTH_TOKEN": "not it"}, "refuses its credentials"),
        ({"TWILIO_ACCOUNT_SID": "AC12"}, "TWILIO_ACCOUNT_SID"),
        ({"RECORDING_WORKERS": "many"}, "RECORDING_WORKERS"),
        ({"RECORDING_REDIS_URL": "redis://127.0.0.1:1"}, "RECORDING_REDIS_URL"),
        ({"RECORDING_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/x"}, "RECORDING_DATABASE_URL"),
        ({"RECORDING_STORAGE_URL": "/proc/nowhere"}, "RECORDING_STORAGE_URL"),
        ({"RECORDING_HTTP_ADDRESS": "192.0.2.1:80"}, "RECORDING_HTTP_ADDRESS"),
        ({"RECORDING_MIN_FREE_BYTES": str(2**62)}, "there is no room"),
        ({"RECORDING_MIN_FREE_BYTES": str(2**62)}, "RECORDING_MIN_FREE_BYTES"),
        ({"TWILIO_API_URL": "http://api.twilio.com"}, "TWILIO_API_URL"),
        ({"RECORDING_ALLOW_UNSIGNED_WEBHOOKS": "1"}, "RECORDING_ALLOW_UNSIGNED_WEBHOOKS"),
        ({"RECORDING_FAILPOINTS": "*=trace"}, "RECORDING_FAILPOINTS"),
        ({"RECORDING_EVENTS_URL": "http://127.0.0.1:1/x", "RECORDING_EVENTS_SECRET": SECRET}, "127.0.0.1:1 can't be"),
        ({"RECORDING_EVENTS_URL": "https://example.com/x"}, "RECORDING_EVENTS_SECRET"),
    ],
)
def test_the_doctor_says_what_is_wrong_and_how_to_mend_it(
    tmp_path: Path, twilio: TwilioStandIn, wrong: dict[str, str], said: str
) -> None:
    examined = run("doctor", variables={**sound_variables(tmp_path, twilio), **wrong})

    assert examined.returncode == 1
    assert any(line.startswith("FAIL") and said in line for line in examined.stdout.splitlines()), examined.stdout
    assert "Traceback" not in examined.stderr
    assert AUTH_TOKEN not in examined.stdout + examined.stderr


def test_the_doctor_tells_whether_the_receiver_of_events_can_be_reached(tmp_path: Path, twilio: TwilioStandIn) -> None:
    with EventReceiverServer() as receiver:
        told = {"RECORDING_EVENTS_URL": receiver.url, "RECORDING_EVENTS_SECRET": SECRET}
        examined = run("doctor", variables={**sound_variables(tmp_path, twilio), **told})

    assert examined.returncode == 0, examined.stdout
    assert re.search(r"events +127\.0\.0\.1:\d+ can be reached", examined.stdout)
    assert "0 wait for their next attempt, 0 were given up" in examined.stdout
    assert receiver.callbacks == []
    assert receiver.refused == []


def test_the_doctor_counts_the_events_that_were_forgotten_undelivered(tmp_path: Path, twilio: TwilioStandIn) -> None:
    data_dir = tmp_path / "data"
    data_dir.mkdir(mode=0o700)
    with closing(SqlCatalogue.open(f"sqlite:///{data_dir}/catalogue.sqlite3")) as catalogue:
        catalogue.begin_deliveries()
        add_events(catalogue, 2)
        catalogue.number_events()
        forget_oldest(catalogue, 2)
    with EventReceiverServer() as receiver:
        told = {"RECORDING_EVENTS_URL": receiver.url, "RECORDING_EVENTS_SECRET": SECRET}
        examined = run("doctor", variables={**sound_variables(tmp_path, twilio), **told})

    assert "2 were forgotten before they were delivered (RECORDING_EVENTS_RETENTION_DAYS)" in examined.stdout


def test_the_demo_shows_every_step_as_told() -> None:
    shown = run("demo", timeout=110.0)

    assert shown.returncode == 0, shown.stdout + shown.stderr
    assert shown.stdout.splitlines()[-1] == "Every step was as told."


@pytest.mark.parametrize(
    "command",
    [
        "serve",
        "grpc",
        "http",
        "worker",
        "dispatch",
        "events",
        "doctor",
        "backup",
        "restored",
        "demo",
        "twilio-stand-in",
    ],
)
def test_every_command_has_help_with_an_example(command: str) -> None:
    helped = run(command, "--help")

    assert helped.returncode == 0
    assert "Example" in helped.stdout
