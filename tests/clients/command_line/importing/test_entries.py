from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from recordings.command_line.importing.csv_rows import Row
from recordings.command_line.importing.entries import Defaults, Entry, Outcome, entry_of
from recordings.command_line.importing.lines import Refused
from recordings.v1.recording_pb2 import Priority

AC = "AC" + "a" * 32
RE = "RE" + "b" * 32
CA = "CA" + "c" * 32
PATH = f"/2010-04-01/Accounts/{AC}/Recordings/{RE}"


def entry(defaults: Defaults | None = None, /, **values: str) -> Entry:
    return entry_of(Row(7, values), defaults or Defaults())


def refusal(**values: str) -> tuple[str, str]:
    refused = entry(**values)
    assert refused.outcome is Outcome.REFUSED
    assert refused.line == 7
    assert refused.request is None
    return refused.field, refused.why


@pytest.mark.parametrize("form", ["", ".json", ".mp3", ".wav", ".xml"])
@pytest.mark.parametrize("query", ["", "?Download=true", "#t=3"])
def test_the_sids_are_taken_from_every_form_of_twilios_url(form: str, query: str) -> None:
    request = entry(source_url=f"https://api.twilio.com{PATH}{form}{query}").request

    assert request is not None
    assert (request.account_sid, request.recording_sid) == (AC, RE)
    assert request.source_url == f"https://api.twilio.com{PATH}{form}"


def test_a_relative_url_of_twilios_is_a_hint_as_well() -> None:
    request = entry(source_url=f"{PATH}.json").request

    assert request is not None
    assert request.source_url == f"{PATH}.json"


@pytest.mark.parametrize(
    "url",
    [
        f"https://files.example.com{PATH}.mp3",
        f"https://files.example.com/{AC}/{RE}.mp3",
        f"https://twilio.com.example.com{PATH}",
        f"https://eviltwilio.com{PATH}",
        f"ftp://api.ie1.twilio.com/old/{AC}/{RE}",
    ],
)
def test_of_other_hosts_only_the_sids_are_taken(url: str) -> None:
    request = entry(source_url=url).request

    assert request is not None
    assert (request.account_sid, request.recording_sid, request.source_url) == (AC, RE, "")


def test_credentials_in_a_url_are_never_sent() -> None:
    request = entry(source_url=f"https://{AC}:secret@api.twilio.com{PATH}?token=secret").request

    assert request is not None
    assert request.recording_sid == RE
    assert "secret" not in str(request)


def test_a_url_without_a_sid_is_refused_unless_a_column_has_it() -> None:
    assert refusal(source_url="https://example.com/x")[0] == "source_url"
    assert refusal(source_url="http://[broken")[0] == "source_url"
    assert refusal(source_url=f"https://example.com/{RE}/RE{'d' * 32}")[0] == "source_url"
    assert entry(source_url="https://example.com/x", recording_sid=RE).request is not None


def test_sids_that_contradict_one_another_are_refused() -> None:
    assert refusal(source_url=PATH, recording_sid="RE" + "e" * 32)[0] == "recording_sid"
    assert refusal(source_url=PATH, account_sid="AC" + "e" * 32)[0] == "account_sid"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("recording_sid", "RE1"),
        ("recording_sid", AC),
        ("account_sid", RE),
        ("call_sid", "call 5"),
        ("conference_sid", CA),
        ("start_time", "yesterday"),
        ("start_time", "2026-13-01T00:00:00Z"),
        ("start_time", "2026-01-01 10:00:00"),
        ("start_time", "9999-12-31T23:59:59-05:00"),
        ("duration", "-5"),
        ("duration", "long"),
        ("duration", "9999999999999"),
        ("channels", "many"),
        ("channels", "1000000"),
        ("from_number", "caf\udce9"),
        ("labels.x", "x" * 200_000),
    ],
)
def test_a_field_that_can_not_be_is_named(field: str, value: str) -> None:
    assert refusal(**{"recording_sid": RE, field: value})[0] in {field, ""}


def test_a_line_that_names_no_recording_is_skipped() -> None:
    skipped = entry(call_sid=CA)

    assert (skipped.outcome, skipped.request) == (Outcome.SKIPPED, None)


def test_a_column_sid_with_a_call_in_it_is_the_calls() -> None:
    assert entry(recording_sid=CA).outcome is Outcome.SKIPPED
    request = entry(recording_sid=CA, source_url=PATH).request
    assert request is not None
    assert (request.call_sid, request.recording_sid) == (CA, RE)


@pytest.mark.parametrize(
    ("text", "seconds"), [("90", 90), ("90s", 90), ("1.5", 1.5), ("1:30", 90), ("01:00:01", 3601), ("0", 0)]
)
def test_durations_are_seconds_or_a_clocks(text: str, seconds: float) -> None:
    request = entry(recording_sid=RE, duration=text).request

    assert request is not None
    assert request.duration.ToTimedelta() == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-01T09:30:00Z",
        "2026-03-01T10:30:00+01:00",
        "Sun, 01 Mar 2026 09:30:00 +0000",
        "2026-03-01 09:30:00+00:00",
        "2026-03-01 10:30:00",
    ],
)
def test_times_are_read_as_databases_and_twilio_write_them(text: str) -> None:
    request = entry(Defaults(zone=ZoneInfo("Europe/Berlin")), recording_sid=RE, start_time=text).request

    assert request is not None
    assert request.start_time.ToDatetime(tzinfo=UTC) == datetime(2026, 3, 1, 9, 30, tzinfo=UTC)


def test_what_a_line_does_not_say_is_as_the_options_say() -> None:
    defaults = Defaults(account_sid=AC, labels={"origin": "log", "agent": "nobody"})
    request = entry(defaults, recording_sid=RE, **{"labels.agent": "ann"}, channels="dual").request

    assert request is not None
    assert (request.account_sid, request.priority, request.channels) == (AC, Priority.PRIORITY_BULK, 2)
    assert dict(request.labels) == {"origin": "log", "agent": "ann"}


def test_a_refused_line_stays_refused_with_its_number() -> None:
    refused = entry_of(Refused(9, "why"), Defaults())

    assert (refused.line, refused.outcome, refused.why) == (9, Outcome.REFUSED, "why")
