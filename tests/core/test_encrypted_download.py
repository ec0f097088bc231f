"""An attempt at a recording that Twilio has encrypted: proven to be whole, and only then decrypted."""

import hashlib
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from recording_service.adapters.memory.source import Answer
from recording_service.adapters.memory.storage import MemoryStorage, MemoryUpload
from recording_service.adapters.twilio_decryption.decryptor import TwilioDecryptor
from recording_service.core import encrypted_download
from recording_service.core.encryption import TAG_BYTES
from recording_service.core.errors import (
    CatalogueUnavailable,
    EncryptionDetailsInvalid,
    SourceEncrypted,
    SourceError,
    SourceNotAudio,
    SourceRefused,
    SourceUnauthorized,
    SourceUnavailable,
    StorageUnavailable,
)
from recording_service.core.model import (
    Bell,
    EncryptionDetails,
    FailureReason,
    RecordingState,
    StoredObject,
    WaitingReason,
)
from recording_service.core.requests import Target
from recording_service.core.retry import RETRY_RULES
from tests.support.core_world import ACCOUNT, AUDIO, KEY, OTHER_ACCOUNT, WORKER, World, a_request
from tests.support.encrypted import OTHER_PUBLIC_KEY_SID, PUBLIC_KEY_SID, an_encryption, details, private_key
from tests.support.failing_port import once
from tests.support.media import ScriptedSource
from tests.support.waiting import eventually

#: What nobody may ever find where nothing may be decrypted.
MARKER = b"what-was-said-in-confidence"
WAV = b"RIFF" + (36).to_bytes(4, "little") + b"WAVEfmt " + bytes(40) + MARKER * 9000
ENCRYPTION = an_encryption()
DETAILS = details(ENCRYPTION)
SEALED = ENCRYPTION.sealed(WAV)


class RecordingShelf(MemoryStorage):
    """A shelf that remembers whatever was written to it, by the key it was to have."""

    def __init__(self) -> None:
        super().__init__()
        self.written: dict[str, bytearray] = {}

    @contextmanager
    def create(self, object_key: str) -> Iterator[MemoryUpload]:
        """Notes every write, published or not."""
        with super().create(object_key) as upload:
            write, noted = upload.write, self.written.setdefault(object_key, bytearray())

            def write_and_note(data: bytes) -> None:
                noted.extend(data)
                write(data)

            upload.write = write_and_note  # type: ignore[method-assign]
            yield upload


@pytest.fixture
def shelf(world: World) -> RecordingShelf:
    """The world's shelf, which remembers."""
    world.shelf = RecordingShelf()
    world.storage.adapter = world.shelf
    return world.shelf


@pytest.fixture(autouse=True)
def keys(world: World) -> None:
    """The account has two keys."""
    world.decryptor = TwilioDecryptor(
        {ACCOUNT: {PUBLIC_KEY_SID: private_key(), OTHER_PUBLIC_KEY_SID: private_key(2)}, OTHER_ACCOUNT: {}}
    )


def wanted(world: World, given: EncryptionDetails | None = DETAILS) -> Bell:
    """The bell of a recording that is enqueued with these details."""
    world.enqueuer().enqueue(a_request(encryption_details=given))
    bell = world.queue.hear()
    assert bell is not None
    return bell


def key_of(extension: str, attempt: int = 1) -> str:
    return f"{KEY.account_sid}/{KEY.recording_sid}/{attempt}.{extension}"


def names(world: World) -> list[str]:
    return [entry.object_key for entry in world.shelf.entries()]


# Success


def test_an_encrypted_recording_is_ready_as_what_it_was_before(world: World) -> None:
    world.script(SEALED)
    world.downloader().answer(wanted(world), WORKER)
    row = world.row()
    assert row.state is RecordingState.READY
    assert (row.object_key, row.content_type) == (key_of("wav"), "audio/wav")
    assert (row.size_bytes, row.sha256) == (len(WAV), hashlib.sha256(WAV).hexdigest())
    assert row.encryption_details == DETAILS
    assert world.shelf.open(row.object_key).read_at(0, 1 << 30) == WAV
    assert names(world) == [key_of("wav")]


