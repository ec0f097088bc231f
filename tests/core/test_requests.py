from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recording_service.core.errors import InvalidRequest
from recording_service.core.model import (
    CallDetails,
    EncryptionDetails,
    EnqueueRequest,
    Priority,
    RecordingJob,
    RecordingKey,
    UnavailableReason,
    UnavailableReport,
)
from recording_service.core.requests import (
    MAX_CHANNELS,
    MAX_LABEL_KEY_CHARACTERS,
    MAX_LABELS,
    MAX_TEXT_CHARACTERS,
    MAX_URL_CHARACTERS,
    RequestChecker,
    Target,
)
from tests.support.core_world import ACCOUNT, OTHER_ACCOUNT, a_key

KEY = a_key()
RECORDING = KEY.recording_sid
CALL = "CA" + "1" * 32
CONFERENCE = "CF" + "2" * 32
PATH = f"/2010-04-01/Accounts/{ACCOUNT}/Recordings/{RECORDING}"

HEX = st.text("0123456789abcdefABCDEF", min_size=32, max_size=32)


def a_checker(*accounts: str, hosts: tuple[str, ...] = ()) -> RequestChecker:
    return RequestChecker(account_sids=accounts or (ACCOUNT, OTHER_ACCOUNT), source_hosts=hosts)


def enqueue_by(checker: RequestChecker, **fields: Any) -> EnqueueRequest:
    given_fields = {"account_sid": ACCOUNT, "recording_sid": RECORDING, **fields}
    return checker.enqueue(**given_fields)


def enqueue(**fields: Any) -> EnqueueRequest:
    return enqueue_by(a_checker(), **fields)


def violated(**fields: Any) -> list[str]:
    """The fields that are named as wrong."""
    with pytest.raises(InvalidRequest) as refused:
        enqueue(**fields)
    assert all(violation.description for violation in refused.value.violations)
    return [violation.field for violation in refused.value.violations]


def test_two_sids_are_enough() -> None:
    assert enqueue() == EnqueueRequest(KEY, RecordingJob.FULL, Priority.NORMAL, CallDetails(), "")


def test_everything_that_is_given_is_kept() -> None:
    start = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    details: dict[str, Any] = {
        "call_sid": CALL,
        "conference_sid": CONFERENCE,
        "source_url": f"https://api.twilio.com{PATH}",
        "source": "DialVerb",
        "track": "both",
        "direction": "inbound",
        "channels": 2,
        "start_time": start,
        "duration": timedelta(seconds=61),
        "from_number": "+4915112345678",
        "to_number": "sip:alice@example.com",
        "labels": {"tenant": "7", "note": "Ärger, später"},
    }
    request = enqueue(**details, job=RecordingJob.DOWNLOAD_ONLY, priority=Priority.BULK, request_id="request-1")
    assert request == EnqueueRequest(
        KEY, RecordingJob.DOWNLOAD_ONLY, Priority.BULK, CallDetails(**details), "request-1"
    )


@pytest.mark.parametrize(
    ("job", "priority", "expected_job", "expected_priority"),
    [
        (None, None, RecordingJob.FULL, Priority.NORMAL),
        (RecordingJob.FULL, None, RecordingJob.FULL, Priority.NORMAL),
        (RecordingJob.DOWNLOAD_ONLY, None, RecordingJob.DOWNLOAD_ONLY, Priority.PLAYBACK),
        (RecordingJob.FULL, Priority.PLAYBACK, RecordingJob.FULL, Priority.PLAYBACK),
        (RecordingJob.DOWNLOAD_ONLY, Priority.BULK, RecordingJob.DOWNLOAD_ONLY, Priority.BULK),
    ],
)
def test_no_priority_stands_for_the_jobs_own(
    job: RecordingJob | None,
    priority: Priority | None,
    expected_job: RecordingJob,
    expected_priority: Priority,
) -> None:
    request = enqueue(job=job, priority=priority)
    assert (request.job, request.priority) == (expected_job, expected_priority)


def test_the_account_may_be_left_out_where_one_is_configured() -> None:
    checker = a_checker(ACCOUNT)
    assert enqueue_by(checker, account_sid="").key == KEY
    report = checker.report(account_sid="", recording_sid=RECORDING, reason=UnavailableReason.ABSENT)
    assert report.key == KEY


@pytest.mark.parametrize("accounts", [(), (ACCOUNT, OTHER_ACCOUNT)])
def test_the_account_is_missed_where_none_or_several_are_configured(accounts: tuple[str, ...]) -> None:
    checker = RequestChecker(account_sids=accounts, source_hosts=())
    with pytest.raises(InvalidRequest) as refused:
        checker.enqueue(account_sid="", recording_sid=RECORDING)
    assert [violation.field for violation in refused.value.violations] == ["account_sid"]


