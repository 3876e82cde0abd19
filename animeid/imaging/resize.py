"""Resizing by Pillow: bilinear and antialiased, the same numbers on every machine."""

from __future__ import annotations

import numpy as np
from PIL import Image


def resize(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """`[h, w, 3]` uint8 to `[size[0], size[1], 3]` uint8; the same array where it has that size."""
    return image if image.shape[:2] == tuple(size) else np.array(resize_image(Image.fromarray(image), size))


def resize_image(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """As `resize`, of Pillow's picture, which need not become an array first."""
    height, width = size
    return image.resize((width, height), Image.Resampling.BILINEAR)
