"""What pages live by, in whole processes: lists that follow what changes, and a status that waits for it."""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import requests

from recording_service.twilio_stand_in.server import TwilioStandIn
from recordings.v1 import deletion_pb2, recording_pb2, watch_pb2
from tests.support.running_service import ACCOUNT_SID, CALL_SECONDS, RunningService
from tests.support.waiting import eventually

DOWNLOADING = recording_pb2.RECORDING_STATE_DOWNLOADING
READY, DELETED = recording_pb2.RECORDING_STATE_READY, recording_pb2.RECORDING_STATE_DELETED


def test_a_list_and_a_page_follow_a_recording_from_its_enqueue_to_its_deletion(
    service: RunningService, shared_twilio: TwilioStandIn
) -> None:
    recording_sid = shared_twilio.add_recording(duration=30).recording_sid
    gate = shared_twilio.hold(recording_sid, after=1000)
    asked = watch_pb2.WatchRecordingsRequest(account_sids=[ACCOUNT_SID], snapshot_size=1)
    watch = service.stub.WatchRecordings(asked, timeout=2 * CALL_SECONDS)
    while not next(watch).snapshot_complete:
        pass
    looks: list[Any] = []
    pages: list[dict[str, Any]] = []

    def seen(state: int) -> None:
        """Reads on until the recording is so in the list."""
        while not looks or looks[-1].recording.state != state:
            look = next(watch)
            if look.recording.recording_sid == recording_sid:
                looks.append(look)

    def follow() -> None:
        url = f"{service.http_url}/recordings/{recording_sid}/status"
        pages.append(requests.get(url, timeout=CALL_SECONDS).json())
        while not pages[-1]["playable"]:
            query = {"wait": "30", "revision": str(pages[-1]["revision"])}
            pages.append(requests.get(url, query, timeout=2 * CALL_SECONDS).json())

    with ThreadPoolExecutor(1) as pool:
        service.enqueue(recording_sid)
        following = pool.submit(follow)
        gate.wait_reached()
        seen(DOWNLOADING)
        eventually(lambda: pages and pages[-1]["state"] == "DOWNLOADING")
        gate.release()
        released = time.monotonic()
        seen(READY)
        following.result(CALL_SECONDS)
    assert time.monotonic() - released < CALL_SECONDS / 2
    assert pages[-1]["progress"]["size_bytes"] == len(shared_twilio.media(recording_sid))

    request = deletion_pb2.DeleteRecordingRequest(account_sid=ACCOUNT_SID, recording_sid=recording_sid)
    service.stub.DeleteRecording(request, timeout=CALL_SECONDS)
    seen(DELETED)
    watch.cancel()
    assert [look.matches for look in looks] == [look.recording.state != DELETED for look in looks]
    for revisions in ([look.recording.revision for look in looks], [page["revision"] for page in pages]):
        assert revisions == sorted(revisions)
    url = f"{service.http_url}/recordings/{recording_sid}/status"
    assert requests.get(url, {"wait": "30"}, timeout=CALL_SECONDS).status_code == 404
