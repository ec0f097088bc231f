"""What a disk does behind the service's back: damage is found and mended, and bytes that nobody knows are not lost."""

import hashlib
import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from recording_service.twilio_stand_in.server import TwilioStandIn
from recordings.v1 import recording_pb2
from tests.support.core_world import AUDIO
from tests.support.running_service import ACCOUNT_SID, RunningService, running_service
from tests.support.waiting import eventually

Start = Callable[..., AbstractContextManager[RunningService]]


def test_a_byte_that_changed_on_the_disk_is_found_and_the_recording_fetched_again(
    start_service: Start, twilio: TwilioStandIn
) -> None:
    recording = twilio.add_recording(duration=5)
    sid = recording.recording_sid
    # Not verified before it is damaged: what has been is left alone for a day.
    with start_service(RECORDING_SCRUB_BYTES_PER_SECOND="0") as service:
        service.enqueue(sid)
        whole = service.ready(sid)
        [stored] = service.stored_files()
    with stored.open("r+b") as file:
        file.seek(whole.size_bytes // 2)
        (byte,) = file.read(1)
        file.seek(-1, os.SEEK_CUR)
        file.write(bytes([byte ^ 1]))
    with start_service() as service:
        eventually(lambda: service.get(sid).attempt == 2, within=30.0, what="the damage's discovery")
        again = service.ready(sid)
        assert again.sha256 == whole.sha256
        assert hashlib.sha256(service.stream(sid)).hexdigest() == whole.sha256
        assert sid in next(line for line in service.log.splitlines() if "are not the" in line)


def test_an_object_that_the_catalogue_does_not_know_is_adopted_and_plays(tmp_path: Path, twilio: TwilioStandIn) -> None:
    sid = "RE" + "0c" * 16
    folder = tmp_path / "data" / "recordings" / ACCOUNT_SID / sid
    folder.mkdir(mode=0o700, parents=True)
    (folder / "2.mp3").write_bytes(AUDIO)
    os.utime(folder / "2.mp3", (1e9, 1e9))
    with running_service(tmp_path, twilio, RECORDING_TIME_SCALE="0.1") as service:
        eventually(lambda: sid in service.log, within=30.0, what="the adoption")
        adopted = service.get(sid)
        assert adopted.state == recording_pb2.RECORDING_STATE_READY
        assert dict(adopted.labels) == {"recording-service/adopted": "true"}
        assert service.stream(sid, etag=adopted.etag) == AUDIO
