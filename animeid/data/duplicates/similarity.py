"""Similarity of two thumbnails: other colours, another frame."""

from __future__ import annotations

import numpy as np

from animeid.data.duplicates.alignment import aligned_pixels

SAME_SHAPES = 0.92
"""Share of the variance that one picture's colours must explain of the other's."""

SAME_PICTURE = 0.93
"""Share of the variance that a change of brightness and contrast must explain."""

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
    colours = colours_of(picture)
    counts = np.bincount(colours, minlength=LEVELS**3)
    used = counts > 0
    members = np.zeros((LEVELS**3, colours.size), dtype=np.float32)
    members[colours, np.arange(colours.size)] = 1
    pixels = others.reshape(len(others), -1, 3).astype(np.float32) / 255
    sums = (members[used] @ pixels).astype(np.float64)
    between = (sums**2 / counts[used][None, :, None]).sum(axis=(1, 2))
    total = (pixels.astype(np.float64) ** 2).sum(axis=(1, 2))
    mean = (pixels.astype(np.float64).sum(axis=1) ** 2).sum(axis=1) / colours.size
    variance = total - mean
    return np.where(variance > 1e-6, (between - mean) / np.maximum(variance, 1e-6), 1.0)


def colours_of(picture: np.ndarray) -> np.ndarray:
    """`[S * S]` int64: the number of each pixel's colour."""
    steps = picture.reshape(-1, 3).astype(np.int64) * LEVELS // 256
    return steps @ np.array([LEVELS * LEVELS, LEVELS, 1])


def similarity(picture: np.ndarray, other: np.ndarray) -> float:
    """The smaller share that one's colours explain of the other: neither may hold what the other lacks."""
    return float(min(explained(picture, other[None])[0], explained(other, picture[None])[0]))


def linear_similarity(picture: np.ndarray, other: np.ndarray) -> float:
    """The smaller share of one's variance that the other explains with a gain a channel: 0 to 1.

    Finer than counted colours: noise and shading leave it high, where a copy only changed in brightness, contrast,
    size or compression. A negative gain explains nothing.

    Args:
        picture, other: `[..., 3]` uint8 of the same shape.
    """
    first, second = (pixels.reshape(-1, 3).astype(np.float64) for pixels in (picture, other))
    first, second = first - first.mean(axis=0), second - second.mean(axis=0)
    within_first, within_second = (first**2).sum(axis=0), (second**2).sum(axis=0)
    together = np.maximum((first * second).sum(axis=0), 0) ** 2
    shares = [
        (together / np.maximum(by, 1e-6)).sum() / total if (total := of.sum()) > 1e-6 else 1.0
        for by, of in ((within_first, within_second), (within_second, within_first))
    ]
    return float(min(shares))


def is_same_drawing(picture: np.ndarray, other: np.ndarray) -> bool:
    """Whether thumbnails `[S, S, 3]` agree as they are or mirrored, be it in other colours."""
    return any(
        linear_similarity(picture, view) >= SAME_PICTURE or similarity(picture, view) >= SAME_SHAPES
        for view in (other, other[:, ::-1])
    )


def is_same_picture(picture: np.ndarray, other: np.ndarray) -> bool:
    """Whether thumbnails `[S, S, 3]` agree, mirrored or not, once one is laid over the other; colours count."""
    view = max(other, np.ascontiguousarray(other[:, ::-1]), key=lambda view: linear_similarity(picture, view))
    if linear_similarity(picture, view) >= SAME_PICTURE:
        return True
    pixels = aligned_pixels(picture, view)
    return pixels is not None and linear_similarity(*pixels) >= SAME_PICTURE
