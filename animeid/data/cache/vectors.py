"""Embeddings kept by what made them: a vector for each picture, found by the SHA-256 of its file.

A folder holds the vectors of one network with fixed weights and one way of showing it pictures, in segments as those of
pixels: a call adds one with what is missing, written beside its place and moved there.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4
from zipfile import BadZipFile

import numpy as np

from animeid.data.cache.home import is_forgotten
from animeid.data.cache.segments import digests
from animeid.system.files import atomic

VERSION = 2
"""Changes with what a network is shown of a picture, and with what a maker's digest tells."""


@dataclass(frozen=True)
class VectorStore:
    """Vectors of one maker.

    home: of those of all makers. maker: a digest of weights, picture size and whatever else moves a vector.
    """

    home: Path
    maker: str

    @property
    def folder(self) -> Path:
        return self.home / f"v{VERSION}-{self.maker}"

    def read(self, sha256: Sequence[str]) -> dict[int, np.ndarray]:
        """`[D]` float32 each, by its place among the digests; those that are not kept are left out."""
        wanted = digests(sha256).tolist()
        found: dict[int, np.ndarray] = {}
        for segment in sorted(self.folder.glob("*.npz")):
            try:
                with np.load(segment) as stored:
                    position = {digest: index for index, digest in enumerate(stored["sha256"].tolist())}
                    vectors = stored["vectors"]
            except (OSError, ValueError, KeyError, BadZipFile):  # removed by another process, or damaged
                continue
            found |= {place: vectors[position[digest]] for place, digest in enumerate(wanted) if digest in position}
            with suppress(OSError):  # a cache that others only read
                os.utime(segment)
        return found

    def add(self, sha256: Sequence[str], vectors: np.ndarray) -> bool:
        """Keeps `[N, D]` vectors; returns whether that was possible. Those of no more use to anybody are removed."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with atomic(self.folder / f"{uuid4().hex}.npz") as stream:
                np.savez(stream, sha256=digests(sha256), vectors=vectors.astype(np.float32))
            for segment in self.home.glob("v*/*.npz"):
                if is_forgotten(segment):
                    segment.unlink(missing_ok=True)
        except OSError:
            return False
        return True
