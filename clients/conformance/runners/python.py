"""The runner of `recordings`: a JSON request a line in, an answer a line out (../README.md)."""

import hashlib
import io
import json
import sys
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any, Final
from urllib.parse import urlsplit

import grpc

from recordings import RecordingsClient
from recordings.errors import InvalidOption, RecordingsError
from recordings.v1.enqueue_pb2 import EnqueueReason, EnqueueRecordingRequest, UnavailableReason
from recordings.v1.recording_pb2 import Recording, RecordingJob, RecordingState
from recordings.v1.recording_service_pb2_grpc import RecordingServiceStub
from recordings.v1.stream_pb2 import StreamRecordingRequest

Arguments = dict[str, Any]
Result = dict[str, Any]

#: Of the buffer that is read into when it is measured.
_MEASURED_BYTES: Final = 1024 * 1024
#: How many readers read at the same time in `read_ranges_at`.
_READERS: Final = 4


class _Cut(Exception):
    """Raised when a read has failed: what came before it, and why."""

    def __init__(self, result: Result, cause: Exception) -> None:
        super().__init__(str(cause))
        self.result = result
        self.cause = cause


def _enqueue(client: RecordingsClient, arguments: Arguments) -> Result:
    if "job" in arguments:
        arguments["job"] = RecordingJob.Value(f"RECORDING_JOB_{arguments['job']}")
    return {"reason": _reason((client.enqueue(**arguments)).reason)}


def _batch_enqueue(client: RecordingsClient, arguments: Arguments) -> Result:
    account_sid = arguments.get("account_sid", "")
    requests = [
        EnqueueRecordingRequest(recording_sid=each, account_sid=account_sid) for each in arguments["recording_sids"]
    ]
    results = client.batch_enqueue(requests)
    return {
        "results": [
            {"reason": _reason(each.reason), "error_reason": each.error.reason, "field": each.error.field}
            for each in results
        ]
    }


def _report_unavailable(client: RecordingsClient, arguments: Arguments) -> Result:
    arguments["reason"] = UnavailableReason.Value(f"UNAVAILABLE_REASON_{arguments['reason']}")
    return {"state": _state(client.report_unavailable(**arguments))}


def _get(client: RecordingsClient, arguments: Arguments) -> Result:
    return _state_and_size(client.get(**arguments))


def _list(client: RecordingsClient, arguments: Arguments) -> Result:
    found = client.list(call_sids=[arguments["call_sid"]], page_size=arguments["page_size"])
    return {"recording_sids": [recording.recording_sid for recording in found]}


def _watch(client: RecordingsClient, arguments: Arguments) -> Result:
    states: list[str] = []
    with client.watch(**arguments) as watch:
        for recording in watch:
            if states[-1:] != [_state(recording)]:
                states.append(_state(recording))
    return {"states": states}


def _wait_until_ready(client: RecordingsClient, arguments: Arguments) -> Result:
    timeout = arguments.pop("timeout", None)
    return _state_and_size(client.wait_until_ready(timeout=timeout, **arguments))


def _read(client: RecordingsClient, arguments: Arguments) -> Result:
    read_bytes = arguments.pop("read_bytes", 65536)
    pause_after, pause_seconds = arguments.pop("pause", (None, 0))
    count, sha256 = 0, hashlib.sha256()
    try:
        with client.open(**arguments) as reader:
            while data := reader.read(read_bytes):
                count += len(data)
                sha256.update(data)
                if pause_after is not None and count >= pause_after:
                    pause_after = None
                    time.sleep(pause_seconds)
    except (RecordingsError, ValueError) as error:
        raise _Cut({"bytes": count, "sha256": sha256.hexdigest()}, error) from error
    return {"bytes": count, "sha256": sha256.hexdigest()}


def _read_ranges(client: RecordingsClient, arguments: Arguments) -> Result:
    with client.open(arguments["recording_sid"]) as reader:
        return {"sha256s": [_sha256_of(reader, start, end) for start, end in arguments["ranges"]]}


def _read_ranges_at(client: RecordingsClient, arguments: Arguments) -> Result:
    ranges = list(enumerate(arguments["ranges"]))
    sha256s = [""] * len(ranges)

    def read(which: list[tuple[int, tuple[int, int]]]) -> None:
        with client.open(arguments["recording_sid"]) as reader:
            for index, (start, end) in which:
                sha256s[index] = _sha256_of(reader, start, end)

    with ThreadPoolExecutor(_READERS) as threads:
        list(threads.map(read, (ranges[first::_READERS] for first in range(_READERS))))
    return {"sha256s": sha256s}


def _sha256_of(reader: io.BufferedReader, start: int, end: int) -> str:
    reader.seek(start)
    return hashlib.sha256(reader.read(end - start)).hexdigest()


def _seek_read(client: RecordingsClient, arguments: Arguments) -> Result:
    counts = []
    with client.open(arguments["recording_sid"]) as reader:
        for place, count in arguments["seeks"]:
            reader.seek(place)
            counts.append(len(reader.read(count)))
    return {"bytes": counts}


