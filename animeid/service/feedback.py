"""What users say of answers: a file of JSON lines, which curation reads."""

from __future__ import annotations

import errno
import fcntl
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from animeid.service.problems import Problem
from animeid.system.console import say_error

FULL_BYTES = 2**28
"""A queue that nobody reads is not filled further."""


@dataclass(frozen=True)
class Feedback:
    """The queue; processes take turns in writing to it.

    file: is made with the first line.
    """

    file: Path

    def try_out(self) -> None:
        """Raises:
        OSError: something is there that no line can be appended to.
        """
        if os.path.lexists(self.file):
            os.close(self._open())

    def add(self, told: Mapping[str, Any]) -> None:
        """Appends a line with the time, the whole of it or nothing.

        Raises:
            Problem: the queue is full, or cannot be written to.
        """
        time = datetime.now(UTC).isoformat(timespec="seconds")
        line = json.dumps({"time": time, **told}, ensure_ascii=False) + "\n"
        try:
            descriptor = self._open()
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX)
                _append(descriptor, line.encode())
            finally:
                os.close(descriptor)
        except OSError as error:
            say_error(f"feedback cannot be written to {self.file}: {error}")
            raise Problem(503, "the queue of feedback cannot be written to: try again later", retry_after=60) from error

    def _open(self) -> int:
        return os.open(self.file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)


def _append(descriptor: int, line: bytes) -> None:
    size = os.fstat(descriptor).st_size
    if size > FULL_BYTES:
        raise Problem(503, "the queue of feedback is full, and waits to be read", retry_after=3600)
    written = os.write(descriptor, line)
    if written < len(line):
        os.ftruncate(descriptor, size)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
