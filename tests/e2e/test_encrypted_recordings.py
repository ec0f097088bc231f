"""Twilio's encrypted recordings, from the webhook to the player, in real processes: READY is what was said before."""

import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import grpc
import pytest
import requests
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from recording_service.twilio_stand_in.answers import Answer
from recording_service.twilio_stand_in.encryption import Encryption
from recording_service.twilio_stand_in.server import TwilioStandIn
from recordings.v1 import enqueue_pb2, recording_pb2
from tests.faults.system_calls import Tracing
from tests.support.commands import run
from tests.support.encrypted import OTHER_PUBLIC_KEY_SID, PUBLIC_KEY_SID, an_encryption, pem, private_key, write_keys
from tests.support.running_service import ACCOUNT_SID, AUTH_TOKEN, RunningService, running_service
from tests.support.waiting import eventually

#: What nobody may ever find on a disk where nothing may be decrypted: in each 4 KiB of the audio.
MARKER = b"what-was-said-in-confidence"
PLAIN = b"RIFF" + (36).to_bytes(4, "little") + b"WAVEfmt " + bytes(28) + (MARKER + bytes(4096 - len(MARKER))) * 100

#: A public key whose private one is configured, and is another's.
MISTAKEN_PUBLIC_KEY_SID = "CR" + "7b" * 16
#: One whose private key nobody has configured.
UNKNOWN_PUBLIC_KEY_SID = "CR" + "8c" * 16

READY, FAILED = recording_pb2.RECORDING_STATE_READY, recording_pb2.RECORDING_STATE_FAILED


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    """One with several keys, of which one is filed under a wrong name."""
    folder = tmp_path_factory.mktemp("service")
    keys = write_keys(
        folder / "keys",
        {
            PUBLIC_KEY_SID: private_key(),
            OTHER_PUBLIC_KEY_SID: private_key(2),
            MISTAKEN_PUBLIC_KEY_SID: private_key(2),
        },
    )
    with (
        TwilioStandIn(account_sid=ACCOUNT_SID, auth_token=AUTH_TOKEN) as twilio,
        running_service(
            folder,
            twilio,
            TWILIO_ENCRYPTION_KEYS_FOLDER=str(keys),
            RECORDING_TIME_SCALE="0.01",
            RECORDING_LOG_LEVEL="DEBUG",
        ) as running,
    ):
        yield running


def added(service: RunningService, encryption: Encryption, body: bytes = PLAIN) -> str:
    return service.twilio.add_recording(body=body, encryption=encryption).recording_sid


def of_contract(encryption: Encryption) -> enqueue_pb2.EncryptionDetails:
    return enqueue_pb2.EncryptionDetails(
        public_key_sid=encryption.public_key_sid, encrypted_cek=encryption.encrypted_cek, iv=encryption.iv
    )


def called_back(service: RunningService, recording_sid: str, *details: str | None) -> None:
    """Twilio tells of the recording, with these EncryptionDetails (None: without) instead of its own."""
    overrides: Any = {"EncryptionDetails": details[0]} if details else {}
    answered = service.twilio.send_webhook(
        f"{service.http_url}/webhooks/twilio/recording-status", recording_sid, **overrides
    )
    assert answered.status == 200, answered.body


def ended(service: RunningService, recording_sid: str) -> recording_pb2.Recording:
    return service.watch(recording_sid)[-1]


def files_with(marker: bytes, folder: Path) -> list[Path]:
    """The files below that have the marker in them, the database's and those of open uploads too."""
    found = []
    for name, _, files in os.walk(folder):
        for path in (Path(name) / file for file in files):
            # What has gone since, or is empty, has nothing in it.
            with suppress(FileNotFoundError), path.open("rb") as file:
                if stat.S_ISREG(os.fstat(file.fileno()).st_mode) and marker in file.read():
                    found.append(path)
    return found


def paths_of(service: RunningService, recording_sid: str) -> list[str]:
    """The names of all that is on the shelf of one recording."""
    folder = service.data_dir / "recordings" / ACCOUNT_SID / recording_sid
    try:
        return [path.name for path in folder.iterdir()]
    except FileNotFoundError:
        return []


def is_plain(service: RunningService, recording: recording_pb2.Recording, public_key_sid: str = PUBLIC_KEY_SID) -> None:
    """Asserts that a recording is READY as what it was before Twilio encrypted it, and says so."""
    assert recording.state == READY, recording
    assert (recording.size_bytes, recording.sha256) == (len(PLAIN), hashlib.sha256(PLAIN).hexdigest())
    assert (recording.content_type, recording.encryption_public_key_sid) == ("audio/wav", public_key_sid)
    assert service.stream(recording.recording_sid) == PLAIN
    eventually(
        lambda: (
            [path.name for path in service.stored_files() if path.parent.name == recording.recording_sid]
            == [f"{recording.attempt}.wav"]
        ),
        what="the removal of ciphertext",
    )


