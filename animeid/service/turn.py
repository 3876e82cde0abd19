"""What one of several processes does for all of them."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import Self


class Turn:
    """Whose turn it is: that of the first who asks, until it ends; then of whoever asks next.

    Args:
        file: of all processes.
    """

    def __init__(self, file: Path) -> None:
        self._descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        os.close(self._descriptor)

    def is_mine(self) -> bool:
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
