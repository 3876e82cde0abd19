"""The working picture: what transforms see of a file, small enough to be kept for the next epoch.

Training, evaluation and prediction all start from it, so that pixels from the cache and pixels from the file are the
same to the bit.
"""

from __future__ import annotations

from typing import IO

import numpy as np
from PIL import Image

from animeid.imaging.decode import decode_image
from animeid.imaging.geometry import working_size
from animeid.imaging.resize import resize_image


def working_from_stream(stream: IO[bytes], max_pixels: int, side: int, *, incomplete: bool = False) -> np.ndarray:
    """Reads a picture from an open file to `[h, w, 3]` uint8 RGB of `working_size`.

    Raises:
        UnreadableImage: as `decode_image`.
    """
    return working_from_image(decode_image(stream, max_pixels, side, incomplete=incomplete), side)


def working_from_image(picture: Image.Image, side: int) -> np.ndarray:
    """As `working_from_stream`, of a decoded RGB picture."""
    return np.array(resize_image(picture, working_size(picture.height, picture.width, side)))
