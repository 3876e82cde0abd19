"""Whether two thumbnails show one picture, whatever was done to its colours."""

from __future__ import annotations

import numpy as np

LEVELS = 4
"""Steps a channel when colours are counted: 64 colours for the 2,304 pixels of a thumbnail."""


def explained(picture: np.ndarray, others: np.ndarray) -> np.ndarray:
    """How much of each other picture's variance the colours of `picture` explain, pixel by pixel: 0 to 1.

    This is the correlation ratio (Roche 1998, "The correlation ratio as a new similarity measure for multimodal image
    registration"). A copy with other brightness, contrast, tint or palette is explained nearly wholly, since equal
    colours stay equal; another drawing is not, even where hashes of flat art agree.

    Args:
        picture: `[S, S, 3]` uint8.
        others: `[K, S, S, 3]` uint8.

    Returns:
        `[K]` float64; 1 for a picture of one colour, which everything explains.
    """
    colours = _colours(picture)
    counts = np.bincount(colours, minlength=LEVELS**3)
    used = counts > 0
    members = np.zeros((LEVELS**3, colours.size), dtype=np.float32)
    members[colours, np.arange(colours.size)] = 1
    pixels = others.reshape(len(others), -1, 3).astype(np.float32) / 255
    sums = np.einsum("cp,kpd->kcd", members[used], pixels, optimize=True).astype(np.float64)
    between = (sums**2 / counts[used][None, :, None]).sum(axis=(1, 2))
    total = (pixels.astype(np.float64) ** 2).sum(axis=(1, 2))
    mean = (pixels.astype(np.float64).sum(axis=1) ** 2).sum(axis=1) / colours.size
    variance = total - mean
    return np.where(variance > 1e-6, (between - mean) / np.maximum(variance, 1e-6), 1.0)


def _colours(picture: np.ndarray) -> np.ndarray:
    """`[S * S]` int64: the number of each pixel's colour."""
    steps = picture.reshape(-1, 3).astype(np.int64) * LEVELS // 256
    return steps @ np.array([LEVELS * LEVELS, LEVELS, 1])


def similarity(picture: np.ndarray, other: np.ndarray) -> float:
    """The smaller share that one explains of the other: neither may hold what the other lacks."""
    return float(min(explained(picture, other[None])[0], explained(other, picture[None])[0]))


def is_same_picture(picture: np.ndarray, other: np.ndarray, threshold: float) -> bool:
    """Whether two thumbnails `[S, S, 3]` agree as they are or mirrored."""
    return max(similarity(picture, other), similarity(picture, other[:, ::-1])) >= threshold
