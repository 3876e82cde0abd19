"""Token buckets, one a key, which all workers share."""

from __future__ import annotations

import fcntl
import os
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

BUCKET = struct.Struct("dd")
"""Tokens, and the time at which there were so many."""


@dataclass(frozen=True)
class Rates:
    """How many requests a key may make.

    folder: holds a file for each key that has asked.
    now: seconds of a clock that never goes back and that all processes share.
    """

    folder: Path
    now: Callable[[], float] = time.monotonic

    def take(self, name: str, rate: float) -> float:
        """Takes a token of a bucket that holds what comes in a second, one at least.

        Args:
            name: of the key; a file is called so.
            rate: tokens a second.

        Returns:
            0, or the seconds until there is a token.
        """
        most = max(1.0, rate)
        descriptor = os.open(self.folder / name, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            stored = os.read(descriptor, BUCKET.size)
            now = self.now()
            tokens, at = BUCKET.unpack(stored) if len(stored) == BUCKET.size else (most, now)
            tokens = min(most, tokens + (now - at) * rate)
            is_free = tokens >= 1
            os.pwrite(descriptor, BUCKET.pack(tokens - is_free, now), 0)
        finally:
            os.close(descriptor)
        return 0.0 if is_free else (1 - tokens) / rate
