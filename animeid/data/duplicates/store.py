"""Fingerprints of pictures that were seen before, found by the SHA-256 of their files.

Each run that meets new pictures adds one file; all are mapped, not read.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

import numpy as np

from animeid.data.cache.home import is_forgotten
from animeid.data.duplicates.hashing import HASH_BYTES
from animeid.system.console import say
from animeid.system.files import atomic

VERSION = 1
"""Changes with how a fingerprint is computed."""

THUMBNAIL = 48
"""Side of the thumbnails that near-duplicates are confirmed on."""

RECORD = np.dtype(
    [
        ("sha256", "V32"),
        ("size", np.int64, 2),
        ("hash", np.uint8, HASH_BYTES),
        ("mirrored", np.uint8, HASH_BYTES),
        ("thumbnail", np.uint8, (THUMBNAIL, THUMBNAIL, 3)),
    ]
)
"""A picture: width and height, perceptual hashes of it and of its mirror, thumbnail."""


class FingerprintStore:
    """Records by the hexadecimal SHA-256.

    Args:
        home: the cache's folder; None keeps nothing.
    """

    def __init__(self, home: Path | None) -> None:
        self.folder = None if home is None else home / f"fingerprints-v{VERSION}"
        self.known: dict[bytes, np.void] = {}
        for path in sorted(self.folder.glob("*.npy")) if self.folder else []:
            self._open(path)

    def _open(self, path: Path) -> None:
        try:
            records = np.load(path, mmap_mode="r")
        except (OSError, ValueError):  # removed by another process, or damaged
            return
        if records.dtype == RECORD:
            self.known.update(zip(records["sha256"].tolist(), records, strict=True))
            with suppress(OSError):  # a cache that others only read
                os.utime(path)

    def get(self, sha256: str) -> np.void | None:
        return self.known.get(bytes.fromhex(sha256))

    def add(self, records: Iterable[np.ndarray]) -> None:
        """Keeps new records, `[1]` of RECORD each; where the folder cannot be written that is said, and all goes on."""
        new = list(records)
        if self.folder is None or not new:
            return
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            for path in self.folder.glob("*.npy"):
                if is_forgotten(path):
                    path.unlink()
            with atomic(self.folder / f"{uuid4().hex}.npy") as stream:
                np.save(stream, np.concatenate(new))
        except OSError as error:
            say(f"the next run reads all pictures anew: {self.folder} cannot be written ({error.strerror})")
