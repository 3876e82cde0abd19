"""Evaluation transform: from a picture to the pixels that the network is given."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from animeid.imaging.resize import resize
from animeid.terms import UNKNOWN_TARGET


class EvalTransform:
    """Resizes the short side to `image_size / crop_pct` and cuts the centre; the same for every epoch and worker.

    The picture is first cut to the aspect ratio of the output, around its centre. That is the same as resizing first
    (up to one pixel of the source), costs less, and bounds the memory that a very long picture takes. Tiny pictures
    are enlarged.

    Args:
        image_size: (H, W) of the output.
        crop_pct: the share of the resized side that the centre crop keeps; above 0, at most 1.
        resize: from `[h, w, 3]` and (H, W) to `[H, W, 3]`; whatever judges or answers leaves it as it is.
    """

    def __init__(
        self,
        image_size: tuple[int, int],
        crop_pct: float,
        resize: Callable[[np.ndarray, tuple[int, int]], np.ndarray] = resize,
    ) -> None:
        self.image_size, self.resize = image_size, resize
        # Margins of whole pixels, equal on both sides, so that the crop lies in the middle exactly.
        margins = [round(side * (1 / crop_pct - 1) / 2) for side in image_size]
        self.resized = (image_size[0] + 2 * margins[0], image_size[1] + 2 * margins[1])

    def __call__(self, image: np.ndarray, seed: int = 0, target: int = UNKNOWN_TARGET) -> np.ndarray:  # noqa: ARG002
        """`[h, w, 3]` uint8 to `[H, W, 3]` uint8; seed and target are those of every transform, and move nothing."""
        height, width = self.resized
        source_height = min(image.shape[0], -(-image.shape[1] * height // width))
        source_width = min(image.shape[1], -(-image.shape[0] * width // height))
        window = centre_crop(image, (source_height, source_width))
        return np.ascontiguousarray(centre_crop(self.resize(window, self.resized), self.image_size))


def centre_crop(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """The middle `size` (H, W) of a picture that is at least as large."""
    top, left = (image.shape[0] - size[0]) // 2, (image.shape[1] - size[1]) // 2
    return image[top : top + size[0], left : left + size[1]]
