"""Fetching a recording that Twilio has encrypted: what came is stored, proven to be whole, and only then decrypted.

GCM gives plaintext before it can tell whether it is the right one. So the body is read twice, off the shelf and a piece
at a time: by the first pass nothing leaves memory, and nothing of the second is published unless the tag is right once
more. The ciphertext has an object of its own, which is as the remains of an upload to everybody else: nobody serves,
adopts or copies it, and what an attempt leaves of it is removed with them.
"""

import logging
from collections.abc import Iterator
from contextlib import closing, contextmanager

from recording_service.core.audio import Audio
from recording_service.core.encryption import TAG_BYTES
from recording_service.core.errors import EncryptionTagMismatch, ObjectMissing, SourceTruncated, StorageUnavailable
from recording_service.core.failpoints import Failpoint, failpoint
from recording_service.core.landing import land
from recording_service.core.lease_keeper import LeaseKeeper
from recording_service.core.model import EncryptionDetails, Recording, StoredObject
from recording_service.core.ports import Decryptor, MediaKey, MediaSource, Storage, StoredBytes
from recording_service.core.shelf_entries import CIPHERTEXT_EXTENSION

_log = logging.getLogger(__name__)

#: Bytes of ciphertext that are read off the shelf at a time.
PIECE_BYTES = 1 << 20


class EncryptedDownload:
    """Brings encrypted recordings to the shelf, decrypted. Holds nothing between two of them."""

    def __init__(self, storage: Storage, source: MediaSource, decryptor: Decryptor) -> None:
        self._storage = storage
        self._source = source
        self._decryptor = decryptor

    def fetch(self, claimed: Recording, details: EncryptionDetails, lease: LeaseKeeper) -> tuple[StoredObject, Audio]:
        """The recording as it was published, decrypted, and what it is.

        Raises DecryptionError, SourceError, AttemptSuperseded, StorageUnavailable.
        """
        with self._ciphertext(claimed, details, lease) as (key, stored):
            failpoint(Failpoint.DOWNLOAD_CIPHERTEXT_STORED)
            body_bytes = stored.size_bytes - TAG_BYTES
            if body_bytes < 0:
                raise EncryptionTagMismatch("Twilio's answer is shorter than the tag that it should end in")
            tag = stored.read_at(body_bytes, TAG_BYTES)
            key.verify(_body(stored, lease), tag)
            failpoint(Failpoint.DOWNLOAD_CIPHERTEXT_VERIFIED)
            return land(self._storage, claimed, lease, key.decrypt(_body(stored, lease), tag), body_bytes)

    @contextmanager
    def _ciphertext(
        self, claimed: Recording, details: EncryptionDetails, lease: LeaseKeeper
    ) -> Iterator[tuple[MediaKey, StoredBytes]]:
        """What Twilio sent, on the shelf until the end of the block, and the key to it."""
        object_key = f"{claimed.account_sid}/{claimed.recording_sid}/{claimed.attempt}.{CIPHERTEXT_EXTENSION}"
        # A catalogue that was restored from a backup counts attempts anew: one of that name may be there, of nobody's.
        self._storage.remove(object_key)
        try:
            key = self._store(object_key, claimed, details, lease)
            with closing(self._opened(object_key)) as stored:
                yield key, stored
        finally:
            self._remove(object_key, claimed.recording_sid)

    def _store(self, object_key: str, claimed: Recording, details: EncryptionDetails, lease: LeaseKeeper) -> MediaKey:
        """Stores what Twilio sends; the key to it. Without one nothing of the body is read."""
        with self._source.open_encrypted(claimed.key) as media:
            failpoint(Failpoint.DOWNLOAD_SOURCE_OPENED)
            # Only now: of a paused account, Twilio's answer shows that it is accepted, whatever becomes of this one.
            key = self._decryptor.open_key(claimed.account_sid, details)
            # It is there twice until it is decrypted.
            self._storage.check_room(2 * (media.content_length or 0))
            with self._storage.create(object_key) as upload:
                for chunk in media.chunks():
                    lease.check()
                    upload.write(chunk)
                    lease.received_bytes = upload.received_bytes
                    failpoint(Failpoint.DOWNLOAD_CIPHERTEXT_WRITTEN)
                if media.content_length not in (None, upload.received_bytes):
                    raise SourceTruncated(f"{media.content_length} bytes were announced, {upload.received_bytes} came")
                lease.check()
                upload.publish()
        return key

    def _opened(self, object_key: str) -> StoredBytes:
        try:
            return self._storage.open(object_key)
        except ObjectMissing as error:
            # It was there a moment ago: the shelf's trouble, or the attempt has been taken over and cleared away.
            raise StorageUnavailable from error

    def _remove(self, object_key: str, recording_sid: str) -> None:
        try:
            self._storage.remove(object_key)
        except StorageUnavailable:
            _log.warning("ciphertext is left to the sweep recording_sid=%s", recording_sid)


def _body(stored: StoredBytes, lease: LeaseKeeper) -> Iterator[bytes]:
    """What was stored without its tag, piece by piece, while the lease holds. AttemptSuperseded, StorageUnavailable."""
    end = stored.size_bytes - TAG_BYTES
    for offset in range(0, end, PIECE_BYTES):
        lease.check()
        yield stored.read_at(offset, min(PIECE_BYTES, end - offset))
