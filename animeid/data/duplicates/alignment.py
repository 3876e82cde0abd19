"""Lays one thumbnail over another, so that a copy that was slightly cropped or moved can be compared pixel by pixel."""

from __future__ import annotations

import cv2
import numpy as np

STOP = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 30, 1e-3)
BLUR = 5
"""Side of the Gaussian filter, in pixels of a thumbnail, that lets the search see across sharp edges."""

LARGEST_CHANGE = 0.25
"""Of width or height: what is cropped harder is another picture for a classifier too."""

LARGEST_SHEAR = 0.05
SMALLEST_OVERLAP = 0.6


def aligned_pixels(picture: np.ndarray, other: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """The pixels that two pictures share once the other is scaled and moved onto the first.

    The affine map maximises the enhanced correlation coefficient of the grey pictures (Evangelidis and Psarakis 2008,
    "Parametric image alignment using enhanced correlation coefficient maximization"), which brightness and contrast
    do not change.

    Args:
        picture, other: `[S, S, 3]` uint8.

    Returns:
        Two arrays `[P, 3]` uint8 of the same places, or None where no small change of the frame lays one on the other.
    """
    start = np.eye(2, 3, dtype=np.float32)
    everywhere = np.full(picture.shape[:2], 255, dtype=np.uint8)
    try:
        _, warp = cv2.findTransformECC(_grey(picture), _grey(other), start, cv2.MOTION_AFFINE, STOP, everywhere, BLUR)
    except cv2.error:  # it does not converge
        return None
    scales, shears = warp[[0, 1], [0, 1]], warp[[0, 1], [1, 0]]
    if np.abs(scales - 1).max() > LARGEST_CHANGE or np.abs(shears).max() > LARGEST_SHEAR:
        return None
    size = picture.shape[1::-1]
    how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    moved = cv2.warpAffine(other, warp, size, flags=how)
    covered = np.flatnonzero(cv2.warpAffine(everywhere, warp, size, flags=how) == 255)
    if len(covered) < SMALLEST_OVERLAP * everywhere.size:
        return None
    first, second = (pixels.reshape(-1, 3).take(covered, axis=0) for pixels in (picture, moved))
    return first, second


def _grey(picture: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32) / 255
