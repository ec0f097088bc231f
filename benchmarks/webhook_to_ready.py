"""From the webhook to READY, on an idle service, against the time that curl takes to fetch the same recording."""

import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import grpc

from benchmarks.prepared_recordings import ACCOUNT_SID
from benchmarks.results import Result, Say, Target, spread
from benchmarks.service_process import AUTH_TOKEN, ServiceProcess, service_process
from recording_service.twilio_stand_in import TwilioStandIn
from recordings.v1 import recording_pb2, recording_service_pb2_grpc, watch_pb2

#: Bytes of the recording: an MP3 of some four minutes.
SIZE_BYTES = 1_000_000
#: Recordings, and those of them that don't count.
ROUNDS, WARM_UP_ROUNDS = 25, 2
#: Between two recordings, so that the service is idle when the next one comes, in seconds.
IDLE_SECONDS = 0.5
#: Longest wait for one recording, in seconds.
PATIENCE_SECONDS = 30.0
TARGET = Target(100, "ms", at_most=True)


@dataclass(frozen=True, slots=True)
class _Timed:
    """One recording, in milliseconds from the sending of its webhook; `fetched` is what curl took."""

    answered: float
    watched: float
    ready: float
    fetched: float


def webhook_to_ready(say: Say) -> Iterator[Result]:
    """serve: ms from a signed webhook to READY of a 1 MB recording, beyond what curl takes to fetch it."""
    with (
        tempfile.TemporaryDirectory(prefix="recording-bench-") as folder,
        TwilioStandIn(account_sid=ACCOUNT_SID, auth_token=AUTH_TOKEN) as twilio,
        service_process("serve", Path(folder), TWILIO_API_URL=twilio.url) as service,
        grpc.insecure_channel(f"127.0.0.1:{service.grpc_port}") as channel,
    ):
        stub = recording_service_pb2_grpc.RecordingServiceStub(channel)
        body = twilio.media(twilio.add_recording(size=SIZE_BYTES).recording_sid)
        timed = [_time_one(twilio, service, stub, body) for _ in range(WARM_UP_ROUNDS + ROUNDS)][WARM_UP_ROUNDS:]
    say(f"  webhook answered after {spread([one.answered for one in timed], 'ms')}")
    say(f"  ready_time of the row  {spread([one.ready for one in timed], 'ms')}")
    say(f"  READY seen by a watch  {spread([one.watched for one in timed], 'ms')}")
    say(f"  curl, time_total       {spread([one.fetched for one in timed], 'ms')}")
    watched, fetched = median(one.watched for one in timed), median(one.fetched for one in timed)
    more = median(one.watched - one.fetched for one in timed)
    yield Result("webhook to READY, 1 MB", f"{watched:.0f} ms, curl {fetched:.1f} ms", more, TARGET)


def _time_one(twilio: TwilioStandIn, service: ServiceProcess, stub: Any, body: bytes) -> _Timed:
    sid = twilio.add_recording(body=body).recording_sid
    time.sleep(IDLE_SECONDS)
    sent, began = time.time(), time.perf_counter()
    answer = twilio.send_webhook(f"{service.http_url}/webhooks/twilio/recording-status", sid)
    answered = time.perf_counter()
    if answer.status != 200:
        raise RuntimeError(f"the webhook was answered {answer.status}: {answer.body!r}")
    request = watch_pb2.WatchRecordingRequest(account_sid=ACCOUNT_SID, recording_sid=sid)
    *_, last = stub.WatchRecording(request, timeout=PATIENCE_SECONDS)
    watched = time.perf_counter()
    if last.recording.state != recording_pb2.RECORDING_STATE_READY or last.recording.size_bytes != len(body):
        raise RuntimeError(f"the recording ended otherwise: {last.recording}")
    ready = last.recording.ready_time.ToNanoseconds() / 1e9
    return _Timed(
        answered=1000 * (answered - began),
        watched=1000 * (watched - began),
        ready=1000 * (ready - sent),
        fetched=1000 * _seconds_of_curl(twilio.media_url(sid, ".mp3")),
    )


def _seconds_of_curl(url: str) -> float:
    command = ["curl", "--silent", "--fail", "--user", f"{ACCOUNT_SID}:{AUTH_TOKEN}", "--output", "/dev/null"]
    said = subprocess.run([*command, "--write-out", "%{time_total}", url], capture_output=True, text=True, check=True)
    return float(said.stdout)
