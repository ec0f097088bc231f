"""`recording-service demo`: the whole service at work beside a stand-in for Twilio, a line a step.

The service runs as `recording-service serve` in a process of its own, as an operator would run it; only its Redis
belongs to the demo, which stops it to show what is answered then.
"""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import grpc
import requests
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from recording_service.adapters.embedded_redis import EmbeddedRedis
from recording_service.processes.demo_sound import probe_line, waveform_text
from recording_service.transcription_stand_in import TranscriptionStandIn
from recording_service.twilio_stand_in.server import TwilioStandIn
from recording_service.twilio_stand_in.webhooks import WebhookAnswer
from recordings.v1 import (
    enqueue_pb2,
    lookup_pb2,
    recording_pb2,
    recording_service_pb2_grpc,
    results_pb2,
    stream_pb2,
    watch_pb2,
)

ACCOUNT_SID = "AC" + "0" * 31 + "1"
AUTH_TOKEN = "the-demo's-own-token"  # noqa: S105 - of the stand-in, made up here
API_KEY = "sk-the-demos-own-key"
#: How wide the waveform is drawn, in characters.
WAVEFORM_COLUMNS = 60
#: Length of the recording that is shown, in seconds of sound.
RECORDING_SECONDS = 180
#: The demo's clocks run five times as fast, so that a lease of 30 s takes 6.
TIME_SCALE = 0.2
#: Longest wait for anything.
PATIENCE_SECONDS = 30.0
#: Within what a caller hears that Redis is down (issue: 3 s over gRPC, 5 s for a webhook).
REFUSAL_SECONDS, WEBHOOK_REFUSAL_SECONDS = 3.0, 5.0

Say = Callable[[str], None]


class DemoFailed(Exception):
    """Raised when a step was not as it was told."""


