"""Augmentation whose strength depends on how many pictures a class has."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Protocol

import numpy as np
from annotated_types import Interval

from animeid.types import UNKNOWN_TARGET

Share = Annotated[float, Interval(ge=0, le=1)]
STREAM = 0xC1A55
"""Tells the choice between the two transforms apart from the random numbers inside them."""


class Changed(Protocol):
    """A training transform."""

    def __call__(self, image: np.ndarray, seed: int, target: int = UNKNOWN_TARGET) -> np.ndarray: ...


class ClassWise:
    """Changes pictures strongly with a probability of their class's, else weakly.

    The probability is linear in the logarithm of the class's size, as in the profile of a long tail. A rare class's few
    pictures come again in every epoch, so that strong changes keep them from being learnt by heart; frequent classes
    have variety of their own. (Ahn 2023, CUDA, arXiv 2302.05499, has a strength for each class too, and finds it by
    trial.)

    Args:
        weak, strong: the two transforms.
        image_size: (H, W) of the output.
        shares: of strongly changed pictures in the largest and in the smallest class.
    """

    def __init__(
        self,
        weak: Callable[..., Changed],
        strong: Callable[..., Changed],
        *,
        image_size: tuple[int, int],
        shares: tuple[Share, Share] = (0.0, 1.0),
    ) -> None:
        self.weak, self.strong = weak(image_size=image_size), strong(image_size=image_size)
        self.ends = shares
        self.shares = np.zeros(0)

    def look_at(self, counts: np.ndarray) -> None:
        """Takes in the training pictures of each class, `[C]`."""
        self.shares = strong_shares(counts, self.ends)

    def __call__(self, image: np.ndarray, seed: int, target: int = UNKNOWN_TARGET) -> np.ndarray:
        """`[h, w, 3]` uint8 to `[H, W, 3]` uint8; the same picture, seed and target give the same result."""
        share = self.shares[target] if target != UNKNOWN_TARGET else self.ends[0]
        is_strong = np.random.default_rng([STREAM, seed]).random() < share
        return (self.strong if is_strong else self.weak)(image, seed, target)


def strong_shares(counts: np.ndarray, ends: tuple[float, float]) -> np.ndarray:
    """`[C]`: from `ends[0]` for the largest class to `ends[1]` for the smallest, linear in the logarithm of the size.

    Args:
        counts: `[C]`; an empty class counts as one of a single picture. Equal classes all have the mean of the ends.
    """
    sizes = np.log(np.maximum(counts, 1))
    width = sizes.max() - sizes.min()
    rarity = (sizes.max() - sizes) / width if width > 0 else np.full(len(sizes), 0.5)
    return ends[0] + rarity * (ends[1] - ends[0])
