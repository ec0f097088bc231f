"""Two accounts' webhooks against `serve`: each is believed with its own token alone, and what is told twice, late or in
the wrong order changes no row. And nothing that a webhook or a caller says of a URL is ever connected to.
"""

import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import grpc
import pytest
from click.testing import CliRunner

from recording_service.cli import main
from recording_service.twilio_stand_in import Recording
from recording_service.twilio_stand_in.answers import redirect
from recording_service.twilio_stand_in.documents import resource_path
from recording_service.twilio_stand_in.server import TwilioStandIn
from recording_service.twilio_stand_in.signature import signature
from recording_service.twilio_stand_in.webhooks import WebhookAnswer
from recordings.v1 import deletion_pb2, recording_pb2
from tests.support.running_service import CALL_SECONDS, RunningService, error_reason, running_service
from tests.support.waiting import eventually

ONE, OTHER = "AC" + "1" * 32, "AC" + "2" * 32
OLD_TOKEN, TOKEN, OTHER_TOKEN = "the-old-token-of-one", "the-token-of-one", "the-token-of-the-other"
READY, FAILED = recording_pb2.RECORDING_STATE_READY, recording_pb2.RECORDING_STATE_FAILED
#: What is still done with a recording that is READY.
UNDER_WAY = (recording_pb2.PROCESSING_STATE_PENDING, recording_pb2.PROCESSING_STATE_RUNNING)


class Two(NamedTuple):
    """The service, the Twilio of both accounts, and somebody who must never be asked for anything."""

    service: RunningService
    twilio: TwilioStandIn
    stranger: TwilioStandIn

    @property
    def url(self) -> str:
        return f"{self.service.http_url}/webhooks/twilio/recording-status"

    def send(self, recording: Recording, status: str = "completed", **options: Any) -> WebhookAnswer:
        """A webhook of the recording's account."""
        return self.twilio.send_webhook(self.url, recording.recording_sid, status, **options)

    def row(self, recording: Recording) -> recording_pb2.Recording | None:
        """The recording as the service has it; `None` if it has none, or not any more."""
        try:
            return self.service.get(recording.recording_sid, recording.account_sid or ONE)
        except grpc.RpcError as error:
            if error_reason(error) != (grpc.StatusCode.NOT_FOUND, "RECORDING_NOT_FOUND"):
                raise
            return None

    def settled(self, recording: Recording, state: int) -> recording_pb2.Recording:
        """The row once it is in that state, and nothing more is done with it."""

        def look() -> recording_pb2.Recording | None:
            row = self.row(recording)
            return row if row is not None and row.state == state and row.processing_state not in UNDER_WAY else None

        return eventually(look, within=60.0) or recording_pb2.Recording()

    def asked_for(self, recording: Recording) -> int:
        """How often Twilio was asked for it."""
        return sum(1 for request in self.twilio.requests if request.recording_sid == recording.recording_sid)


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Two]:
    folder = tmp_path_factory.mktemp("two")
    with (
        TwilioStandIn(account_sid=ONE, auth_token=TOKEN) as twilio,
        TwilioStandIn(account_sid=ONE, auth_token=TOKEN, invent_recordings=True) as stranger,
    ):
        twilio.add_account(OTHER, OTHER_TOKEN)
        accounts = folder / "accounts.toml"
        accounts.write_text(
            # The new token first: it is what recordings are fetched with.
            f'[{ONE}]\nauth_tokens = ["{TOKEN}", "{OLD_TOKEN}"]\napi_url = "{twilio.url}"\n'
            f'[{OTHER}]\nauth_tokens = ["{OTHER_TOKEN}"]\napi_url = "{twilio.url}"\n'
        )
        variables = {"RECORDING_ACCOUNTS_FILE": str(accounts), "TWILIO_ACCOUNT_SID": "", "TWILIO_AUTH_TOKEN": ""}
        with running_service(folder, twilio, RECORDING_TIME_SCALE="0.1", **variables) as service:
            yield Two(service, twilio, stranger)
            assert "Traceback" not in service.log


