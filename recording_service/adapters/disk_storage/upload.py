"""An object on its way to the shelf on disk: the atomic local write of reliability.md B1."""

import errno
import hashlib
import io
import os
import stat

from recording_service.adapters.disk_storage.folders import FILE_MODE, RecordingFolder, translated
from recording_service.adapters.disk_storage.room import Room
from recording_service.adapters.object_keys import ObjectName, upload_file
from recording_service.core.failpoints import Failpoint, failpoint
from recording_service.core.model import StoredObject

#: How the file of an upload is opened: it is new, and no link to anything else.
OPEN_NEW_FILE = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC

#: How many bytes are written between two looks at the room. Many uploads at once overshoot it by that much each.
ROOM_STEP_BYTES = 1024 * 1024

#: How an object is opened that has the upload's name; O_NONBLOCK so that a pipe in its place could not hold us up.
OPEN_NAMESAKE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC

#: How much of such an object is read at a time.
NAMESAKE_PIECE_BYTES = 1 << 20


class DiskUpload:
    """Implements `ports.Upload`. For one thread.

    The bytes are hashed on their way into a file that no reader looks for. `publish` gives that file the object's name
    by a hard link, which unlike a rename never replaces anything, once both the bytes are flushed.
    """

    def __init__(self, name: ObjectName, folder: RecordingFolder, room: Room) -> None:
        """Makes the file. Raises OSError: FileNotFoundError if the folder has vanished meanwhile."""
        self._name = name
        self._folder = folder
        self._room = room
        self._room_until_bytes = 0
        self._upload_file = upload_file(name.file)
        descriptor = os.open(self._upload_file, OPEN_NEW_FILE, FILE_MODE, dir_fd=folder.descriptor)
        # Unbuffered, and only for its being closed once: a descriptor is a number that soon means another file.
        self._file = io.FileIO(descriptor, "wb")
        self._digest = hashlib.sha256()
        self._received_bytes = 0

    @property
    def received_bytes(self) -> int:
        """How many bytes were written."""
        return self._received_bytes

    def write(self, data: bytes) -> None:
        """Appends; StorageFull if there is no room, StorageUnavailable if the disk fails."""
        with translated():
            if self._received_bytes >= self._room_until_bytes:
                self._room.require(len(data))
                self._room_until_bytes = self._received_bytes + ROOM_STEP_BYTES
            rest = memoryview(data)
            while rest:
                rest = rest[os.write(self._file.fileno(), rest) :]
        self._digest.update(data)
        self._received_bytes += len(data)

    def publish(self) -> StoredObject:
        """Flushes the bytes, names them, flushes the name. Once; StorageUnavailable if any step fails.

        An fsync that failed is not tried again: the kernel may have dropped the very pages it could not write, and
        would call the next one a success. The object is withdrawn instead.

        An object of that name that is there already is never replaced, but if it has the very same bytes, it is the one
        that was to be published: a catalogue that was restored from a backup counts attempts anew.
        """
        with translated():
            failpoint(Failpoint.UPLOAD_BEFORE_FSYNC)
            self._flush_bytes()
            failpoint(Failpoint.UPLOAD_AFTER_FSYNC)
            is_new = self._linked()
            try:
                failpoint(Failpoint.UPLOAD_AFTER_LINK)
                self._folder.unlink(self._upload_file)
                failpoint(Failpoint.UPLOAD_AFTER_UNLINK)
                self._folder.flush()
                failpoint(Failpoint.UPLOAD_AFTER_FOLDER_FLUSH)
            except OSError:
                if is_new:
                    self._folder.unlink(self._name.file)
                raise
        self._file.close()
        return StoredObject(str(self._name), self._received_bytes, self._digest.hexdigest())

    def replace(self) -> StoredObject:
        """As `publish`, but by a rename, which takes the place of an object in one step. Once; StorageUnavailable."""
        with translated():
            self._flush_bytes()
            self._folder.rename(self._upload_file, self._name.file)
            self._folder.flush()
        self._file.close()
        return StoredObject(str(self._name), self._received_bytes, self._digest.hexdigest())

    def end(self) -> None:
        """Removes whatever was not published. Idempotent."""
        with translated():
            try:
                self._file.close()
            finally:
                self._folder.unlink(self._upload_file)
            self._folder.remove_if_empty()

    def _flush_bytes(self) -> None:
        """Raises OSError unless exactly the bytes that were written are on the medium."""
        if os.fstat(self._file.fileno()).st_size != self._received_bytes:
            raise OSError(errno.EIO, "the file is not as long as what was written to it")
        os.fsync(self._file.fileno())

    def _linked(self) -> bool:
        """Names the file; False if an object of that name with the same bytes is there already.

        Raises FileExistsError if one with other bytes is, FileNotFoundError if the upload was removed meanwhile.
        """
        try:
            os.link(
                self._upload_file,
                self._name.file,
                src_dir_fd=self._folder.descriptor,
                dst_dir_fd=self._folder.descriptor,
                follow_symlinks=False,
            )
        except FileExistsError:
            if not self._is_equal_to_namesake():
                raise
            return False
        return True

    def _is_equal_to_namesake(self) -> bool:
        """Whether the object that has the name already has the same bytes; they are then flushed. Raises OSError."""
        descriptor = os.open(self._name.file, OPEN_NAMESAKE, dir_fd=self._folder.descriptor)
        with io.FileIO(descriptor, "rb") as namesake:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode) or status.st_size != self._received_bytes:
                return False
            digest = hashlib.sha256()
            while piece := namesake.read(NAMESAKE_PIECE_BYTES):
                digest.update(piece)
            if digest.digest() != self._digest.digest():
                return False
            # As if it had been written now: to the sweep it would else be long at rest, before its row names it.
            os.utime(descriptor)
            # Whoever put it there may not have flushed it: a copy that was brought back, for one.
            os.fsync(descriptor)
            return True
