"""Pictures that are blends of differently changed copies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import numpy as np
from annotated_types import Ge, Gt, Interval

from animeid.data.augment import Change, Op, applied

Depth = Annotated[int, Ge(1)]


class AugMix(Change):
    """A picture blended with a blend of chains of operations (Hendrycks 2020, arXiv 1912.02781, algorithm 1).

    `m x + (1 - m) sum_i w_i chain_i(x)` with w of a Dirichlet and m of a Beta distribution. The paper's consistency
    loss, which takes three copies of every picture, is left out.

    Args:
        ops: what chains are made of, by name; the `p` of each is within its chain.
        width: how many chains.
        depth: bounds of a chain's length; operations may repeat in it.
        alpha: of both distributions.
        p: the share of pictures that are changed; within `OneOf` its weight.
    """

    def __init__(
        self,
        ops: Mapping[str, Op],
        width: Annotated[int, Ge(1)] = 3,
        depth: tuple[Depth, Depth] = (1, 3),
        alpha: Annotated[float, Gt(0)] = 1.0,
        p: Annotated[float, Interval(ge=0, le=1)] = 0.5,
    ) -> None:
        super().__init__(p=p)
        self.transforms = list(ops.values())
        self.width, self.depth, self.alpha = width, depth, alpha

    def change(self, image: np.ndarray, random: np.random.Generator) -> np.ndarray:
        weights = random.dirichlet([self.alpha] * self.width)
        own = random.beta(self.alpha, self.alpha)
        blend = own * image.astype(np.float32)
        for weight in weights:
            blend += np.float32((1 - own) * weight) * self.chain(image, random)
        return np.clip(np.rint(blend), 0, 255).astype(np.uint8)

    def chain(self, image: np.ndarray, random: np.random.Generator) -> np.ndarray:
        """The picture changed by operations one after another."""
        length = int(random.integers(self.depth[0], self.depth[1] + 1))
        for number in random.integers(len(self.transforms), size=length):
            image = applied(self.transforms[number], image, (random, self.py_random))
        return image
