"""The steps at which a fault harness may break the service: what `core.failpoints` can be armed with, by name.

A step is named by what has just been done or is about to be; everything between two names that follow each other is
what a crash at the second one tests. `tests/core/test_failpoints.py` checks that each is placed in the code.
"""

from enum import StrEnum


class Failpoint(StrEnum):
    """A step of the service. The value is what a specification calls it."""

    #: EnqueueRecording or its batch was read off the wire; nothing was looked at.
    ENQUEUE_REQUEST_READ = "enqueue.request_read"
    #: A group of enqueues is about to be committed.
    ENQUEUE_BEFORE_COMMIT = "enqueue.before_commit"
    #: The rows are committed; no bell has rung for those that need one.
    ENQUEUE_AFTER_COMMIT = "enqueue.after_commit"
    #: The bells have rung; no row says so.
    ENQUEUE_AFTER_BELL = "enqueue.after_bell"
    #: The rows say that their bells have rung; nobody is answered.
    ENQUEUE_AFTER_MARK = "enqueue.after_mark"
    #: All is done, and the answer is about to be written.
    ENQUEUE_BEFORE_ANSWER = "enqueue.before_answer"

    #: Twilio was reported to have no such recording, and the row is FAILED; nobody was told.
    REPORT_AFTER_ROW = "report.after_row"

    #: A work-horse has heard a bell; it has claimed nothing.
    WORKER_BELL_HEARD = "worker.bell_heard"

    #: The row is claimed and says DOWNLOADING; Twilio was not asked.
    DOWNLOAD_AFTER_CLAIM = "download.after_claim"
    #: Twilio has answered with a body; none of it was read.
    DOWNLOAD_SOURCE_OPENED = "download.source_opened"
    #: A chunk was written into the upload. Once a chunk, the first one included.
    DOWNLOAD_CHUNK_WRITTEN = "download.chunk_written"
    #: A chunk of an encrypted recording was written as it came, into an upload of its own.
    DOWNLOAD_CIPHERTEXT_WRITTEN = "download.ciphertext_written"
    #: An encrypted recording is on the shelf as it came; nothing of it was looked at.
    DOWNLOAD_CIPHERTEXT_STORED = "download.ciphertext_stored"
    #: Its tag is right; nothing decrypted was written.
    DOWNLOAD_CIPHERTEXT_VERIFIED = "download.ciphertext_verified"
    #: Every byte was written and counted; the object has no name.
    DOWNLOAD_BEFORE_PUBLISH = "download.before_publish"
    #: The object is published; the row says DOWNLOADING still.
    DOWNLOAD_BEFORE_READY = "download.before_ready"
    #: The row says READY; nobody was told, and remains of other attempts are there.
    DOWNLOAD_AFTER_READY = "download.after_ready"
    #: Remains of other attempts are removed: the attempt is at its end.
    DOWNLOAD_REMAINS_REMOVED = "download.remains_removed"
    #: The object is published, but another attempt has taken over; the object was not removed.
    DOWNLOAD_SUPERSEDED = "download.superseded"

    #: A READY row is claimed for processing; nothing was read.
    PROCESSING_AFTER_CLAIM = "processing.after_claim"
    #: A step has made what it makes, or found that it can't; no row says so. Once a step.
    PROCESSING_STEP_MADE = "processing.step_made"
    #: The row says how the step has ended; nobody was told. Once a step.
    PROCESSING_STEP_NOTED = "processing.step_noted"

    #: The upload's bytes are about to be flushed.
    UPLOAD_BEFORE_FSYNC = "upload.before_fsync"
    #: The bytes are on the medium; the object has no name.
    UPLOAD_AFTER_FSYNC = "upload.after_fsync"
    #: The object has its name beside the upload's; neither is flushed.
    UPLOAD_AFTER_LINK = "upload.after_link"
    #: The object has its name alone; it is not flushed.
    UPLOAD_AFTER_UNLINK = "upload.after_unlink"
    #: The name is on the medium too: the object is published.
    UPLOAD_AFTER_FOLDER_FLUSH = "upload.after_folder_flush"

    #: An attempt has failed, or its worker is gone; its end is about to be written.
    ATTEMPT_BEFORE_END = "attempt.before_end"
    #: The row is QUEUED for its next attempt, or FAILED; nobody was told.
    ATTEMPT_AFTER_END = "attempt.after_end"
    #: A worker that is stopped is about to give back what it was at.
    ATTEMPT_BEFORE_RELEASE = "attempt.before_release"
    #: It was given back; nobody was told.
    ATTEMPT_AFTER_RELEASE = "attempt.after_release"

    #: An account's credentials were refused; the account is not paused.
    ACCOUNT_BEFORE_PAUSE = "account.before_pause"
    #: The account is paused; the attempt that was refused has not ended.
    ACCOUNT_AFTER_PAUSE = "account.after_pause"
    #: An account that is paused was accepted; it is paused still.
    ACCOUNT_BEFORE_RESUME = "account.before_resume"
    #: The account's recordings go on.
    ACCOUNT_AFTER_RESUME = "account.after_resume"
    #: Some of an account's many rows are paused or resumed, and others are not.
    ACCOUNT_BETWEEN_ROWS = "account.between_rows"

    #: The dispatcher is about to ring for rows that are due.
    DISPATCH_BEFORE_RING = "dispatch.before_ring"
    #: The bells have rung; no row says so.
    DISPATCH_AFTER_BELL = "dispatch.after_bell"
    #: The rows say that their bells have rung.
    DISPATCH_AFTER_MARK = "dispatch.after_mark"
    #: Bells are lost, or an account is to be probed; the rows are about to be given a new attempt, to be rung for anew.
    DISPATCH_BEFORE_NEW_ATTEMPT = "dispatch.before_new_attempt"

    #: A READY row's object was found lost or short; the row is about to go back to be fetched.
    SHELF_BEFORE_REFETCH = "shelf.before_refetch"
    #: An object that no row names is about to be removed.
    SWEEP_BEFORE_ORPHAN_REMOVED = "sweep.before_orphan_removed"

    #: A chunk of a stream was read off the shelf; it was not sent.
    STREAM_CHUNK_READ = "stream.chunk_read"

    #: An event is claimed to be delivered; the receiver was not asked.
    DELIVERY_AFTER_CLAIM = "delivery.after_claim"
    #: The receiver has answered, or has not; nothing is noted.
    DELIVERY_AFTER_ANSWER = "delivery.after_answer"

    #: The row says DELETED; the bytes are there.
    DELETE_AFTER_ROW = "delete.after_row"
    #: The bytes are gone; nobody was told.
    DELETE_AFTER_BYTES = "delete.after_bytes"