def run_demo(*, keep: bool, say: Say) -> int:
    """Runs every step; the exit status. With `keep` the service is left running until Ctrl-C."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with tempfile.TemporaryDirectory(prefix="recording-demo-") as folder, ExitStack() as stack:
        try:
            demo = _Demo(Path(folder), stack, say)
            demo.run()
            if keep:
                demo.wait_for_interrupt()
        except (DemoFailed, TimeoutError, grpc.RpcError, requests.RequestException) as failure:
            say(f"FAILED  {failure}")
            say(f"The end of the service's log:\n{_tail(Path(folder) / 'serve.log')}")
            return 1
        except KeyboardInterrupt:
            say("stopped")
        return 0


class _Demo:
    """The steps, in order, and what they share."""

    def __init__(self, folder: Path, stack: ExitStack, say: Say) -> None:
        self._say = say
        self._step = 0
        self._twilio = stack.enter_context(TwilioStandIn(account_sid=ACCOUNT_SID, auth_token=AUTH_TOKEN))
        self._scribe = stack.enter_context(TranscriptionStandIn(api_key=API_KEY))
        self._redis = EmbeddedRedis(folder / "redis")
        self._redis.start()
        stack.callback(self._redis.stop)
        self._grpc_address = f"127.0.0.1:{_free_port()}"
        self._http_url = f"http://127.0.0.1:{_free_port()}"
        started = time.monotonic()
        self._serve = stack.enter_context(self._serving(folder))
        channel = stack.enter_context(grpc.insecure_channel(self._grpc_address))
        self._stub = recording_service_pb2_grpc.RecordingServiceStub(channel)
        self._wait_until_up()
        took = time.monotonic() - started
        self._tell(f"the service is up after {took:.1f} s: gRPC, HTTP, dispatcher, three workers, Redis")

    def run(self) -> None:
        """Every step; raises DemoFailed at the first that is not as told."""
        recording_sid = self._twilio.add_recording(duration=RECORDING_SECONDS).recording_sid
        self._webhook_is_enqueued(recording_sid)
        self._watch_to_ready(recording_sid)
        self._stream_a_range(recording_sid)
        self._play_the_first_bytes(recording_sid)
        self._hear_what_is_in_it(recording_sid)
        self._again_is_cached(recording_sid)
        self._in_flight_is_duplicate_and_a_killed_worker_loses_nothing()
        self._without_redis_nothing_is_claimed_and_nothing_is_lost()
        self._say("Every step was as told.")

    def wait_for_interrupt(self) -> None:
        """Leaves the service running, with its addresses printed."""
        self._say(f"\nStill running until Ctrl-C:\n  gRPC    {self._grpc_address}\n  HTTP    {self._http_url}")
        self._say(f"  Twilio  {self._twilio.url} (the stand-in, account {ACCOUNT_SID})")
        self._say(f"  console {self._http_url}/")
        for recording in self._stub.ListRecordings(lookup_pb2.ListRecordingsRequest(), timeout=5.0).recordings:
            self._say(f"  play    {self._http_url}/recordings/{recording.recording_sid}/stream")
        self._serve.wait()

    def _webhook_is_enqueued(self, recording_sid: str) -> None:
        answer = self._webhook(recording_sid)
        self._expect(answer.status == 200 and b"ENQUEUED" in answer.body, f"the webhook was answered {answer.status}")
        self._tell(f"webhook `completed` for {recording_sid}: 200 {answer.body.decode()}")

    def _watch_to_ready(self, recording_sid: str) -> None:
        started = time.monotonic()
        states = [_state_name(recording) for recording in self._watch(recording_sid)]
        self._expect(states[-1:] == ["READY"], f"the watch saw {states}")
        self._tell(f"WatchRecording: {' → '.join(states)} ({time.monotonic() - started:.2f} s)")

    def _stream_a_range(self, recording_sid: str) -> None:
        request = stream_pb2.StreamRecordingRequest(recording_sid=recording_sid, offset=1000, length=5000)
        chunks = list(self._stub.StreamRecording(request, timeout=PATIENCE_SECONDS))
        data = b"".join(chunk.data for chunk in chunks)
        self._expect(data == self._twilio.media(recording_sid)[1000:6000], "the streamed bytes are not the source's")
        total = chunks[0].content_range.complete_length
        self._tell(f"StreamRecording offset=1000 length=5000: {len(data)} of {total} bytes, equal to the source")

    def _play_the_first_bytes(self, recording_sid: str) -> None:
        url = f"{self._http_url}/recordings/{recording_sid}/stream"
        answer = requests.get(url, headers={"Range": "bytes=0-1"}, timeout=PATIENCE_SECONDS)
        right = answer.status_code == 206 and answer.content == self._twilio.media(recording_sid)[:2]
        self._expect(right, f"bytes=0-1 was answered {answer.status_code}")
        self._tell(f"GET …/stream with Range: bytes=0-1: 206, Content-Range: {answer.headers['Content-Range']}")

    def _hear_what_is_in_it(self, recording_sid: str) -> None:
        *_, recording = self._watch(recording_sid, watch_pb2.WATCH_UNTIL_PROCESSED)
        done = recording.processing_state == recording_pb2.PROCESSING_STATE_DONE
        self._expect(done, f"its processing ended otherwise: {recording.processing_steps}")
        self._tell(f"probe: {probe_line(recording)}")
        asked = results_pb2.GetWaveformRequest(recording_sid=recording_sid)
        waveform = self._stub.GetWaveform(asked, timeout=PATIENCE_SECONDS)
        drawn = waveform_text(waveform, WAVEFORM_COLUMNS)
        self._expect(bool(drawn.strip()), "the waveform is flat")
        self._tell(f"waveform ({waveform.length} pixels): {drawn}")
        answer = requests.get(f"{self._http_url}/recordings/{recording_sid}/transcript.txt", timeout=PATIENCE_SECONDS)
        lines = answer.text.splitlines()
        self._expect(answer.ok and bool(lines), f"the transcript was answered {answer.status_code}")
        self._tell(f"transcript ({len(lines)} lines, of a stand-in that understands nothing): {lines[0]}")

    def _again_is_cached(self, recording_sid: str) -> None:
        reason = self._enqueue(recording_sid).reason
        self._expect(reason == enqueue_pb2.ENQUEUE_REASON_CACHED, "enqueueing again was not answered CACHED")
        self._tell("EnqueueRecording again: CACHED")

    def _in_flight_is_duplicate_and_a_killed_worker_loses_nothing(self) -> None:
        recording_sid = self._twilio.add_recording(duration=RECORDING_SECONDS).recording_sid
        gate = self._twilio.hold(recording_sid, after=100_000)
        self._enqueue(recording_sid)
        gate.wait_reached(timeout=PATIENCE_SECONDS)
        reason = self._enqueue(recording_sid).reason
        self._expect(reason == enqueue_pb2.ENQUEUE_REASON_DUPLICATE, "a recording in flight was not answered DUPLICATE")
        self._tell("a second recording is half downloaded; EnqueueRecording again: DUPLICATE")
        killed = _workers_of(self._serve.pid)
        for pid in killed:
            os.kill(pid, signal.SIGKILL)
        gate.release()
        started = time.monotonic()
        self._ready(recording_sid)
        took = time.monotonic() - started
        self._tell(f"kill -9 of {len(killed)} workers in mid download: READY all the same after {took:.1f} s")

    def _without_redis_nothing_is_claimed_and_nothing_is_lost(self) -> None:
        over_grpc = self._twilio.add_recording(duration=20).recording_sid
        over_http = self._twilio.add_recording(duration=20).recording_sid
        self._stop_redis()
        started = time.monotonic()
        said = self._refusal(over_grpc)
        took = time.monotonic() - started
        self._expect(took < REFUSAL_SECONDS, f"the refusal took {took:.1f} s")
        self._tell(f"Redis is stopped; EnqueueRecording: {said} after {took:.2f} s")
        started = time.monotonic()
        answer = self._webhook(over_http)
        took = time.monotonic() - started
        refused = answer.status == 500 and took < WEBHOOK_REFUSAL_SECONDS
        self._expect(refused, f"the webhook was answered {answer.status}")
        self._tell(f"Redis is stopped; the webhook: HTTP {answer.status} after {took:.2f} s")
        self._redis.start()
        started = time.monotonic()
        for recording_sid in (over_grpc, over_http):
            self._ready(recording_sid)
        took = time.monotonic() - started
        self._tell(f"Redis is back; both recordings that were refused are READY after {took:.1f} s")

    def _stop_redis(self) -> None:
        pid = self._redis.process_id
        if pid is not None:
            os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while self._redis.alive():
            self._expect(time.monotonic() < deadline, "Redis does not stop")
            time.sleep(0.01)

    def _refusal(self, recording_sid: str) -> str:
        """Enqueues what must be refused; what the caller is told."""
        try:
            answer = self._enqueue(recording_sid)
        except grpc.RpcError as error:
            status = rpc_status.from_call(error)  # type: ignore[arg-type]  # what a call raises is a Call as well
            info, response = error_details_pb2.ErrorInfo(), enqueue_pb2.EnqueueRecordingResponse()
            for detail in status.details if status is not None else ():
                detail.Unpack(info)
                detail.Unpack(response)
            right = response.reason == enqueue_pb2.ENQUEUE_REASON_ERROR
            self._expect(right, f"the status {error.code().name} says nothing of ERROR")
            return f"{error.code().name} / {info.reason}, ENQUEUE_REASON_ERROR"
        reason = enqueue_pb2.EnqueueReason.Name(answer.reason)
        raise DemoFailed(f"without Redis an enqueue was answered OK, {reason}")

    def _enqueue(self, recording_sid: str) -> enqueue_pb2.EnqueueRecordingResponse:
        request = enqueue_pb2.EnqueueRecordingRequest(
            recording_sid=recording_sid, job=recording_pb2.RECORDING_JOB_DOWNLOAD_ONLY
        )
        return self._stub.EnqueueRecording(request, timeout=PATIENCE_SECONDS)

    def _webhook(self, recording_sid: str) -> WebhookAnswer:
        return self._twilio.send_webhook(f"{self._http_url}/webhooks/twilio/recording-status", recording_sid)

    def _watch(
        self, recording_sid: str, until: watch_pb2.WatchUntil = watch_pb2.WATCH_UNTIL_READY
    ) -> Iterator[recording_pb2.Recording]:
        request = watch_pb2.WatchRecordingRequest(recording_sid=recording_sid, until=until)
        for look in self._stub.WatchRecording(request, timeout=PATIENCE_SECONDS):
            yield look.recording

    def _ready(self, recording_sid: str) -> None:
        try:
            states = [recording.state for recording in self._watch(recording_sid)]
        except grpc.RpcError as error:
            raise DemoFailed(f"{recording_sid} is not READY: {error}") from error
        self._expect(states[-1] == recording_pb2.RECORDING_STATE_READY, f"{recording_sid} ended otherwise")

    @contextmanager
    def _serving(self, folder: Path) -> Iterator["subprocess.Popen[bytes]"]:
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("RECORDING_", "TWILIO_"))},
            "RECORDING_DATA_DIR": str(folder / "data"),
            "RECORDING_GRPC_ADDRESS": self._grpc_address,
            "RECORDING_HTTP_ADDRESS": self._http_url.removeprefix("http://"),
            "RECORDING_REDIS_URL": self._redis.url,
            "RECORDING_TIME_SCALE": str(TIME_SCALE),
            "RECORDING_TRANSCRIPTION_URL": self._scribe.url,
            "RECORDING_TRANSCRIPTION_API_KEY": API_KEY,
            "TWILIO_ACCOUNT_SID": ACCOUNT_SID,
            "TWILIO_AUTH_TOKEN": AUTH_TOKEN,
            "TWILIO_API_URL": self._twilio.url,
        }
        command = [sys.executable, "-m", "recording_service", "serve"]
        with (folder / "serve.log").open("wb") as log:
            process = subprocess.Popen(command, env=environment, stderr=log, stdout=log)  # noqa: S603 - our own
            try:
                yield process
            finally:
                process.terminate()
                try:
                    process.wait(30.0)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()

    def _wait_until_up(self) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        try:
            # Not grpc.channel_ready_future: its thread goes on looking, and fails when the channel is closed.
            first = lookup_pb2.ListRecordingsRequest(page_size=1)
            self._stub.ListRecordings(first, timeout=PATIENCE_SECONDS, wait_for_ready=True)
            while not _answers(f"{self._http_url}/healthz"):
                self._expect(time.monotonic() < deadline and self._serve.poll() is None, "HTTP does not answer")
        except grpc.RpcError as error:
            raise DemoFailed("the service did not come up") from error

    def _expect(self, as_told: bool, otherwise: str) -> None:
        if not as_told:
            raise DemoFailed(otherwise)

    def _tell(self, line: str) -> None:
        self._step += 1
        self._say(f"{self._step:2}  {line}")


def _state_name(recording: recording_pb2.Recording) -> str:
    return recording_pb2.RecordingState.Name(recording.state).removeprefix("RECORDING_STATE_")


def _free_port() -> int:
    """A port that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=1.0).ok
    except requests.ConnectionError:
        time.sleep(0.05)
        return False


def _workers_of(pid: int) -> list[int]:
    """The worker processes of a `serve`, by the names it gives to its parts."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    return [int(child) for child in children if Path(f"/proc/{child}/comm").read_text().startswith("worker-")]


def _tail(path: Path) -> str:
    return "\n".join(path.read_text(errors="replace").splitlines()[-15:])
