"""Perceptual hashes of a picture and of its mirror."""

from __future__ import annotations

import cv2
import numpy as np
from scipy.fft import dctn

SIDE = 64
"""The grey picture that is hashed has this side."""

LOW = 16
"""So many frequencies are kept along each axis."""

HASH_BYTES = LOW * LOW // 8

MIDDLE = LOW * LOW // 2

TILE = 512


def perceptual_hashes(picture: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """DCT hashes (Zauner 2010, "Implementation and benchmarking of perceptual image hash functions", section 3.2).

    Bits say which of the lowest frequencies of the type II cosine transform of the grey picture lie above their
    median. The transform of the mirrored picture is the same with the odd horizontal frequencies negated, so the
    mirror costs no second transform.

    Args:
        picture: `[H, W, 3]` uint8.

    Returns:
        Two arrays `[HASH_BYTES]` uint8: of the picture, and of the picture mirrored left to right.
    """
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    small = cv2.resize(grey, (SIDE, SIDE), interpolation=cv2.INTER_AREA).astype(np.float32)
    low = dctn(small, type=2, norm="ortho")[:LOW, :LOW]
    signs = np.where(np.arange(LOW) % 2, -1, 1)
    return _bits(low), _bits(low * signs)


def _bits(frequencies: np.ndarray) -> np.ndarray:
    ordered = np.partition(frequencies, (MIDDLE - 1, MIDDLE), axis=None)
    median = (ordered[MIDDLE - 1] + ordered[MIDDLE]) / 2  # numpy's own function takes four times as long
    return np.packbits(frequencies > median)


def distances(hashes: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Hamming distances `[N, M]` between the hashes `[N, HASH_BYTES]` and `[M, HASH_BYTES]`, in bits."""
    words, other_words = hashes.view(np.uint64), others.view(np.uint64)
    total = np.zeros((len(hashes), len(others)), dtype=np.uint16)
    # Tiles that a core's own cache holds.
    for start in range(0, len(others), TILE):
        tile, theirs = total[:, start : start + TILE], other_words[start : start + TILE]
        for column in range(words.shape[1]):
            tile += np.bitwise_count(words[:, column, None] ^ theirs[None, :, column])
    return total


def bits_apart(hashes: np.ndarray, mirrored: np.ndarray, others: np.ndarray) -> np.ndarray:
    """`[N, M]`: distances of the hashes of pictures, or of their mirrors, whichever are nearer, from other hashes."""
    return np.minimum(distances(hashes, others), distances(mirrored, others))


def row_by_row(hashes: np.ndarray, mirrored: np.ndarray, rows: np.ndarray, others: np.ndarray) -> np.ndarray:
    """`[P]` int64: what `bits_apart` has of pairs of rows."""
    own, mirrors = hashes.view(np.uint64), mirrored.view(np.uint64)
    return np.minimum(
        *(np.bitwise_count(view[rows] ^ own[others]).sum(axis=1, dtype=np.int64) for view in (own, mirrors))
    )


def pairs_apart(hashes: np.ndarray, mirrored: np.ndarray, rows: np.ndarray, others: np.ndarray) -> np.ndarray:
    """`[P]` int64: distances of pairs of rows, the same in either order.

    The mirror of one may be a few bits further from the other than the other's mirror from it, since each is cut at
    its own median: the further counts.
    """
    own, mirrors = hashes.view(np.uint64), mirrored.view(np.uint64)

    def bits(one: np.ndarray, other: np.ndarray) -> np.ndarray:
        return np.bitwise_count(one ^ other).sum(axis=1, dtype=np.int64)

    mirror = np.maximum(bits(mirrors[rows], own[others]), bits(own[rows], mirrors[others]))
    return np.minimum(bits(own[rows], own[others]), mirror)
