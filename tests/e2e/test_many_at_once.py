"""Many callers at once (issue: 500 identical enqueues from several processes; 200 watchers and 50 streams)."""

import json
import statistics
import subprocess
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import grpc
import requests

from recordings.v1 import recording_service_pb2_grpc, stream_pb2, watch_pb2
from tests.support.running_service import ACCOUNT_SID, CALL_SECONDS, RunningService
from tests.support.waiting import eventually

#: Run in processes of its own: enqueues one recording from 25 threads at once and prints what each was answered.
ENQUEUE_AT_ONCE = """
import json, sys, threading
from concurrent.futures import ThreadPoolExecutor
import grpc
from recordings.v1 import enqueue_pb2, recording_service_pb2_grpc
address, account_sid, recording_sid, times = sys.argv[1:]
stub = recording_service_pb2_grpc.RecordingServiceStub(grpc.insecure_channel(address))
print("up", flush=True)
sys.stdin.readline()
def enqueue(_):
    request = enqueue_pb2.EnqueueRecordingRequest(account_sid=account_sid, recording_sid=recording_sid)
    try:
        return enqueue_pb2.EnqueueReason.Name(stub.EnqueueRecording(request, timeout=30).reason)
    except grpc.RpcError as error:
        return str(error.code())
with ThreadPoolExecutor(25) as pool:
    print(json.dumps(list(pool.map(enqueue, range(int(times))))))
"""


def test_500_identical_enqueues_at_once_are_one_enqueued_and_fetched_once(service: RunningService) -> None:
    recording_sid = service.twilio.add_recording(duration=5).recording_sid
    command = [sys.executable, "-c", ENQUEUE_AT_ONCE, service.grpc_address, ACCOUNT_SID, recording_sid, "125"]
    callers = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    for caller in callers:
        assert caller.stdout is not None
        assert caller.stdout.readline() == "up\n"

    for caller in callers:
        assert caller.stdin is not None
        caller.stdin.write("go\n")
        caller.stdin.flush()
    answers = Counter(answer for caller in callers for answer in json.loads(caller.communicate(timeout=60)[0]))

    assert answers.pop("ENQUEUE_REASON_ENQUEUED") == 1
    assert answers.keys() <= {"ENQUEUE_REASON_DUPLICATE", "ENQUEUE_REASON_CACHED"}, answers
    assert answers.total() == 499
    service.ready(recording_sid)
    assert len(service.twilio.wait_for_requests(1, recording_sid=recording_sid)) == 1


def test_200_watchers_and_50_streams_leave_unary_calls_fast(service: RunningService) -> None:
    stored = service.twilio.add_recording(size=16 * 1024 * 1024).recording_sid
    service.enqueue(stored)
    service.ready(stored)
    awaited = service.twilio.add_recording(duration=5).recording_sid
    gate = service.twilio.hold(awaited, after=100)
    service.enqueue(awaited)
    gate.wait_reached()
    with grpc.insecure_channel(service.grpc_address) as channel:
        stub = recording_service_pb2_grpc.RecordingServiceStub(channel)
        watch = watch_pb2.WatchRecordingRequest(account_sid=ACCOUNT_SID, recording_sid=awaited)
        watchers = [stub.WatchRecording(watch, timeout=120) for _ in range(200)]
        for watcher in watchers:
            next(watcher)
        stream = stream_pb2.StreamRecordingRequest(account_sid=ACCOUNT_SID, recording_sid=stored)
        streams = [stub.StreamRecording(stream, timeout=120) for _ in range(50)]
        for opened in streams:
            next(opened)  # and no more: the stream stands, as a paused player's does

        seconds = []
        for _ in range(50):
            started = time.monotonic()
            service.get(stored)
            seconds.append(time.monotonic() - started)
        assert statistics.median(seconds) < 0.1, seconds

        gate.release()
        with ThreadPoolExecutor(200) as pool:
            assert len(list(pool.map(lambda watcher: list(watcher)[-1].recording.sha256, watchers))) == 200
        for opened in streams:
            opened.cancel()


def test_a_cancelled_watcher_frees_its_place_at_once(service: RunningService) -> None:
    awaited = service.twilio.add_recording(duration=5).recording_sid
    gate = service.twilio.hold(awaited, after=100)
    service.enqueue(awaited)
    gate.wait_reached()
    request = watch_pb2.WatchRecordingRequest(account_sid=ACCOUNT_SID, recording_sid=awaited)
    for _ in range(3):
        # More in turn than there are places: each round only works if the round before has left.
        watchers = [service.stub.WatchRecording(request, timeout=CALL_SECONDS) for _ in range(120)]
        for watcher in watchers:
            next(watcher)
        for watcher in watchers:
            watcher.cancel()
    gate.release()
    service.ready(awaited)


def test_a_hundred_players_at_once_all_hear_every_byte(service: RunningService) -> None:
    recording_sid = service.twilio.add_recording(duration=60).recording_sid
    service.enqueue(recording_sid)
    service.ready(recording_sid)
    source = service.twilio.media(recording_sid)
    url = f"{service.http_url}/recordings/{recording_sid}/stream"
    begun = threading.Barrier(20)

    def play(player: int) -> bool:
        begun.wait(30)
        first = player * 1000
        answers = [
            requests.get(url, headers={"Range": f"bytes={first}-"}, timeout=CALL_SECONDS).content for _ in range(5)
        ]
        return all(answer == source[first:] for answer in answers)

    with ThreadPoolExecutor(20) as pool:
        assert all(pool.map(play, range(20)))


def test_the_service_is_whole_after_all_that(service: RunningService) -> None:
    assert eventually(lambda: requests.get(f"{service.http_url}/readyz", timeout=5).status_code == 200)
