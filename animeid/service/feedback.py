"""What users say of answers: a file of JSON lines, which curation reads."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from animeid.service.problems import Problem

FULL_BYTES = 2**28
"""A queue that nobody reads is not filled further."""


@dataclass(frozen=True)
class Feedback:
    """The queue; processes take turns in writing to it.

    file: is made with the first line.
    """

    file: Path

    def add(self, told: Mapping[str, Any]) -> None:
        """Appends a line with the time, in one write.

        Raises:
            Problem: the queue is full.
        """
        time = datetime.now(UTC).isoformat(timespec="seconds")
        line = json.dumps({"time": time, **told}, ensure_ascii=False) + "\n"
        descriptor = os.open(self.file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            if os.fstat(descriptor).st_size > FULL_BYTES:
                raise Problem(503, "the queue of feedback is full, and waits to be read", retry_after=3600)
            os.write(descriptor, line.encode())
        finally:
            os.close(descriptor)
