"""How glibc keeps memory that was freed: by default a heap for each thread, which holds on to the largest picture it saw."""

from __future__ import annotations

import ctypes
from contextlib import suppress

_M_MMAP_THRESHOLD, _M_ARENA_MAX = -3, -8  # <malloc.h>
_LARGE_BYTES = 256 * 1024


def share_heap() -> None:
    """Let all threads use one heap: less memory, and no slower for what is computed in large pieces."""
    with suppress(OSError, AttributeError):  # another C library
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 1)


def keep_heap_small() -> None:
    """Give pictures back as soon as they are done with, too: pages are zeroed anew for each, which costs time."""
    share_heap()
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, _LARGE_BYTES)
