"""Augmentation whose strength follows what training has learnt."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import numpy as np
from annotated_types import Gt
from torch import Tensor

from animeid.data.two_strengths import Changed, TwoStrengths


class Curriculum(TwoStrengths):
    """Changes the more of a class's pictures strongly, the better the epoch before fitted them.

    The share of strongly changed pictures is `confidence ** power`, with the mean probability that training gave to
    the right class of the class's pictures, as they were changed. A network that is still short of training sees
    pictures that it can learn from; one that begins to know its few pictures by heart sees them harder and harder. So
    it need not be known beforehand how much augmentation pictures, network and number of epochs can take.

    The idea is that of CUDA (Ahn 2023, arXiv 2302.05499), which raises a class's level where a test at the end of each
    epoch finds it learnt, and of adaptive augmentation (Karras 2020, arXiv 2006.06676), which follows over-fitting;
    here no further pass over the pictures is needed, and the share follows at once.

    Args:
        weak, strong: the two transforms.
        image_size: (H, W) of the output.
        power: the larger, the surer a network must be before its pictures are changed strongly.
    """

    def __init__(
        self,
        weak: Callable[..., Changed],
        strong: Callable[..., Changed],
        *,
        image_size: tuple[int, int],
        power: Annotated[float, Gt(0)] = 2.0,
    ) -> None:
        super().__init__(weak, strong, image_size=image_size)
        self.power = power

    def first_shares(self, counts: np.ndarray) -> np.ndarray:
        return np.zeros(len(counts))

    def follow(self, confidence: Tensor) -> None:
        """Takes in the mean probability of the right class over each class's draws of an epoch, `[C]`, 0 to 1.

        NaN, of a class that was not drawn, leaves its share as it is.
        """
        found = confidence.double().cpu()
        self.shares.copy_(found.pow(self.power).where(~found.isnan(), self.shares))
