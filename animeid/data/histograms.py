"""Colour histograms, the features of a trivial baseline."""

from __future__ import annotations

import cv2
import numpy as np

BINS = 8
SIDE = 64


def colour_histogram(image: np.ndarray) -> np.ndarray:
    """The share of each colour in a picture: `[h, w, 3]` uint8 RGB to `[512]` float32 that sum to 1.

    Joint histogram of 8 x 8 x 8 RGB bins (Swain and Ballard 1991, Color indexing), counted on the picture shrunk to at
    most 64 px a side, so that a large file takes no longer than a small one.
    """
    height, width = (min(side, SIDE) for side in image.shape[:2])
    small = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
    red, green, blue = (small.reshape(-1, 3).astype(np.int64) * BINS // 256).T
    counts = np.bincount((red * BINS + green) * BINS + blue, minlength=BINS**3)
    return (counts / counts.sum()).astype(np.float32)
