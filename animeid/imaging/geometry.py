"""Geometry of working pictures: how large they are for an output."""

from __future__ import annotations

STEP = 16


def working_side(image_size: tuple[int, int]) -> int:
    """The short side in pixels of working pictures for an output of `image_size` (H, W).

    8/7 of the output as usual before a centre crop (256 for 224), rounded up to a multiple of 16. What that does to
    accuracy, beside twice the output, is measured in experiments/cache.
    """
    return -(-8 * max(image_size) // (7 * STEP)) * STEP


def working_size(height: int, width: int, side: int) -> tuple[int, int]:
    """Height and width of a picture's working picture: the short side is `side`, or as it is where it is smaller."""
    short = min(height, width)
    return (height, width) if short <= side else (round(height * side / short), round(width * side / short))
