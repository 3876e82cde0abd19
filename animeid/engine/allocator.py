"""Settings of the C library's memory allocator."""

from __future__ import annotations

import ctypes
import sys

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # malloc.h
LARGE = 2**30


def keep_freed_memory() -> None:
    """Has glibc keep what is freed for the next allocation, instead of giving it back to the system.

    A training step on the CPU allocates the same large blocks again and again. As glibc is set up, each comes from the
    system as new pages, which are zeroed when they are first written to; that can take as long as the computation.
    Other C libraries do not have this, and are left alone.
    """
    if not sys.platform.startswith("linux"):
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_MMAP_THRESHOLD, LARGE)
        mallopt(M_TRIM_THRESHOLD, 2 * LARGE - 1)
