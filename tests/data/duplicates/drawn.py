"""Pictures with one outline in many colours, as stickers and catalogues have them, and their fingerprints."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from animeid.data.duplicates.fingerprints import Fingerprints, shrink
from animeid.data.duplicates.hashing import perceptual_hashes
from animeid.data.duplicates.thumbnails import THUMBNAIL, Thumbnails


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


def prints_of(pictures: list[np.ndarray]) -> Fingerprints:
    hashes = [perceptual_hashes(picture) for picture in pictures]
    count = len(pictures)
    return Fingerprints(
        np.array([picture.shape[1::-1] for picture in pictures]),
        [f"{number:064x}" for number in range(count)],
        np.stack([own for own, _ in hashes]),
        np.stack([mirrored for _, mirrored in hashes]),
        Thumbnails(
            [np.stack([shrink(picture, THUMBNAIL) for picture in pictures])], np.zeros(count, int), np.arange(count)
        ),
    )
