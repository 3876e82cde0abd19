"""A picture under its heat map."""

from __future__ import annotations

import cv2
import numpy as np

STRONGEST = 0.65
"""The share of colour where the heat is highest; where there is none, the picture is seen as it is."""


def overlay(picture: np.ndarray, cam: np.ndarray) -> np.ndarray:
    """`[H, W, 3]` uint8 RGB: the picture, coloured from blue over yellow to red the more a place speaks for the answer.

    Args:
        picture: `[H, W, 3]` uint8 RGB.
        cam: `[H, W]` uint8.
    """
    colours = cv2.applyColorMap(cam, cv2.COLORMAP_TURBO)[..., ::-1]
    share = STRONGEST * (cam / 255)[..., None]
    return (picture * (1 - share) + colours * share).round().astype(np.uint8)
