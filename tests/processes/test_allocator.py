"""Memory that is needed again and again is not given back in between."""

import subprocess
import sys

#: Takes and frees 4 MiB, 50 times; prints how many pages the kernel had to make for it, after the first time.
_TAKE_AND_FREE = """
import resource
from recording_service.processes.allocator import keep_freed_memory
{first}
def take() -> None:
    blocks = [bytes(256 * 1024) for _ in range(16)]
    del blocks
take()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(50):
    take()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""
_PAGES = 4 * 1024 * 1024 // 4096


def _page_faults(first: str) -> int:
    script = _TAKE_AND_FREE.format(first=first)
    return int(subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout)


def test_memory_that_was_freed_is_kept_for_what_comes_next() -> None:
    assert _page_faults("keep_freed_memory()") < _PAGES
    # By default it is given back each time.
    assert _page_faults("") > 10 * _PAGES