def reason(answer: WebhookAnswer) -> tuple[int, str]:
    """The status, and the reason in its body."""
    return answer.status, answer.body.decode().partition('"reason":')[2].partition('"')[2].partition('"')[0]


@pytest.mark.parametrize(
    ("account_sid", "believed"), [(ONE, {TOKEN, OLD_TOKEN}), (OTHER, {OTHER_TOKEN})], ids=["one", "other"]
)
def test_each_account_is_believed_with_its_own_tokens_alone(two: Two, account_sid: str, believed: set[str]) -> None:
    for token in (TOKEN, OLD_TOKEN, OTHER_TOKEN, "", "nobody's"):
        recording = two.twilio.add_recording(account_sid=account_sid, duration=2)
        answer = two.send(recording, auth_token=token)
        if token in believed:
            assert reason(answer) == (200, "ENQUEUED")
            two.settled(recording, READY)
        else:
            assert reason(answer) == (403, "SIGNATURE_INVALID")
            assert two.row(recording) is None
            assert two.asked_for(recording) == 0


def test_a_recording_of_one_account_is_not_enqueued_in_the_name_of_the_other(two: Two) -> None:
    recording = two.twilio.add_recording(account_sid=ONE, duration=2)
    assert two.send(recording, AccountSid=OTHER).status == 403
    assert two.row(recording) is None


def test_whatever_comes_after_completed_changes_nothing(two: Two) -> None:
    recording = two.twilio.add_recording(account_sid=ONE, duration=3)
    assert reason(two.send(recording)) == (200, "ENQUEUED")
    ready = two.settled(recording, READY)
    for status, answered in (
        ("in-progress", "IGNORED"),
        ("absent", "REPORTED"),
        ("failed", "REPORTED"),
        ("a-status-of-the-future", "IGNORED"),
        ("completed", "CACHED"),
    ):
        assert reason(two.send(recording, status)) == (200, answered)
        assert two.row(recording) == ready
    assert two.asked_for(recording) == 1


def test_a_webhook_replayed_fifty_times_at_once_is_one_recording(two: Two) -> None:
    recording = two.twilio.add_recording(account_sid=OTHER, duration=3)
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda _: reason(two.send(recording)), range(50)))
    assert answers.count((200, "ENQUEUED")) == 1
    assert set(answers) <= {(200, "ENQUEUED"), (200, "DUPLICATE"), (200, "CACHED")}
    ready = two.settled(recording, READY)
    assert reason(two.send(recording)) == (200, "CACHED")
    assert two.row(recording) == ready
    assert two.asked_for(recording) == 1


def test_in_progress_after_completed_and_before_it_is_done_changes_nothing(two: Two) -> None:
    recording = two.twilio.add_recording(account_sid=ONE, duration=3)
    gate = two.twilio.hold(recording.recording_sid, after=100)
    assert reason(two.send(recording)) == (200, "ENQUEUED")
    gate.wait_reached()
    for status in ("in-progress", "processing", "stopped"):
        assert reason(two.send(recording, status)) == (200, "IGNORED")
    gate.release()
    assert two.settled(recording, READY).attempt == 1


def test_a_recording_that_twilio_does_not_have_stays_so_whatever_is_repeated(two: Two) -> None:
    recording = two.twilio.add_recording(account_sid=ONE, status="absent")
    assert reason(two.send(recording, "in-progress")) == (200, "IGNORED")
    assert two.row(recording) is None
    assert reason(two.send(recording, "absent")) == (200, "REPORTED")
    failed = two.settled(recording, FAILED)
    for status in ("in-progress", "absent", "absent"):
        assert two.send(recording, status).status == 200
        assert two.row(recording) == failed
    assert two.asked_for(recording) == 0


