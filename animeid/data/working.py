"""The working picture: what transforms see of a file, small enough to be kept for the next epoch.

Training, evaluation and prediction all start from it, so that pixels from the cache and pixels from the file are the
same to the bit.
"""

from __future__ import annotations

from pathlib import Path
from typing import IO

import numpy as np
import torch
from torch.nn.functional import interpolate

from animeid.data.images import decode_stream, open_picture

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


def working_picture(path: Path, max_pixels: int, side: int) -> np.ndarray:
    """Reads a picture file to `[h, w, 3]` uint8 RGB of `working_size`.

    Raises:
        UnreadableImage: as `images.decode`.
    """
    with open_picture(path) as stream:
        return working_from_stream(stream, max_pixels, side)


def working_from_stream(stream: IO[bytes], max_pixels: int, side: int) -> np.ndarray:
    """As `working_picture`, from an open file."""
    picture = decode_stream(stream, max_pixels, side)
    height, width = picture.shape[:2]
    return resize(picture, working_size(height, width, side))


def resize(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """`[h, w, 3]` uint8 to `[size[0], size[1], 3]`, bilinear and antialiased, as Pillow does it.

    Torch's kernel for uint8 pictures in this layout is several times faster than Pillow and than OpenCV's area average.
    """
    if image.shape[:2] == tuple(size):
        return image
    batch = torch.from_numpy(np.require(image, requirements=["C", "W"])).unsqueeze(0).permute(0, 3, 1, 2)
    resized = interpolate(batch, size=size, mode="bilinear", antialias=True)
    return resized.permute(0, 2, 3, 1)[0].numpy()
