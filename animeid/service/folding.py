"""What dead workers have counted, folded into one file: counters never go back, and files do not pile up."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from prometheus_client.mmap_dict import MmapedDict

LOCK = "lock"
GONE = "gone"
"""What stands in the place of a process's number in the name of the files that hold what dead ones have counted."""
KINDS = ("counter", "histogram")
"""Kinds whose values add up; gauges of a process end with it."""


@contextmanager
def reading(folder: Path) -> Iterator[None]:
    """Keeps files as they are while they are read."""
    with _locked(folder, fcntl.LOCK_SH):
        yield


def fold(folder: Path, pid: int) -> None:
    """Adds what a process that is gone has counted to that of others, and removes its files, in one step for readers.

    Args:
        folder: of the metrics' files.
        pid: of the process, which must not live any more.
    """
    with _locked(folder, fcntl.LOCK_EX):
        for kind in KINDS:
            own, common = folder / f"{kind}_{pid}.db", folder / f"{kind}_{GONE}.db"
            if own.is_file():
                _add(own, common)
                own.unlink()
        for left in folder.glob(f"gauge_*_{pid}.db"):
            left.unlink()


def _add(own: Path, common: Path) -> None:
    added = MmapedDict(str(common))
    try:
        for key, value, timestamp, _ in MmapedDict.read_all_values_from_file(str(own)):
            added.write_value(key, added.read_value(key)[0] + value, timestamp)
    finally:
        added.close()


@contextmanager
def _locked(folder: Path, how: int) -> Iterator[None]:
    descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, how)
        yield
    finally:
        os.close(descriptor)
