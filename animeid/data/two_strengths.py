"""Augmentation that changes some pictures of each class weakly and the others strongly."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch

from animeid.data.dataset import Transform
from animeid.terms import UNKNOWN_TARGET

STREAM = 0xC1A55
"""Tells the choice between the two transforms apart from the random numbers inside them."""

SHARES = "strong_shares"
"""Where a checkpoint keeps the probabilities."""


class TwoStrengths:
    """Changes pictures strongly with a probability of their class's, else weakly.

    The probabilities, `shares [C]` float64, are set by what `look_at` is told and, in some, by training. They lie in
    memory that loader workers share, which see them change. Pictures of no class have `share_of_strangers`.

    Args:
        weak, strong: the two transforms.
        image_size: (H, W) of the output.
    """

    def __init__(
        self, weak: Callable[..., Transform], strong: Callable[..., Transform], *, image_size: tuple[int, int]
    ) -> None:
        self.weak, self.strong = weak(image_size=image_size), strong(image_size=image_size)
        self.shares = torch.zeros(0, dtype=torch.float64)
        self.share_of_strangers = 0.0

    def look_at(self, counts: np.ndarray) -> None:
        """Takes in the training pictures of each class, `[C]`, before the first picture comes."""
        self.shares = torch.from_numpy(self.first_shares(counts)).share_memory_()

    def first_shares(self, counts: np.ndarray) -> np.ndarray:
        """`[C]` float64 for classes of so many training pictures, `[C]`."""
        raise NotImplementedError

    def __call__(self, image: np.ndarray, seed: int, target: int = UNKNOWN_TARGET) -> np.ndarray:
        """`[h, w, 3]` uint8 to `[H, W, 3]` uint8; the same picture, seed, target and shares give the same result."""
        share = self.share_of_strangers if target == UNKNOWN_TARGET else float(self.shares[target])
        is_strong = np.random.default_rng([STREAM, seed]).random() < share
        return (self.strong if is_strong else self.weak)(image, seed, target)

    def state_dict(self) -> dict[str, Any]:
        return {SHARES: self.shares.tolist()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        if SHARES in state:
            self.shares.copy_(torch.tensor(state[SHARES], dtype=torch.float64))