# What is opened


@pytest.mark.parametrize(
    ("public_key_sid", "key"), [(PUBLIC_KEY_SID, private_key()), (OTHER_PUBLIC_KEY_SID, private_key(2))], ids=["1", "2"]
)
def test_what_a_webhook_tells_of_is_decrypted_and_plays(
    service: RunningService, public_key_sid: str, key: RSAPrivateKey
) -> None:
    recording_sid = added(service, an_encryption(public_key_sid, key))

    called_back(service, recording_sid)

    is_plain(service, ended(service, recording_sid), public_key_sid)
    played = requests.get(f"{service.http_url}/recordings/{recording_sid}/stream.wav", timeout=10)
    assert (played.headers["Content-Type"], played.content) == ("audio/wav", PLAIN)
    asked = [request.path.partition(recording_sid)[2] for request in service.twilio.requests]
    assert ".json" not in asked


def test_a_back_end_may_say_how_it_is_encrypted(service: RunningService) -> None:
    encryption = an_encryption()
    recording_sid = added(service, encryption)
    service.enqueue(recording_sid, encryption_details=of_contract(encryption))
    is_plain(service, ended(service, recording_sid))


@pytest.mark.parametrize("details", [None, "{not JSON", '{"public_key_sid": "CR1"}'])
def test_where_nobody_says_so_twilio_is_asked_once(service: RunningService, details: str | None) -> None:
    recording_sid = added(service, an_encryption())
    called_back(service, recording_sid, details)
    is_plain(service, ended(service, recording_sid))
    asked = [
        request.path.partition(recording_sid)[2]
        for request in service.twilio.requests
        if request.recording_sid == recording_sid
    ]
    assert asked == [".mp3", ".json", ".wav"]


def test_an_enqueue_with_malformed_details_is_told_which_field_is_wrong(service: RunningService) -> None:
    details = of_contract(an_encryption())
    details.iv = "AAAA"
    with pytest.raises(grpc.RpcError, match=r"encryption_details\.iv"):
        service.enqueue("RE" + "1" * 32, encryption_details=details)


# What is not


def test_what_can_not_be_proven_is_failed_by_its_reason_and_no_plaintext_is_ever_on_disk(
    service: RunningService,
) -> None:
    unknown = added(service, an_encryption(UNKNOWN_PUBLIC_KEY_SID))
    mistaken = added(service, an_encryption(MISTAKEN_PUBLIC_KEY_SID))
    damaged, cut, short, foreign = (added(service, an_encryption()) for _ in range(4))
    body = service.twilio.media(damaged, ".wav")
    for recording_sid, sent in (
        (damaged, body[:-1] + bytes([body[-1] ^ 1])),
        (cut, service.twilio.media(cut, ".wav")[:-4096]),
        (short, body[:15]),
        (foreign, body),
    ):
        service.twilio.behave(recording_sid, Answer(body=sent), times=None)
    expected = {
        unknown: recording_pb2.FAILURE_REASON_ENCRYPTION_KEY_UNKNOWN,
        mistaken: recording_pb2.FAILURE_REASON_ENCRYPTION_KEY_WRONG,
        damaged: recording_pb2.FAILURE_REASON_ENCRYPTION_TAG_MISMATCH,
        cut: recording_pb2.FAILURE_REASON_ENCRYPTION_TAG_MISMATCH,
        short: recording_pb2.FAILURE_REASON_ENCRYPTION_TAG_MISMATCH,
        foreign: recording_pb2.FAILURE_REASON_ENCRYPTION_TAG_MISMATCH,
    }
    # Others' plaintext is on the shelf, by right.
    before = set(files_with(MARKER, service.data_dir))
    for recording_sid in expected:
        called_back(service, recording_sid)

    seen: set[Path] = set()
    left = set(expected)
    while left:
        seen |= set(files_with(MARKER, service.data_dir)) - before
        left = {sid for sid in left if service.get(sid).state != FAILED}
    seen |= set(files_with(MARKER, service.data_dir)) - before

    assert seen == set()
    assert {sid: service.get(sid).failure_reason for sid in expected} == expected
    assert [paths_of(service, sid) for sid in expected] == [[]] * len(expected)


