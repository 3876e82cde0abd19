"""The working picture: what transforms see of a file, small enough to be kept for the next epoch.

Training, evaluation and prediction all start from it, so that pixels from the cache and pixels from the file are the
same to the bit.
"""

from __future__ import annotations

from typing import IO

import numpy as np

from animeid.imaging.decode import decode_stream
from animeid.imaging.geometry import working_size
from animeid.imaging.resize import Resize


def working_from_stream(stream: IO[bytes], max_pixels: int, side: int, resize: Resize) -> np.ndarray:
    """Reads a picture from an open file to `[h, w, 3]` uint8 RGB of `working_size`.

    Raises:
        UnreadableImage: as `decode_stream`.
    """
    picture = decode_stream(stream, max_pixels, side)
    height, width = picture.shape[:2]
    return resize(picture, working_size(height, width, side))
