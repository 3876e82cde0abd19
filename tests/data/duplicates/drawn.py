"""Pictures with one outline in many colours, as stickers and catalogues have them."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw


def sticker(outline: int, seed: int) -> np.ndarray:
    """`[160, 160, 3]` uint8, a body, a head and eyes on white: shapes by the outline, colours and eyes by the seed."""
    shapes, colours = np.random.default_rng(outline), np.random.default_rng([outline, seed])
    image = Image.new("RGB", (160, 160), "white")
    pen = ImageDraw.Draw(image)
    left, width = (int(value) for value in shapes.integers((30, 60), (50, 80)))
    for top, height in ((20, 60), (70, 80)):
        colour = tuple(int(value) for value in colours.integers(0, 200, 3))
        pen.ellipse((left, top, left + width, top + height), fill=colour)
    for x, y in colours.integers((left + 10, 30), (left + width - 10, 60), (3, 2)).tolist():
        pen.rectangle((x, y, x + 8, y + 6), fill=tuple(int(value) for value in colours.integers(0, 256, 3)))
    return np.asarray(image)
