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


def colours_of(pictures: np.ndarray) -> np.ndarray:
    """`[..., S * S]` int64: the number of each pixel's colour, of pictures `[..., S, S, 3]`."""
    steps = pictures.reshape(*pictures.shape[:-3], -1, 3).astype(np.int64) * LEVELS // 256
    return steps @ np.array([LEVELS * LEVELS, LEVELS, 1])


def explained_by_each(others: np.ndarray, picture: np.ndarray) -> np.ndarray:
    """`[K]` float64: how much of the picture's variance the colours of each other picture explain, as `explained`."""
    count, shades = len(others), LEVELS**3
    places = (colours_of(others) + shades * np.arange(count)[:, None]).ravel()
    pixels = picture.reshape(-1, 3) / 255
    members = np.bincount(places, minlength=shades * count)
    sums = [np.bincount(places, np.tile(channel, count), shades * count) for channel in pixels.T]
    between = (np.square(sums).sum(axis=0) / np.maximum(members, 1)).reshape(count, shades).sum(axis=1)
    mean = (pixels.sum(axis=0) ** 2).sum() / len(pixels)
    variance = (pixels**2).sum() - mean
    return (between - mean) / variance if variance > 1e-6 else np.ones(count)


def similarities(picture: np.ndarray, others: np.ndarray) -> np.ndarray:
    """`[K]`: the smaller share that one's colours explain of the other: neither may hold what the other lacks."""
    return np.minimum(explained(picture, others), explained_by_each(others, picture))


def linear_similarity(picture: np.ndarray, other: np.ndarray) -> float:
    """The smaller share of one's variance that the other explains with a gain a channel: 0 to 1.

    Finer than counted colours: noise and shading leave it high, where a copy only changed in brightness, contrast,
    size or compression. A negative gain explains nothing.

    Args:
        picture, other: `[..., 3]` uint8 of the same shape.
    """
    return float(linear_similarities(picture, other[None])[0])


def linear_similarities(picture: np.ndarray, others: np.ndarray) -> np.ndarray:
    """`[K]`: `linear_similarity` of a picture `[..., 3]` and each of `[K, ..., 3]`."""
    first, second = picture.reshape(1, -1, 3).astype(np.float64), others.reshape(len(others), -1, 3).astype(np.float64)
    first, second = first - first.mean(axis=1, keepdims=True), second - second.mean(axis=1, keepdims=True)
    within_first, within_second = (first**2).sum(axis=1), (second**2).sum(axis=1)
    together = np.maximum((first * second).sum(axis=1), 0) ** 2
    shares = []
    for by, of in ((within_first, within_second), (within_second, within_first)):
        total, held = of.sum(axis=1), (together / np.maximum(by, 1e-6)).sum(axis=1)
        shares.append(np.where(total > 1e-6, held / np.maximum(total, 1e-6), 1.0))
    return np.minimum(*shares)


def same_drawings(picture: np.ndarray, others: np.ndarray) -> np.ndarray:
    """`[K]` bool: whether a thumbnail `[S, S, 3]` and each of `[K, S, S, 3]` agree as they are or mirrored, be it in
    other colours."""
    found = np.zeros(len(others), dtype=bool)
    for views in (others, others[:, :, ::-1]):
        found |= linear_similarities(picture, views) >= SAME_PICTURE
    for views in (others, others[:, :, ::-1]):
        left = np.flatnonzero(~found)
        if len(left):
            found[left] = similarities(picture, np.ascontiguousarray(views[left])) >= SAME_SHAPES
    return found


def is_same_picture(picture: np.ndarray, other: np.ndarray) -> bool:
    """Whether thumbnails `[S, S, 3]` agree, mirrored or not, once one is laid over the other; colours count."""
    view = max(other, np.ascontiguousarray(other[:, ::-1]), key=lambda view: linear_similarity(picture, view))
    if linear_similarity(picture, view) >= SAME_PICTURE:
        return True
    pixels = aligned_pixels(picture, view)
    return pixels is not None and linear_similarity(*pixels) >= SAME_PICTURE
