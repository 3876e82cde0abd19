"""Pictures through random convolutions."""

from __future__ import annotations

from typing import Annotated

import cv2
import numpy as np
from annotated_types import Interval

from animeid.data.augment import Change

MIDDLE, SPREAD = 127.5, 64.0
"""Pixels are convolved as `(x - MIDDLE) / SPREAD`, about as normalised ones, so that a picture's grey stays grey."""

Size = Annotated[int, Interval(ge=1, le=15)]
Share = Annotated[float, Interval(ge=0, le=1)]


class RandomConvolution(Change):
    """Colours and textures of chance, shapes as they were (Xu 2021, arXiv 2007.13003, RC_mix).

    Args:
        sizes: of the kernel, in pixels, odd; one is taken for each picture. Shapes smaller than it are lost.
        share: bounds of the original's share in the result.
        p: the share of pictures that are changed; within `OneOf` its weight.
    """

    def __init__(
        self,
        sizes: tuple[Size, ...] = (1, 3, 5),
        share: tuple[Share, Share] = (0.0, 1.0),
        p: Annotated[float, Interval(ge=0, le=1)] = 0.5,
    ) -> None:
        super().__init__(p=p)
        self.sizes, self.share = sizes, share

    def change(self, image: np.ndarray, random: np.random.Generator) -> np.ndarray:
        kernel = random_kernel(int(random.choice(self.sizes)), random)
        share = random.uniform(*self.share)
        pixels = (image.astype(np.float32) - MIDDLE) / SPREAD
        mixed = share * pixels + (1 - share) * convolved(pixels, kernel)
        return np.clip(np.rint(mixed * SPREAD + MIDDLE), 0, 255).astype(np.uint8)


def random_kernel(size: int, random: np.random.Generator) -> np.ndarray:
    """`[3, 3, size, size]` float32 for 3 channels from 3, normal with the variance `1 / (3 size^2)`."""
    return random.normal(0, (3 * size * size) ** -0.5, (3, 3, size, size)).astype(np.float32)


def convolved(pixels: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """`[H, W, 3]` float32 by `[3, 3, k, k]` (out, in, rows, columns), mirrored at its edges, as networks convolve."""
    channels = [np.ascontiguousarray(pixels[..., channel]) for channel in range(3)]
    sums = [sum(cv2.filter2D(channel, -1, part) for channel, part in zip(channels, out, strict=True)) for out in kernel]
    return np.stack(sums, axis=2)
