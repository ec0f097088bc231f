"""No account has more of its recordings fetched, or processed, at once than it may; and none is forgotten for that."""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from recording_service.twilio_stand_in.server import TwilioStandIn
from recordings.v1 import lookup_pb2, recording_pb2
from tests.support.running_service import ACCOUNT_SID, CALL_SECONDS, RunningService
from tests.support.waiting import eventually

OTHER_ACCOUNT_SID = "AC" + "d" * 32
#: How many recordings of the account wait behind the one that is held.
BEHIND = 12
#: Longest that all of them take once the way is free, in seconds. Bells that nobody rings anew are found missing after
#: five to ten seconds each: with a wait like that for every recording it would be more than a minute.
PROMPTLY = 15.0

Start = Callable[..., AbstractContextManager[RunningService]]


def count(service: RunningService, state: recording_pb2.RecordingState, account_sid: str = ACCOUNT_SID) -> int:
    request = lookup_pb2.ListRecordingsRequest(states=[state], account_sids=[account_sid], page_size=1000)
    return len(service.stub.ListRecordings(request, timeout=CALL_SECONDS).recordings)


def reached(folder: Path, name: str) -> int:
    journal = folder / "reached"
    return journal.read_text().split().count(name) if journal.exists() else 0


def test_one_account_has_one_download_at_a_time_while_others_and_playback_go_on(
    start_service: Start, twilio: TwilioStandIn, tmp_path: Path
) -> None:
    twilio.add_account(OTHER_ACCOUNT_SID, "the-other-token")
    accounts = tmp_path / "accounts.toml"
    accounts.write_text(f'[{OTHER_ACCOUNT_SID}]\nauth_tokens = ["the-other-token"]\napi_url = "{twilio.url}"\n')
    variables = {
        "RECORDING_WORKERS": "3",
        "RECORDING_DOWNLOADS_PER_ACCOUNT": "1",
        "RECORDING_ACCOUNTS_FILE": str(accounts),
        "RECORDING_TIME_SCALE": "1",
    }
    with start_service(**variables) as service:
        held, *behind = (twilio.add_recording(duration=2).recording_sid for _ in range(1 + BEHIND))
        gate = twilio.hold(held, after=10)
        for recording_sid in (held, *behind):
            service.enqueue(recording_sid)
        gate.wait_reached()
        elsewhere = twilio.add_recording(duration=2, account_sid=OTHER_ACCOUNT_SID).recording_sid
        urgent = twilio.add_recording(duration=2).recording_sid

        service.enqueue(elsewhere, account_sid=OTHER_ACCOUNT_SID)
        ready = recording_pb2.RECORDING_STATE_READY
        eventually(lambda: service.get(elsewhere, OTHER_ACCOUNT_SID).state == ready, what="the one of the other")
        service.enqueue(urgent, job=recording_pb2.RECORDING_JOB_DOWNLOAD_ONLY)
        service.ready(urgent)

        # One that is held back, and that somebody waits for now.
        raised = behind[-1]
        service.enqueue(raised, job=recording_pb2.RECORDING_JOB_DOWNLOAD_ONLY)
        service.ready(raised)

        assert count(service, recording_pb2.RECORDING_STATE_DOWNLOADING) == 1
        assert count(service, recording_pb2.RECORDING_STATE_QUEUED) == BEHIND - 1
        assert {request.recording_sid for request in twilio.requests} == {held, elsewhere, urgent, raised}

        gate.release()
        began = time.monotonic()
        for recording_sid in (held, *behind):
            service.ready(recording_sid)
        assert time.monotonic() - began < PROMPTLY


def test_one_account_has_one_recording_processed_at_a_time_and_all_of_them_in_the_end(
    start_service: Start, twilio: TwilioStandIn, tmp_path: Path
) -> None:
    folder = tmp_path / "failpoints"
    variables = {
        "RECORDING_PROCESSING_WORKERS": "3",
        "RECORDING_PROCESSING_PER_ACCOUNT": "1",
        "RECORDING_TIME_SCALE": "1",
        "RECORDING_FAILPOINTS": "processing.after_claim=hold@1",
        "RECORDING_FAILPOINTS_DIR": str(folder),
    }
    with start_service(**variables) as service:
        recording_sids = [twilio.add_recording(duration=2).recording_sid for _ in range(BEHIND)]
        for recording_sid in recording_sids:
            service.enqueue(recording_sid)
        for recording_sid in recording_sids:
            service.ready(recording_sid)
        states = [service.get(recording_sid).processing_state for recording_sid in recording_sids]
        assert states.count(recording_pb2.PROCESSING_STATE_RUNNING) == 1
        assert states.count(recording_pb2.PROCESSING_STATE_PENDING) == BEHIND - 1
        assert reached(folder, "processing.after_claim") == 1

        (folder / "release").touch()
        began = time.monotonic()
        done = recording_pb2.PROCESSING_STATE_DONE
        for recording_sid in recording_sids:
            eventually(lambda: service.get(recording_sid).processing_state == done, what="its processing")  # noqa: B023
        assert time.monotonic() - began < PROMPTLY
        assert reached(folder, "processing.after_claim") == BEHIND