def test_an_account_that_is_not_configured_is_nobodys_default_and_still_an_account() -> None:
    assert enqueue_by(a_checker(ACCOUNT), account_sid=OTHER_ACCOUNT).key == RecordingKey(OTHER_ACCOUNT, RECORDING)


@given(account=HEX, recording=HEX)
def test_both_cases_of_hex_are_allowed_and_kept(account: str, recording: str) -> None:
    key = RecordingKey(f"AC{account}", f"RE{recording}")
    assert enqueue(account_sid=key.account_sid, recording_sid=key.recording_sid).key == key


@pytest.mark.parametrize("field", ["account_sid", "recording_sid", "call_sid", "conference_sid"])
@pytest.mark.parametrize(
    "sid",
    [
        "x",
        "RE",
        "re" + "0" * 32,
        "RE" + "0" * 31,
        "RE" + "0" * 33,
        "RE" + "g" * 32,
        "SM" + "0" * 32,
        "RE" + "0" * 31 + "\n",
        "RE" + "0" * 32 + "\n",
        " RE" + "0" * 32,
        "RE" + "\u0660" * 32,
        "RE" + "0" * 30 + "..",
        "../" + "0" * 31,
    ],
)
def test_a_malformed_sid_is_named_by_its_field(field: str, sid: str) -> None:
    assert violated(**{field: sid}) == [field]


@pytest.mark.parametrize(
    ("field", "sid"),
    [("account_sid", RECORDING), ("recording_sid", CALL), ("call_sid", RECORDING), ("conference_sid", CALL)],
)
def test_a_sid_of_another_kind_is_told_what_it_is(field: str, sid: str) -> None:
    with pytest.raises(InvalidRequest, match=rf"^{field}: is a (Call|Recording)Sid; give an? \w+Sid"):
        enqueue(**{field: sid})


def test_a_missing_recording_is_named() -> None:
    assert violated(recording_sid="") == ["recording_sid"]


def test_every_wrong_field_is_named_at_once() -> None:
    assert violated(
        account_sid="",
        recording_sid="x",
        call_sid="x",
        conference_sid="x",
        source_url="x",
        source="\0",
        track="\n",
        direction="x" * 300,
        channels=-1,
        duration=timedelta(seconds=-1),
        from_number="\t",
        to_number="\x7f",
        labels={"": ""},
    ) == [
        "account_sid",
        "recording_sid",
        "call_sid",
        "conference_sid",
        "source_url",
        "source",
        "track",
        "direction",
        "from_number",
        "to_number",
        "channels",
        "duration",
        "labels",
    ]


@pytest.mark.parametrize(
    "url",
    [
        f"https://api.twilio.com{PATH}",
        f"https://api.twilio.com{PATH}.json",
        f"https://api.twilio.com{PATH}.mp3",
        f"https://api.twilio.com{PATH}.wav?RequestedChannels=2",
        f"http://api.twilio.com{PATH}.xml",
        f"https://API.Twilio.Com{PATH}",
        f"https://api.dublin.ie1.twilio.com:443{PATH}",
        f"{PATH}.json",
        f"http://127.0.0.1:8099{PATH}",
        f"https://stand-in.example{PATH}",
    ],
)
def test_a_source_url_may_have_any_form_that_twilio_sends_and_is_kept_as_it_came(url: str) -> None:
    checker = a_checker(hosts=("127.0.0.1", "Stand-In.example"))
    assert enqueue_by(checker, source_url=url).call.source_url == url


@pytest.mark.parametrize(
    "url",
    [
        f"https://evil.example{PATH}",
        f"https://twilio.com.evil.example{PATH}",
        f"https://nottwilio.com{PATH}",
        f"https://user:secret@api.twilio.com{PATH}",
        f"https://api.twilio.com@evil.example{PATH}",
        f"ftp://api.twilio.com{PATH}",
        f"file://{PATH}",
        f"//api.twilio.com{PATH}",
        f"https://[::1]{PATH}",
        f"https://api.twilio.com{PATH}/../../x",
        f"https://api.twilio.com/x{PATH}",
        f"https://api.twilio.com{PATH}.mp3.wav",
        f"https://api.twilio.com{PATH}?a b",
        f"https://api.twilio.com{PATH}\n",
        f"https://api.twilio.com{PATH}?{'a' * MAX_URL_CHARACTERS}",
        "https://api.twilio.com/",
        "javascript:alert(1)",
    ],
)
def test_any_other_source_url_is_refused(url: str) -> None:
    assert violated(source_url=url) == ["source_url"]


@pytest.mark.parametrize("other", [a_key(2), a_key(1, OTHER_ACCOUNT)])
def test_a_source_url_of_another_recording_is_refused(other: RecordingKey) -> None:
    path = f"/2010-04-01/Accounts/{other.account_sid}/Recordings/{other.recording_sid}"
    assert violated(source_url=f"https://api.twilio.com{path}") == ["source_url"]


