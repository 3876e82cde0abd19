"""Pictures as pencil drawings."""

from __future__ import annotations

from typing import Annotated

import cv2
import numpy as np
from annotated_types import Gt, Interval

from animeid.data.augment import Change

Width = Annotated[float, Gt(0)]


class Sketch(Change):
    """A grey drawing of lines on white paper.

    The picture divided by its blur ("colour dodge" of the blurred negative, the usual recipe of image editors): areas
    become white, and what is darker than its surroundings becomes a line.

    Args:
        width: bounds of the blur's standard deviation, as a share of the shorter side; wide ones leave shading.
        darkness: bounds of the power that lines are darkened by; 1 leaves them as they are.
        p: the share of pictures that are changed; within `OneOf` its weight.
    """

    def __init__(
        self,
        width: tuple[Width, Width] = (0.01, 0.05),
        darkness: tuple[Width, Width] = (1.0, 4.0),
        p: Annotated[float, Interval(ge=0, le=1)] = 0.5,
    ) -> None:
        super().__init__(p=p)
        self.width, self.darkness = width, darkness

    def change(self, image: np.ndarray, random: np.random.Generator) -> np.ndarray:
        lines = drawn(image, random.uniform(*self.width) * min(image.shape[:2]), random.uniform(*self.darkness))
        return np.repeat(lines[..., None], 3, axis=2)


def drawn(image: np.ndarray, sigma: float, darkness: float) -> np.ndarray:
    """`[H, W]` uint8: `255 min((g + 1) / (blur(g) + 1), 1) ** darkness` with the grey values g of `[H, W, 3]` uint8.

    Args:
        sigma: of the blur, in pixels.
        darkness: above 0.
    """
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32) + 1
    share = np.minimum(grey / cv2.GaussianBlur(grey, (0, 0), sigma), 1)
    return np.rint(255 * share**darkness).astype(np.uint8)
