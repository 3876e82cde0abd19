"""Augmentation whose strength depends on how many pictures a class has."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import numpy as np
from annotated_types import Interval

from animeid.data.dataset import Transform
from animeid.data.two_strengths import TwoStrengths

Share = Annotated[float, Interval(ge=0, le=1)]


class ClassWise(TwoStrengths):
    """Changes pictures strongly with a probability that is linear in the logarithm of the class's size.

    That is the profile of a long tail. A rare class's few pictures come again in every epoch, so that strong changes
    keep them from being learnt by heart; frequent classes have variety of their own.

    Args:
        weak, strong: the two transforms.
        image_size: (H, W) of the output.
        shares: of strongly changed pictures in the largest and in the smallest class.
    """

    def __init__(
        self,
        weak: Callable[..., Transform],
        strong: Callable[..., Transform],
        *,
        image_size: tuple[int, int],
        shares: tuple[Share, Share] = (0.0, 1.0),
    ) -> None:
        super().__init__(weak, strong, image_size=image_size)
        self.ends = shares
        self.share_of_strangers = shares[0]

    def first_shares(self, counts: np.ndarray) -> np.ndarray:
        return strong_shares(counts, self.ends)


def strong_shares(counts: np.ndarray, ends: tuple[float, float]) -> np.ndarray:
    """`[C]`: from `ends[0]` for the largest class to `ends[1]` for the smallest, linear in the logarithm of the size.

    Args:
        counts: `[C]`; an empty class counts as one of a single picture. Equal classes all have the mean of the ends.
    """
    sizes = np.log(np.maximum(counts, 1))
    width = sizes.max() - sizes.min()
    rarity = (sizes.max() - sizes) / width if width > 0 else np.full(len(sizes), 0.5)
    return ends[0] + rarity * (ends[1] - ends[0])
