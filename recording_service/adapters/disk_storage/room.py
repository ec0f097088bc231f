"""The room on the shelf: what its file system has free, less the reserve that is left to others."""

import os
from dataclasses import dataclass

from recording_service.core.errors import StorageFull


@dataclass(frozen=True, slots=True)
class Room:
    """Looks at the file system of an open folder, anew each time. Safe to use from many threads."""

    root: int
    #: Free bytes that recordings don't touch: the catalogue and Redis may be on the same disk, and go on by them.
    reserve_bytes: int

    def free_bytes(self) -> int | None:
        """What this user may still write, in bytes; None where the file system does not say. Raises OSError.

        One that says nothing says zero of everything: a tmpfs without a limit, some in user space (statvfs(3)).
        """
        status = os.statvfs(self.root)
        return status.f_bavail * status.f_frsize if status.f_blocks else None

    def require(self, size_bytes: int) -> None:
        """Raises StorageFull unless that much may be written without touching the reserve; OSError.

        A disk with nothing free has no room, whatever the reserve.
        """
        free_bytes = self.free_bytes()
        if free_bytes is not None and free_bytes < max(self.reserve_bytes + size_bytes, 1):
            raise StorageFull
