"""How audio gets to the shelf: recognised by its first bytes, written while the lease holds, counted, published."""

from collections.abc import Iterator
from itertools import chain

from recording_service.core.audio import SNIFF_BYTES, Audio, recognise
from recording_service.core.errors import SourceNotAudio, SourceOtherFormat, SourceTruncated
from recording_service.core.failpoints import Failpoint, failpoint
from recording_service.core.lease_keeper import LeaseKeeper
from recording_service.core.model import Recording, StoredObject
from recording_service.core.ports import Storage


def land(
    storage: Storage,
    claimed: Recording,
    lease: LeaseKeeper,
    chunks: Iterator[bytes],
    expected_bytes: int | None,
    *,
    only: Audio | None = None,
) -> tuple[StoredObject, Audio]:
    """Stores a body that is audio as that attempt's object; as it was published, and what it is.

    Nothing is written before its beginning is known to be audio's, and nothing is left unless all of it came. Raises
    SourceNotAudio, SourceOtherFormat if it is not `only` (None: any format), SourceTruncated if there are not
    `expected_bytes` (None: any number), AttemptSuperseded, StorageUnavailable, and what `chunks` raises.
    """
    head = _head(chunks)
    audio = recognise(head)
    if audio is None:
        raise SourceNotAudio("Twilio's answer is not audio" if head else "Twilio's answer is empty")
    if only is not None and audio.extension != only.extension:
        raise SourceOtherFormat(f"Twilio's answer is not the {only.extension.upper()} that was asked for")
    object_key = f"{claimed.account_sid}/{claimed.recording_sid}/{claimed.attempt}.{audio.extension}"
    with storage.create(object_key) as upload:
        for chunk in chain((head,), chunks):
            lease.check()
            upload.write(chunk)
            # Of an encrypted recording all has been received already.
            lease.received_bytes = max(lease.received_bytes, upload.received_bytes)
            failpoint(Failpoint.DOWNLOAD_CHUNK_WRITTEN)
        if expected_bytes not in (None, upload.received_bytes):
            raise SourceTruncated(f"{expected_bytes} bytes were announced, {upload.received_bytes} came")
        failpoint(Failpoint.DOWNLOAD_BEFORE_PUBLISH)
        lease.check()
        return upload.publish(), audio


def _head(chunks: Iterator[bytes]) -> bytes:
    """The first bytes of a body: enough to tell what it is, or all there are."""
    head = b""
    for chunk in chunks:
        head += chunk
        if len(head) >= SNIFF_BYTES:
            break
    return head
