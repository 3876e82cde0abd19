"""Pictures with thicker, thinner or no lines."""

from __future__ import annotations

from typing import Annotated

import cv2
import numpy as np
from annotated_types import Gt, Interval

from animeid.data.augment import Change

Reach = Annotated[float, Interval(ge=-0.5, le=0.5)]


class LineWidth(Change):
    """Dark lines become wider or thinner; areas keep their colours and shapes.

    Lines are what a closing takes away (the black top-hat, Meyer 1979); they are dilated or eroded apart from the
    areas, and put back. Erosion of the whole picture would let dark areas grow as well.

    Args:
        reach: bounds of how far a line's edge moves outwards, as a share of the shorter side; negative makes thinner,
            down to none. The radius in pixels is rounded, and 0 leaves the picture as it is.
        widest: the widest line, as a share of the shorter side; what is wider is an area.
        p: the share of pictures that are changed; within `OneOf` its weight.
    """

    def __init__(
        self,
        reach: tuple[Reach, Reach] = (-0.02, 0.02),
        widest: Annotated[float, Gt(0)] = 0.05,
        p: Annotated[float, Interval(ge=0, le=1)] = 0.5,
    ) -> None:
        super().__init__(p=p)
        self.reach, self.widest = reach, widest

    def change(self, image: np.ndarray, random: np.random.Generator) -> np.ndarray:
        side = min(image.shape[:2])
        radius = round(random.uniform(*self.reach) * side)
        return with_lines(image, radius, max(1, round(self.widest * side / 2)))


def with_lines(image: np.ndarray, radius: int, widest: int) -> np.ndarray:
    """`[H, W, 3]` uint8 with lines whose edges lie `radius` pixels further out.

    Args:
        radius: in pixels; negative moves edges inwards.
        widest: half the width of the widest line, in pixels.
    """
    areas = cv2.morphologyEx(image, cv2.MORPH_CLOSE, disc(widest))
    lines = areas - image
    morph = cv2.dilate if radius > 0 else cv2.erode
    return cv2.subtract(areas, morph(lines, disc(abs(radius))))


def disc(radius: int) -> np.ndarray:
    """`[2 radius + 1, 2 radius + 1]` uint8: 1 in what OpenCV takes for a disc."""
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