def test_no_process_writes_plaintext_anywhere_before_the_tag_is_right(service: RunningService) -> None:
    body = PLAIN[:65536]
    damaged, whole = (added(service, an_encryption(), body) for _ in range(2))
    sent = service.twilio.media(damaged, ".wav")
    service.twilio.behave(damaged, Answer(body=sent[:-1] + bytes([sent[-1] ^ 1])), times=None)
    workers = [part.pid for part in service.parts("worker-")]
    tracing = Tracing(workers, ["--trace=write,writev,pwrite64,pwritev,sendto,sendmsg", "--string-limit=200000"])
    try:
        called_back(service, damaged)
        assert ended(service, damaged).state == FAILED
        before = tracing.log
        called_back(service, whole)
        assert ended(service, whole).state == READY
    finally:
        tracing.detach()
    # What is sent to Redis and the log are writes, too; and of the recording that is whole the marker is seen.
    assert "write" in before
    assert MARKER.decode() not in before
    assert MARKER.decode() in tracing.log


def test_once_its_key_is_configured_a_recording_is_had_after_all(service: RunningService, tmp_path: Path) -> None:
    with TwilioStandIn(account_sid=ACCOUNT_SID, auth_token=AUTH_TOKEN) as twilio:
        recording_sid = twilio.add_recording(body=PLAIN, encryption=an_encryption()).recording_sid
        keys = write_keys(tmp_path / "keys", {})
        with running_service(tmp_path, twilio, TWILIO_ENCRYPTION_KEYS_FOLDER=str(keys)) as without:
            called_back(without, recording_sid)
            assert ended(without, recording_sid).failure_reason == recording_pb2.FAILURE_REASON_ENCRYPTION_KEY_UNKNOWN
        write_keys(keys, {PUBLIC_KEY_SID: private_key()})
        with running_service(tmp_path, twilio, TWILIO_ENCRYPTION_KEYS_FOLDER=str(keys)) as with_key:
            assert with_key.enqueue(recording_sid).reason == enqueue_pb2.ENQUEUE_REASON_ENQUEUED
            is_plain(with_key, ended(with_key, recording_sid))


# What happens in between


@pytest.mark.parametrize(
    "step",
    [
        "download.ciphertext_written",
        "download.ciphertext_stored",
        "download.ciphertext_verified",
        "download.chunk_written",
        "download.before_publish",
        "download.before_ready",
        "download.after_ready",
    ],
)
def test_a_worker_that_is_killed_anywhere_leaves_nothing_wrong(step: str, tmp_path: Path) -> None:
    keys = write_keys(tmp_path / "keys", {PUBLIC_KEY_SID: private_key()})
    with (
        TwilioStandIn(account_sid=ACCOUNT_SID, auth_token=AUTH_TOKEN) as twilio,
        running_service(
            tmp_path,
            twilio,
            TWILIO_ENCRYPTION_KEYS_FOLDER=str(keys),
            RECORDING_TIME_SCALE="0.02",
            RECORDING_FAILPOINTS=f"{step}=kill@1",
            RECORDING_FAILPOINTS_DIR=str(tmp_path / "failpoints"),
        ) as service,
    ):
        recording_sid = added(service, an_encryption())
        called_back(service, recording_sid)
        is_plain(service, ended(service, recording_sid))


def test_nothing_secret_is_logged(service: RunningService) -> None:
    encryption = an_encryption()
    recording_sid = added(service, encryption)
    called_back(service, recording_sid)
    is_plain(service, ended(service, recording_sid))
    for secret in (
        encryption.cek.hex(),
        repr(encryption.cek)[2:-1],
        encryption.encrypted_cek,
        MARKER.decode(),
        "PRIVATE KEY",
        pem(private_key()).decode().splitlines()[1],
    ):
        assert secret not in service.log


# The configuration


def test_a_key_that_can_not_be_used_is_refused_at_the_start_by_its_file(
    service: RunningService, tmp_path: Path
) -> None:
    keys = write_keys(tmp_path / "keys", {})
    broken = keys / f"{PUBLIC_KEY_SID}.pem"
    broken.write_text("-----BEGIN PRIVATE KEY-----")
    variables = {
        **service.environment,
        "RECORDING_DATA_DIR": str(tmp_path / "data"),
        "TWILIO_ENCRYPTION_KEYS_FOLDER": str(keys),
    }
    for command in ("serve", "doctor"):
        ran = run(command, variables=variables)
        assert ran.returncode != 0
        assert f"{broken} is no private key" in ran.stdout + ran.stderr