def test_two_recordings_of_one_call_are_two_rows(two: Two) -> None:
    call_sid = "CA" + uuid.uuid4().hex
    both = [two.twilio.add_recording(account_sid=ONE, duration=2, call_sid=call_sid) for _ in range(2)]
    for recording in both:
        assert reason(two.send(recording)) == (200, "ENQUEUED")
    rows = [two.settled(recording, READY) for recording in both]
    assert [row.recording_sid for row in rows] == [recording.recording_sid for recording in both]
    assert {row.call_sid for row in rows} == {call_sid}


@pytest.mark.parametrize("status", ["completed", "absent", "in-progress"])
def test_a_webhook_for_a_deleted_recording_is_200_and_revives_nothing(two: Two, status: str) -> None:
    recording = two.twilio.add_recording(account_sid=ONE, duration=2)
    two.send(recording)
    two.settled(recording, READY)
    two.service.stub.DeleteRecording(
        deletion_pb2.DeleteRecordingRequest(account_sid=ONE, recording_sid=recording.recording_sid),
        timeout=CALL_SECONDS,
    )
    assert two.send(recording, status).status == 200
    assert two.row(recording) is None
    assert two.asked_for(recording) == 1


def test_a_forged_report_fails_nothing_and_a_forged_completion_fetches_nothing(two: Two) -> None:
    recording = two.twilio.add_recording(account_sid=ONE, duration=3)
    gate = two.twilio.hold(recording.recording_sid, after=100)
    two.send(recording)
    gate.wait_reached()
    assert two.send(recording, "absent", auth_token=OTHER_TOKEN).status == 403
    gate.release()
    two.settled(recording, READY)


def test_no_url_that_is_told_is_ever_asked(two: Two) -> None:
    """RecordingUrl, source_url and a redirect name a server that would answer, on the host that is configured."""
    recording = two.twilio.add_recording(account_sid=ONE, duration=2)
    elsewhere = two.stranger.url + resource_path(recording)
    assert two.send(recording, RecordingUrl=elsewhere).status == 200
    two.settled(recording, READY)

    enqueued = two.twilio.add_recording(account_sid=OTHER, duration=2)
    source_url = two.stranger.url + resource_path(enqueued)
    two.service.enqueue(enqueued.recording_sid, account_sid=OTHER, source_url=source_url)
    two.settled(enqueued, READY)

    redirected = two.twilio.add_recording(account_sid=ONE, duration=2)
    two.twilio.behave(redirected.recording_sid, redirect(two.stranger.url + resource_path(redirected)))
    two.send(redirected)
    failure = two.settled(redirected, FAILED)
    assert failure.failure_reason == recording_pb2.FAILURE_REASON_SOURCE_REDIRECT_REFUSED

    assert two.stranger.requests == []
    assert all("authorization" in request.headers for request in two.twilio.requests)
    assert {request.headers["host"] for request in two.twilio.requests} == {two.twilio.url.removeprefix("http://")}


def test_the_log_names_the_command_and_the_command_names_the_cause(two: Two, monkeypatch: pytest.MonkeyPatch) -> None:
    recording = two.twilio.add_recording(account_sid=ONE, duration=2)
    behind_a_proxy = two.url.replace("http://127.0.0.1", "https://recordings.example.com")
    assert two.send(recording, signed_url=behind_a_proxy).status == 403
    assert "`recording-service doctor --webhook` explains it" in two.service.log

    for name, value in two.service.environment.items():
        monkeypatch.setenv(name, value)
    form = {"AccountSid": ONE, "RecordingSid": recording.recording_sid}
    host = behind_a_proxy.removeprefix("https://").partition("/")[0]
    signed = signature(TOKEN, f"https://{host}/webhooks/twilio/recording-status", form)
    body = "&".join(f"{name}={value}" for name, value in form.items())
    explained = CliRunner().invoke(
        main, ["doctor", "--webhook", "--url", behind_a_proxy, "--signature", signed, "--body", body]
    )
    assert explained.exit_code == 1
    assert f"set RECORDING_PUBLIC_URL=https://{host}" in explained.output
