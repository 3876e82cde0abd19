"""What is kept of every picture after one look at it: size, sha256, perceptual hashes and a thumbnail."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from animeid.data.hashing import HASH_BYTES, perceptual_hashes
from animeid.data.images import UnreadableImage, decode_stream, open_picture
from animeid.machine import usable_cores
from animeid.progress import progress

THUMBNAIL = 48
"""Side of the thumbnails that near-duplicates are confirmed on."""


@dataclass(frozen=True)
class Fingerprints:
    """Of N pictures.

    sizes: `[N, 2]` int64, width and height. sha256: N hexadecimal strings, of the file's bytes.
    hashes, mirrored: `[N, HASH_BYTES]` uint8, perceptual hashes of the picture and of its mirror.
    thumbnails: `[N, THUMBNAIL, THUMBNAIL, 3]` uint8, stretched to a square.
    """

    sizes: np.ndarray
    sha256: list[str]
    hashes: np.ndarray
    mirrored: np.ndarray
    thumbnails: np.ndarray

    def take(self, rows: np.ndarray) -> Fingerprints:
        """Those of the given rows, in their order."""
        return Fingerprints(
            self.sizes[rows],
            [self.sha256[row] for row in rows],
            self.hashes[rows],
            self.mirrored[rows],
            self.thumbnails[rows],
        )


def fingerprint_all(paths: Sequence[Path], max_pixels: int) -> tuple[Fingerprints, dict[int, str]]:
    """Decodes every picture once, in parallel.

    Returns:
        The fingerprints, and the reason for each index whose file is no usable picture (its fingerprint is zeros).
    """
    count = len(paths)
    found = Fingerprints(
        sizes=np.zeros((count, 2), dtype=np.int64),
        sha256=[""] * count,
        hashes=np.zeros((count, HASH_BYTES), dtype=np.uint8),
        mirrored=np.zeros((count, HASH_BYTES), dtype=np.uint8),
        thumbnails=np.zeros((count, THUMBNAIL, THUMBNAIL, 3), dtype=np.uint8),
    )

    def look(index: int) -> str:
        try:
            _look(paths[index], max_pixels, found, index)
        except UnreadableImage as error:
            return str(error)
        return ""

    # Decoders release the interpreter's lock, so that a thread a core keeps the cores busy.
    with ThreadPoolExecutor(usable_cores()) as pool:
        try:
            reasons = list(progress(pool.map(look, range(count)), count, "reading pictures"))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return found, {index: reason for index, reason in enumerate(reasons) if reason}


def _look(path: Path, max_pixels: int, found: Fingerprints, index: int) -> None:
    with open_picture(path) as stream:
        picture = decode_stream(stream, max_pixels)
        stream.seek(0)
        found.sha256[index] = hashlib.file_digest(stream, "sha256").hexdigest()  # type: ignore[arg-type]
    height, width = picture.shape[:2]
    found.sizes[index] = width, height
    found.thumbnails[index] = shrink(picture, THUMBNAIL)
    found.hashes[index], found.mirrored[index] = perceptual_hashes(picture)


def shrink(picture: np.ndarray, side: int) -> np.ndarray:
    """Stretches `[H, W, 3]` uint8 to `[side, side, 3]`, averaging over areas where it gets smaller."""
    return cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA)
