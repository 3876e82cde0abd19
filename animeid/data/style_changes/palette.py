"""Pictures in few colours, which change places."""

from __future__ import annotations

from typing import Annotated

import cv2
import numpy as np
from annotated_types import Interval
from PIL import Image

from animeid.data.augment import Change

ENOUGH = 48
"""Pixels of the shorter side that colours are found from; four times as fast at 128 pixels as from all."""

Count = Annotated[int, Interval(ge=2, le=256)]
Share = Annotated[float, Interval(ge=0, le=1)]


class Palette(Change):
    """Flat areas of few colours, each of which takes the tint of another one and keeps its own lightness.

    So light and shadow, and with them the drawing, stay where they are. Colours are found by median cut (Heckbert
    1982) among a part of the pixels, and exchanged in CIE L*a*b*.

    Args:
        colours: bounds of how many colours are left.
        share: bounds of how far a colour's tint goes to that of the other one.
        p: the share of pictures that are changed; within `OneOf` its weight.
    """

    def __init__(
        self,
        colours: tuple[Count, Count] = (6, 24),
        share: tuple[Share, Share] = (0.0, 1.0),
        p: Annotated[float, Interval(ge=0, le=1)] = 0.5,
    ) -> None:
        super().__init__(p=p)
        self.colours, self.share = colours, share

    def change(self, image: np.ndarray, random: np.random.Generator) -> np.ndarray:
        numbers, colours = few_colours(image, int(random.integers(self.colours[0], self.colours[1] + 1)))
        return exchanged(colours, random.permutation(len(colours)), random.uniform(*self.share))[numbers]


def few_colours(image: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """The number of each pixel's colour, `[H, W]` uint8, and the colours, `[K, 3]` uint8, K at most `count`."""
    step = max(1, min(image.shape[:2]) // ENOUGH)
    sample = Image.fromarray(image[::step, ::step])
    palette = sample.quantize(count, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    numbers = np.asarray(Image.fromarray(image).quantize(palette=palette, dither=Image.Dither.NONE))
    return numbers, np.array(palette.getpalette(), np.uint8).reshape(-1, 3)[: int(numbers.max()) + 1]


def exchanged(colours: np.ndarray, order: np.ndarray, share: float) -> np.ndarray:
    """`[K, 3]` uint8: colour i with its own lightness, and its tint moved by `share` to that of colour `order[i]`."""
    lab = cv2.cvtColor(colours[None].astype(np.float32) / 255, cv2.COLOR_RGB2LAB)[0]
    lab[:, 1:] += share * (lab[order, 1:] - lab[:, 1:])
    return np.rint(255 * np.clip(cv2.cvtColor(lab[None], cv2.COLOR_LAB2RGB)[0], 0, 1)).astype(np.uint8)
