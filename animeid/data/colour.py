"""Changes of colour in place of albumentations' own, which take twice as long.

Each is torchvision's operation of that name (`adjust_brightness`, ...), rounded to 8 bits after each step. A linear map
of the three channels is one pass of OpenCV that saturates; the hue turns in a circle of 256 steps, so that 8-bit
arithmetic wraps round as the hue does.
"""

from __future__ import annotations

import cv2
import numpy as np

GREY = np.array([0.299, 0.587, 0.114])
"""ITU-R 601-2 luma."""


def adjust_brightness(image: np.ndarray, factor: float) -> np.ndarray:
    """`factor x` of `[H, W, 3]` uint8."""
    return cv2.transform(image, np.eye(3) * factor)


def adjust_contrast(image: np.ndarray, factor: float) -> np.ndarray:
    """`factor x + (1 - factor) m` with the mean grey m of the picture."""
    mean = float(GREY @ cv2.mean(image)[:3])
    offset = np.full((3, 1), (1 - factor) * mean)
    return cv2.transform(image, np.hstack([np.eye(3) * factor, offset]))


def adjust_saturation(image: np.ndarray, factor: float) -> np.ndarray:
    """`factor x + (1 - factor) g` with each pixel's grey g."""
    return cv2.transform(image, np.eye(3) * factor + (1 - factor) * GREY)


def adjust_hue(image: np.ndarray, shift: float) -> np.ndarray:
    """Turns the hue by `shift` of the full circle, -0.5 to 0.5."""
    turned = cv2.cvtColor(image, cv2.COLOR_RGB2HSV_FULL)
    turned[..., 0] += np.uint8(round(shift * 256) % 256)
    return cv2.cvtColor(turned, cv2.COLOR_HSV2RGB_FULL)