def test_each_key_opens_what_was_encrypted_for_it(world: World) -> None:
    encryption = an_encryption(OTHER_PUBLIC_KEY_SID, private_key(2))
    world.script(encryption.sealed(WAV))
    world.downloader().answer(wanted(world, details(encryption)), WORKER)
    assert world.row().state is RecordingState.READY


@pytest.mark.parametrize("piece_bytes", [1000, len(SEALED) - TAG_BYTES, len(SEALED), 1 << 20])
def test_however_it_is_cut_into_pieces_it_is_the_same(
    world: World, piece_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(encrypted_download, "PIECE_BYTES", piece_bytes)
    world.script(SEALED)
    world.downloader().answer(wanted(world), WORKER)
    assert world.row().sha256 == hashlib.sha256(WAV).hexdigest()


def test_nothing_is_decrypted_before_all_of_it_is_proven(world: World, shelf: RecordingShelf) -> None:
    world.script(SEALED)
    written: list[set[str]] = []
    world.storage.before["open"] = lambda _: written.append(set(shelf.written))
    world.downloader().answer(wanted(world), WORKER)
    assert written == [{key_of("cipher")}]
    assert bytes(shelf.written[key_of("cipher")]) == SEALED
    assert bytes(shelf.written[key_of("wav")]) == WAV


# What it takes for one


@pytest.mark.parametrize(
    "first", [SEALED, SourceEncrypted("16109"), SourceRefused("400")], ids=["body", "16109", "400"]
)
def test_who_did_not_say_that_it_is_encrypted_has_it_found_out_once(world: World, first: bytes | SourceError) -> None:
    world.script(first, SEALED)
    world.twilio.encryption[KEY] = DETAILS
    world.downloader().answer(wanted(world, None), WORKER)
    assert (world.row().state, world.row().encryption_details) == (RecordingState.READY, DETAILS)
    assert world.twilio.asked_for_details == [KEY]


def test_what_was_found_out_is_noted_for_the_next_attempt(world: World) -> None:
    world.script(SEALED, SourceUnavailable("503"), SEALED)
    world.twilio.encryption[KEY] = DETAILS
    world.downloader().answer(wanted(world, None), WORKER)
    assert (world.row().state, world.row().encryption_details) == (RecordingState.QUEUED, DETAILS)
    dispatcher = world.dispatcher()
    for _ in range(5):
        world.let_pass(1.0, dispatcher)
        world.work()
    assert world.row().state is RecordingState.READY
    assert world.twilio.asked_for_details == [KEY]


def test_what_was_found_out_is_noted_though_the_catalogue_fails_for_a_moment(world: World) -> None:
    world.script(SEALED)
    world.twilio.encryption[KEY] = DETAILS

    def failing(*_: object) -> None:
        raise CatalogueUnavailable

    bell = wanted(world, None)
    world.catalogue.before["amend"] = once(failing)
    world.downloader(note_tries=2).answer(bell, WORKER)
    assert (world.row().state, world.row().encryption_details) == (RecordingState.READY, DETAILS)


#: An encrypted body that begins as an MP3 does: one in 15 000 does.
LIKE_MP3 = AUDIO[:4] + SEALED[4:]


def test_encrypted_bytes_that_look_like_another_format_by_chance_are_not_taken_for_it(world: World) -> None:
    world.twilio.asked_for = "wav"
    world.script(LIKE_MP3, SEALED)
    world.twilio.encryption[KEY] = DETAILS
    world.downloader().answer(wanted(world, None), WORKER)
    assert (world.row().state, world.row().sha256) == (RecordingState.READY, hashlib.sha256(WAV).hexdigest())


def test_another_format_that_is_not_encrypted_is_taken_as_it_is(world: World) -> None:
    world.twilio.asked_for = "wav"
    world.script(AUDIO)
    world.downloader().answer(wanted(world, None), WORKER)
    assert (world.row().state, world.row().content_type) == (RecordingState.READY, "audio/mpeg")
    assert world.twilio.asked_for_details == [KEY]


def test_another_format_is_not_taken_where_twilio_does_not_say_whether_it_is_encrypted(world: World) -> None:
    world.twilio.asked_for = "wav"
    world.script(LIKE_MP3)
    world.twilio.encryption[KEY] = SourceUnavailable("503")
    world.downloader().answer(wanted(world, None), WORKER)
    assert (world.row().state, names(world)) == (RecordingState.QUEUED, [])
    assert world.row().failures_by_reason == {FailureReason.SOURCE_NOT_AUDIO: 1}


def test_a_plain_recording_is_not_asked_about(world: World) -> None:
    world.script(WAV)
    world.downloader().answer(wanted(world, None), WORKER)
    assert (world.row().state, world.row().encryption_details) == (RecordingState.READY, None)
    assert world.twilio.asked_for_details == []


def test_what_is_neither_audio_nor_encrypted_fails_as_it_is(world: World) -> None:
    world.script(b"<html>" + bytes(100))
    world.downloader().answer(wanted(world, None), WORKER)
    row = world.row()
    assert (row.state, row.failure_message) == (RecordingState.QUEUED, "Twilio's answer is not audio")
    assert row.failures_by_reason == {FailureReason.SOURCE_NOT_AUDIO: 1}


@pytest.mark.parametrize("error", [SourceUnauthorized("403"), SourceUnavailable("503"), SourceNotAudio("gzip")])
def test_where_twilio_does_not_say_what_it_sent_decides(world: World, error: SourceError) -> None:
    # A key that may fetch media and nothing else is no reason to pause the whole account.
    world.script(SEALED)
    world.twilio.encryption[KEY] = error
    world.downloader().answer(wanted(world, None), WORKER)
    assert world.row().failures_by_reason == {FailureReason.SOURCE_NOT_AUDIO: 1}
    assert world.catalogue.adapter.paused() == []


def test_details_that_turn_out_to_be_unreadable_end_it(world: World) -> None:
    world.script(SEALED)
    world.twilio.encryption[KEY] = EncryptionDetailsInvalid("encryption_details.iv is not base64")
    world.downloader().answer(wanted(world, None), WORKER)
    assert (world.row().state, world.row().failure_reason) == (
        RecordingState.FAILED,
        FailureReason.ENCRYPTION_DETAILS_INVALID,
    )


def test_details_that_come_while_it_is_downloaded_plain_do_not_make_it_encrypted(world: World) -> None:
    world.script(WAV)
    bell = wanted(world, None)
    world.source.before["open"] = lambda _: world.enqueuer().enqueue(a_request(encryption_details=DETAILS))
    world.downloader().answer(bell, WORKER)
    assert (world.row().state, world.row().encryption_details) == (RecordingState.READY, None)


# What must not be decrypted

WRONG_KEY = details(an_encryption(PUBLIC_KEY_SID, private_key(3)))
OF_ANOTHER_RECORDING = details(an_encryption())


def flipped(offset: int) -> bytes:
    damaged = bytearray(SEALED)
    damaged[offset] ^= 1
    return bytes(damaged)


REFUSED: list[tuple[str, EncryptionDetails, bytes, FailureReason]] = [
    ("the key is wrong", WRONG_KEY, SEALED, FailureReason.ENCRYPTION_KEY_WRONG),
    (
        "the key is unknown",
        DETAILS._replace(public_key_sid="CR" + "7" * 32),
        SEALED,
        FailureReason.ENCRYPTION_KEY_UNKNOWN,
    ),
    ("the tag is wrong", DETAILS, flipped(-1), FailureReason.ENCRYPTION_TAG_MISMATCH),
    ("the body is damaged", DETAILS, flipped(1000), FailureReason.ENCRYPTION_TAG_MISMATCH),
    ("the body is cut", DETAILS, SEALED[:-1], FailureReason.ENCRYPTION_TAG_MISMATCH),
    ("the tag is missing", DETAILS, SEALED[:-TAG_BYTES], FailureReason.ENCRYPTION_TAG_MISMATCH),
    ("it goes on after its end", DETAILS, SEALED + b"x", FailureReason.ENCRYPTION_TAG_MISMATCH),
    ("it is shorter than a tag", DETAILS, SEALED[: TAG_BYTES - 1], FailureReason.ENCRYPTION_TAG_MISMATCH),
    ("it is empty", DETAILS, b"", FailureReason.ENCRYPTION_TAG_MISMATCH),
    ("it is plain", DETAILS, WAV, FailureReason.ENCRYPTION_TAG_MISMATCH),
    ("the vector is another", DETAILS._replace(iv="A" * 16), SEALED, FailureReason.ENCRYPTION_TAG_MISMATCH),
    ("it is another recording's", OF_ANOTHER_RECORDING, SEALED, FailureReason.ENCRYPTION_TAG_MISMATCH),
]


@pytest.mark.parametrize(("given", "body", "reason"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_what_can_not_be_proven_ends_by_its_reason_and_leaves_no_plaintext(
    world: World,
    shelf: RecordingShelf,
    given: EncryptionDetails,
    body: bytes,
    reason: FailureReason,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    world.script(body)
    world.enqueuer().enqueue(a_request(encryption_details=given))
    dispatcher = world.dispatcher()
    for _ in range(20):
        world.work()
        world.let_pass(60.0, dispatcher, tick_seconds=30.0)
    row = world.row()
    assert (row.state, row.failure_reason) == (RecordingState.FAILED, reason)
    budgets = {rule.failure_reason: rule.budget for rule in RETRY_RULES.values()}
    assert row.failures_by_reason == {reason: budgets[reason]}
    assert names(world) == []
    # Nothing but what came was ever written, not even into an upload that was given up.
    assert {key.rpartition(".")[2] for key in shelf.written} <= {"cipher"}
    assert all(bytes(written) == body for written in shelf.written.values())
    for secret in (ENCRYPTION.cek.hex(), ENCRYPTION.encrypted_cek, repr(ENCRYPTION.cek), MARKER.decode()):
        assert secret not in caplog.text + row.failure_message


def test_without_its_key_nothing_of_the_body_is_read(world: World, shelf: RecordingShelf) -> None:
    read: list[bytes] = []

    def pieces() -> Iterator[bytes]:
        read.append(SEALED)
        yield SEALED

    world.source.adapter = ScriptedSource(pieces)
    world.downloader().answer(wanted(world, DETAILS._replace(public_key_sid="CR" + "7" * 32)), WORKER)
    assert world.row().failure_reason is FailureReason.ENCRYPTION_KEY_UNKNOWN
    assert (read, shelf.written) == ([], {})


def test_the_keys_of_another_account_open_nothing(world: World) -> None:
    world.decryptor = TwilioDecryptor({OTHER_ACCOUNT: {PUBLIC_KEY_SID: private_key()}})
    world.script(SEALED)
    world.downloader().answer(wanted(world), WORKER)
    assert world.row().failure_reason is FailureReason.ENCRYPTION_KEY_UNKNOWN


def test_a_damaged_transfer_is_made_up_for_by_the_next_one(world: World) -> None:
    world.script(flipped(5000), SEALED)
    world.downloader().answer(wanted(world), WORKER)
    row = world.row()
    assert (row.state, row.waiting_reason) == (RecordingState.QUEUED, WaitingReason.RETRY)
    world.clock.advance(60.0)
    dispatcher = world.dispatcher()
    dispatcher.tick()
    world.let_pass(5.0, dispatcher)
    world.work()
    assert world.row().state is RecordingState.READY


def test_what_twilio_encrypted_may_be_no_audio(world: World, shelf: RecordingShelf) -> None:
    encryption = an_encryption()
    world.script(encryption.sealed(b"<html>" + MARKER))
    world.downloader().answer(wanted(world, details(encryption)), WORKER)
    assert world.row().failures_by_reason == {FailureReason.SOURCE_NOT_AUDIO: 1}
    assert (names(world), list(shelf.written)) == ([], [key_of("cipher")])


def test_a_connection_that_breaks_is_counted_as_one(world: World) -> None:
    world.script(Answer(SEALED, cut_after_bytes=1000))
    world.downloader().answer(wanted(world), WORKER)
    assert world.row().failures_by_reason == {FailureReason.SOURCE_TRUNCATED: 1}
    assert names(world) == []


def test_once_the_key_is_there_it_can_be_asked_for_anew(world: World) -> None:
    keys, world.decryptor = world.decryptor, TwilioDecryptor({})
    world.script(SEALED)
    world.downloader().answer(wanted(world), WORKER)
    assert world.row().failure_reason is FailureReason.ENCRYPTION_KEY_UNKNOWN
    world.decryptor = keys
    # Whoever asks anew need not know anything more.
    world.downloader().answer(wanted(world, None), WORKER)
    assert world.row().state is RecordingState.READY


def test_wrong_details_can_be_put_right_by_asking_anew(world: World) -> None:
    world.script(SEALED)
    world.downloader().answer(wanted(world, WRONG_KEY), WORKER)
    assert world.row().failure_reason is FailureReason.ENCRYPTION_KEY_WRONG
    world.downloader().answer(wanted(world), WORKER)
    assert (world.row().state, world.row().encryption_details) == (RecordingState.READY, DETAILS)


# What happens in between


def test_ciphertext_that_changes_on_the_shelf_in_between_is_never_ready(world: World) -> None:
    world.script(SEALED)
    bell = wanted(world)
    stored_reads: list[int] = []
    original = world.shelf.open

    def opened(object_key: str) -> object:
        stored = original(object_key)
        read_at = stored.read_at

        def read(offset: int, size: int) -> bytes:
            data = read_at(offset, size)
            stored_reads.append(offset)
            return data[:-1] + bytes([data[-1] ^ 1]) if stored_reads.count(0) > 1 and offset == 0 else data

        stored.read_at = read  # type: ignore[method-assign]
        return stored

    world.shelf.open = opened  # type: ignore[method-assign, assignment]
    world.downloader().answer(bell, WORKER)
    assert world.row().failures_by_reason == {FailureReason.ENCRYPTION_TAG_MISMATCH: 1}
    assert names(world) == []


def test_ciphertext_that_an_earlier_life_left_is_in_nobodys_way(world: World) -> None:
    with world.shelf.create(key_of("cipher")) as upload:
        upload.write(b"from before the catalogue was restored")
        upload.publish()
    world.script(SEALED)
    world.downloader().answer(wanted(world), WORKER)
    assert (world.row().state, names(world)) == (RecordingState.READY, [key_of("wav")])


def test_ciphertext_that_may_be_there_although_storing_it_failed_is_removed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish = MemoryStorage._publish

    def publish_and_fail(*arguments: Any) -> StoredObject:
        publish(*arguments)
        raise StorageUnavailable

    monkeypatch.setattr(MemoryStorage, "_publish", publish_and_fail)
    world.script(SEALED)
    world.downloader().answer(wanted(world), WORKER)
    assert (world.row().waiting_reason, names(world)) == (WaitingReason.STORAGE_UNAVAILABLE, [])


def test_ciphertext_that_can_not_be_removed_is_left_to_the_sweep(world: World) -> None:
    world.script(SEALED)
    bell = wanted(world)

    def refuse(*_: object) -> None:
        if world.storage.calls["create"]:
            raise StorageUnavailable

    for method in ("remove", "remove_others"):
        world.storage.before[method] = refuse
    world.downloader().answer(bell, WORKER)
    assert world.row().state is RecordingState.READY
    assert names(world) == [key_of("cipher"), key_of("wav")]
    world.storage.mend()
    world.clock.advance(2 * 3600.0)
    sweep = world.sweep()
    for _ in range(5):
        sweep.advance()
    assert names(world) == [key_of("wav")]


@pytest.mark.parametrize("state", [RecordingState.FAILED, RecordingState.DELETED, RecordingState.QUEUED, None])
def test_what_a_killed_worker_left_is_swept_and_never_adopted(world: World, state: RecordingState | None) -> None:
    if state is not None:
        wanted(world)
        fields = {"state": state, "failure_reason": FailureReason.WORKER_CRASHED, "revision": 99}
        world.catalogue.adapter.amend([(KEY, lambda row: row and replace(row, **fields))])  # type: ignore[arg-type]
    # Ciphertext may begin like anything, audio too.
    with world.shelf.create(key_of("cipher")) as upload:
        upload.write(WAV)
        upload.publish()
    world.clock.advance(2 * 3600.0)
    sweep = world.sweep()
    for _ in range(5):
        sweep.advance()
    assert names(world) == []
    row = world.catalogue.adapter.get(KEY)
    assert row is None or row.state is state


def test_ciphertext_of_the_attempt_under_way_is_left_alone(world: World) -> None:
    world.enqueuer().enqueue(a_request(encryption_details=DETAILS))
    world.claim()
    with world.shelf.create(key_of("cipher")) as upload:
        upload.write(SEALED)
        upload.publish()
    world.clock.advance(2 * 3600.0)
    sweep = world.sweep()
    for _ in range(5):
        sweep.advance()
    assert names(world) == [key_of("cipher")]


def test_deleting_a_recording_removes_its_ciphertext(world: World) -> None:
    wanted(world)
    with world.shelf.create(key_of("cipher")) as upload:
        upload.write(SEALED)
        upload.publish()
    service = world.service()
    service.delete(Target(*KEY), allow_missing=False)
    service.close()
    assert names(world) == []
    assert world.row().encryption_details is None


#: Which call of the shelf comes first at each step.
MOMENTS = {
    "while it comes": ("create", 1),
    "while it is verified": ("open", 1),
    "while it is decrypted": ("create", 2),
}


@pytest.mark.parametrize("step", MOMENTS)
def test_whoever_is_taken_over_stops_and_leaves_nothing(
    world: World, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.script(SEALED)
    bell = wanted(world)
    raised: list[bool] = []
    raise_lease = world.catalogue.adapter.raise_lease

    def raise_and_note(*arguments: Any) -> bool:
        raised.append(raise_lease(*arguments))
        return raised[-1]

    monkeypatch.setattr(world.catalogue.adapter, "raise_lease", raise_and_note)
    method, count = MOMENTS[step]

    def delete_at_that_moment(*_: object) -> None:
        if world.storage.calls[method] == count:
            service = world.service()
            service.delete(Target(*KEY), allow_missing=False)
            service.close()
            eventually(lambda: False in raised, what="the end of the lease")

    world.storage.before[method] = delete_at_that_moment
    world.downloader(lease_interval_seconds=0.001).answer(bell, WORKER)
    assert (world.row().state, names(world)) == (RecordingState.DELETED, [])


def test_the_room_for_both_is_looked_at_before_it_is_taken(world: World) -> None:
    world.script(SEALED)
    bell = wanted(world)
    world.shelf.room_bytes = int(1.5 * len(SEALED))
    world.downloader().answer(bell, WORKER)
    assert world.row().waiting_reason is WaitingReason.STORAGE_UNAVAILABLE
    assert world.row().failures == 0


@pytest.mark.parametrize("given", [DETAILS, WRONG_KEY, DETAILS._replace(public_key_sid="CR" + "7" * 32)])
def test_a_paused_account_goes_on_once_twilio_gives_a_body_whatever_it_is(
    world: World, given: EncryptionDetails
) -> None:
    world.script(flipped(0))
    bell = wanted(world, given)
    world.catalogue.adapter.pause(ACCOUNT, world.clock.now(), world.clock.now() - timedelta(seconds=1))
    world.downloader().answer(bell, WORKER)
    assert world.catalogue.adapter.paused() == []