@pytest.mark.parametrize("field", ["source", "track", "direction", "from_number", "to_number"])
@pytest.mark.parametrize("text", ["\0", "a\nb", "\x1b[31m", "\u202e", "x" * (MAX_TEXT_CHARACTERS + 1)])
def test_text_is_printable_and_short(field: str, text: str) -> None:
    assert violated(**{field: text}) == [field]


def test_text_of_the_greatest_length_is_allowed() -> None:
    assert enqueue(source="ü" * MAX_TEXT_CHARACTERS).call.source == "ü" * MAX_TEXT_CHARACTERS


@pytest.mark.parametrize("channels", [-1, MAX_CHANNELS + 1])
def test_channels_are_a_number_that_twilio_could_mean(channels: int) -> None:
    assert violated(channels=channels) == ["channels"]


def test_a_negative_duration_is_refused_and_none_is_unknown() -> None:
    assert violated(duration=timedelta(microseconds=-1)) == ["duration"]
    assert enqueue(duration=timedelta(0)).call.duration == timedelta(0)
    assert enqueue(duration=None).call.duration is None


@pytest.mark.parametrize(
    ("labels", "field"),
    [
        ({f"label{number}": "" for number in range(MAX_LABELS + 1)}, "labels"),
        ({"": "x"}, "labels"),
        ({"k" * (MAX_LABEL_KEY_CHARACTERS + 1): "x"}, "labels"),
        ({"a\nb": "x"}, "labels"),
        ({"key": "x" * (MAX_TEXT_CHARACTERS + 1)}, "labels.key"),
        ({"key": "a\0b"}, "labels.key"),
    ],
)
def test_labels_are_few_short_and_printable(labels: dict[str, str], field: str) -> None:
    assert violated(labels=labels) == [field]


def test_as_many_labels_as_are_allowed_are_kept() -> None:
    labels = {f"{number:0{MAX_LABEL_KEY_CHARACTERS}}": "v" * MAX_TEXT_CHARACTERS for number in range(MAX_LABELS)}
    assert enqueue(labels=labels).call.labels == labels


def test_the_callers_own_mapping_of_labels_is_copied() -> None:
    labels = {"tenant": "7"}
    request = enqueue(labels=labels)
    labels["tenant"] = "8"
    assert request.call.labels == {"tenant": "7"}


def test_a_report_keeps_what_twilio_said() -> None:
    report = a_checker().report(
        account_sid=ACCOUNT,
        recording_sid=RECORDING,
        reason=UnavailableReason.FAILED,
        call_sid=CALL,
        error_code=16105,
        request_id="request-1",
    )
    assert report == UnavailableReport(KEY, UnavailableReason.FAILED, CALL, 16105, "request-1")


def test_a_report_names_every_wrong_field() -> None:
    with pytest.raises(InvalidRequest) as refused:
        a_checker().report(account_sid="", recording_sid="x", reason=None, call_sid="x", error_code=-1)
    fields = [violation.field for violation in refused.value.violations]
    assert fields == ["account_sid", "recording_sid", "call_sid", "error_code", "reason"]


def test_a_target_is_found_by_its_recording_alone() -> None:
    assert a_checker(ACCOUNT).target(account_sid="", recording_sid=RECORDING) == Target("", RECORDING)
    assert a_checker().target(account_sid=ACCOUNT, recording_sid=RECORDING) == Target(*KEY)


def test_a_malformed_target_is_refused() -> None:
    with pytest.raises(InvalidRequest) as refused:
        a_checker().target(account_sid="x", recording_sid="")
    assert [violation.field for violation in refused.value.violations] == ["account_sid", "recording_sid"]


@given(
    account_sid=st.text(max_size=40),
    recording_sid=st.text(max_size=40),
    source_url=st.text(max_size=80),
    labels=st.dictionaries(st.text(max_size=70), st.text(max_size=300), max_size=20),
)
def test_nothing_but_an_invalid_request_comes_of_nonsense(
    account_sid: str, recording_sid: str, source_url: str, labels: dict[str, str]
) -> None:
    with pytest.raises(InvalidRequest):
        a_checker().enqueue(account_sid=account_sid, recording_sid=recording_sid, source_url=source_url, labels=labels)


def test_how_it_is_encrypted_is_kept_as_it_was_given() -> None:
    given_details = EncryptionDetails("CR" + "0a" * 16, "A" * 342 + "==", "B" * 16)
    assert enqueue(encryption_details=given_details).encryption_details == given_details


def test_what_is_wrong_with_the_encryption_is_named_with_everything_else() -> None:
    assert violated(call_sid="x", encryption_details=EncryptionDetails("", "", "")) == [
        "call_sid",
        "encryption_details.public_key_sid",
        "encryption_details.encrypted_cek",
        "encryption_details.iv",
    ]