def _close_early(client: RecordingsClient, arguments: Arguments) -> Result:
    reader = client.open(arguments["recording_sid"])
    try:
        data = reader.read(arguments["after_bytes"])
    finally:
        reader.close()
    reader.close()
    return {"bytes": len(data)}


def _abandon_watch(client: RecordingsClient, arguments: Arguments) -> Result:
    with client.watch(arguments["recording_sid"]) as watch:
        return {"state": _state(next(watch))}


def _use_closed_reader(client: RecordingsClient, arguments: Arguments) -> Result:
    reader = client.open(arguments["recording_sid"])
    reader.read(1)
    reader.close()
    return {"bytes": len(reader.read(1))}


def _use_closed_client(client: RecordingsClient, arguments: Arguments) -> Result:
    client.close()
    return _state_and_size(client.get(arguments["recording_sid"]))


def _create_playback_url(client: RecordingsClient, arguments: Arguments) -> Result:
    if "ttl" in arguments:
        arguments["ttl"] = timedelta(seconds=arguments["ttl"])
    answer = client.create_playback_url(**arguments)
    return {"path": urlsplit(answer.url).path, "seconds": round(answer.expire_time.seconds - time.time(), -1)}


def _delete(client: RecordingsClient, arguments: Arguments) -> Result:
    recording = client.delete(**arguments)
    return {"state": "" if recording is None else _state(recording)}


def _measure(client: RecordingsClient, arguments: Arguments) -> Result:
    begin, count = time.perf_counter(), 0
    with client.open(arguments["recording_sid"]) as reader:
        buffer = memoryview(bytearray(_MEASURED_BYTES))
        while taken := reader.readinto1(buffer):
            count += taken
    return {"bytes": count, "seconds": time.perf_counter() - begin}


def _measure_stub(options: Mapping[str, Any], arguments: Arguments) -> Result:
    """The yardstick: the generated stub on a channel as gRPC makes it; with the SHA-256 if it is to be checked."""
    whole = hashlib.sha256() if arguments["with"] == "checked_stub" else None
    request = StreamRecordingRequest(recording_sid=arguments["recording_sid"])
    metadata = (("authorization", f"Bearer {options['token']}"),) if options.get("token") else ()
    with grpc.insecure_channel(options["target"]) as channel:
        begin, count = time.perf_counter(), 0
        for chunk in RecordingServiceStub(channel).StreamRecording(request, metadata=metadata):
            data = chunk.data
            count += len(data)
            if whole:
                whole.update(data)
        return {"bytes": count, "seconds": time.perf_counter() - begin}


_OPERATIONS: Final[Mapping[str, Callable[[RecordingsClient, Arguments], Result]]] = {
    "enqueue": _enqueue,
    "batch_enqueue": _batch_enqueue,
    "report_unavailable": _report_unavailable,
    "get": _get,
    "list": _list,
    "watch": _watch,
    "wait_until_ready": _wait_until_ready,
    "read": _read,
    "read_ranges": _read_ranges,
    "read_ranges_at": _read_ranges_at,
    "seek_read": _seek_read,
    "close_early": _close_early,
    "abandon_watch": _abandon_watch,
    "use_closed_reader": _use_closed_reader,
    "use_closed_client": _use_closed_client,
    "create_playback_url": _create_playback_url,
    "delete": _delete,
    "measure": _measure,
}


def _done(request: Mapping[str, Any]) -> Result:
    arguments = dict(request.get("arguments", {}))
    if request["operation"] == "measure" and arguments.get("with", "reader") != "reader":
        return _measure_stub(request["options"], arguments)
    with RecordingsClient(**request["options"]) as client:
        return _OPERATIONS[request["operation"]](client, arguments)


def _answer(request: Mapping[str, Any]) -> dict[str, Any]:
    answer: dict[str, Any] = {"id": request["id"]}
    try:
        answer["result"] = _done(request)
    except _Cut as cut:
        answer |= {"result": cut.result, "error": _said(cut.cause)}
    except Exception as error:
        answer["error"] = _said(error)
    return answer


def _said(error: Exception) -> dict[str, Any]:
    said: dict[str, Any] = {"kind": "Unexpected", "code": "", "reason": "", "metadata": {}, "fields": []}
    if isinstance(error, RecordingsError):
        said["kind"] = type(error).__name__
        said["code"] = error.code.name if error.code else ""
        said["reason"] = error.reason
        said["metadata"] = dict(error.metadata)
        said["fields"] = [each.field for each in error.field_violations]
    elif isinstance(error, InvalidOption):
        said["kind"] = "InvalidOption"
    elif isinstance(error, ValueError):
        # As Python's own files say it.
        said["kind"] = "ClientClosed" if "closed file" in str(error) else "InvalidArgument"
    else:
        said["message"] = f"{type(error).__name__}: {error}"
    return said


def _reason(number: int) -> str:
    return EnqueueReason.Name(number).removeprefix("ENQUEUE_REASON_")


def _state(recording: Recording) -> str:
    return RecordingState.Name(recording.state).removeprefix("RECORDING_STATE_")


def _state_and_size(recording: Recording) -> Result:
    return {"state": _state(recording), "size_bytes": recording.size_bytes}


def _main() -> None:
    for line in sys.stdin:
        answer = _answer(json.loads(line))
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    _main()
