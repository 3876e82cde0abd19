"""Similarity of two thumbnails: other colours, another frame."""

from __future__ import annotations

import numpy as np

from animeid.data.duplicates.alignment import aligned_pixels

SAME_SHAPES = 0.92
"""Share of the variance that one picture's colours must explain of the other's."""

SAME_INSIDE = 0.8
"""The same share outside the commonest colour, which mostly is the ground: one outline on white is explained by that
alone, whatever is in it. Recoloured drawings of emoji_cast have more in 19 of 20 pairs, others in one outline less."""

SAME_PICTURE = 0.93
"""Share of the variance that a change of brightness and contrast must explain."""

LEVELS = 4
"""Steps a channel when colours are counted: 64 colours for the 2,304 pixels of a thumbnail."""


FLAT = 1e-6
"""Variance of a picture of one colour, at most."""


def colours_of(pictures: np.ndarray) -> np.ndarray:
    """`[..., S * S]` int64: the number of each pixel's colour, of pictures `[..., S, S, 3]`."""
    steps = pictures.reshape(*pictures.shape[:-3], -1, 3).astype(np.int64) * LEVELS // 256
    return steps @ np.array([LEVELS * LEVELS, LEVELS, 1])


def linear_similarity(picture: np.ndarray, other: np.ndarray) -> float:
    """The smaller share of one's variance that the other explains with a gain a channel: 0 to 1.

    Finer than counted colours: noise and shading leave it high, where a copy only changed in brightness, contrast,
    size or compression. A negative gain explains nothing.

    Args:
        picture, other: `[..., 3]` uint8 of the same shape.
    """
    first, second = (np.ascontiguousarray(pixels.reshape(-1, 3).T, dtype=np.float64) for pixels in (picture, other))
    # P times the covariances, summed up over P pixels: whole numbers, and so exact.
    pixels, sums, other_sums = first.shape[1], first.sum(axis=1), second.sum(axis=1)
    own = (pixels * np.vecdot(first, first) - sums * sums).tolist()
    others = (pixels * np.vecdot(second, second) - other_sums * other_sums).tolist()
    both = (pixels * np.vecdot(first, second) - sums * other_sums).tolist()
    flat = FLAT * pixels
    return min(_explained(both, own, others, flat), _explained(both, others, own, flat))


def _explained(both: list[float], by: list[float], of: list[float], flat: float) -> float:
    """The share of the variance `of` that is explained `by` another; each a number a channel."""
    held = sum(max(together, 0.0) ** 2 / max(own, flat) for together, own in zip(both, by, strict=True))
    return held / sum(of) if sum(of) > flat else 1.0


def is_same_picture(picture: np.ndarray, other: np.ndarray) -> bool:
    """Whether thumbnails `[S, S, 3]` agree, mirrored or not, once one is laid over the other; colours count.

    The same is said of them in either order.
    """
    first, second = sorted((picture, other), key=np.ndarray.tobytes)
    views = [second, np.ascontiguousarray(second[:, ::-1])]
    similarities = [linear_similarity(first, view) for view in views]
    if max(similarities) >= SAME_PICTURE:
        return True
    pixels = aligned_pixels(first, views[int(np.argmax(similarities))])
    return pixels is not None and linear_similarity(*pixels) >= SAME_PICTURE
