"""How much freed memory a process keeps for itself, instead of giving it back to the kernel and taking it anew."""

import ctypes
from typing import Final

#: Of mallopt(3), by their numbers in malloc.h.
_M_TRIM_THRESHOLD: Final = -1
_M_MMAP_THRESHOLD: Final = -3
#: Blocks of at least so many bytes are the kernel's to give and take: none that a stream needs is so large.
_MMAP_BYTES: Final = 8 * 1024 * 1024
#: So many free bytes are kept at the end of a heap: what a few streams at full speed need and free all the time.
_KEPT_BYTES: Final = 16 * 1024 * 1024


def keep_freed_memory() -> None:
    """Has glibc keep up to 16 MiB for what comes next.

    By default it gives back what it can of the megabytes that each chunk of a stream is put together in, and the kernel
    makes them anew for the next one, page by page: 100 page faults a MiB, an eighth of all that HTTP playback costs.
    Where the C library is another one nothing happens.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, _MMAP_BYTES)
        mallopt(_M_TRIM_THRESHOLD, _KEPT_BYTES)
