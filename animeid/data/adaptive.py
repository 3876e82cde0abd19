"""Augmentation whose strength follows over-fitting."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import numpy as np
import torch
from annotated_types import Ge, Gt, Lt
from torch import Tensor

from animeid.data.dataset import Transform
from animeid.data.two_strengths import TwoStrengths


class Adaptive(TwoStrengths):
    """Changes the more pictures strongly, the less training's confidence holds on validation pictures.

    After each epoch the share of strongly changed pictures becomes `gain * (1 - held_out / fitted - tolerated)`,
    between 0 and 1, with the mean probability of the right class over training pictures, as they were changed, and
    over validation pictures; classes count as they are frequent in training, whatever the validation part is like. A
    network that is still short of training, or whose few pictures say enough of the others, sees pictures that it can
    learn from. One that begins to know its pictures by heart sees them harder, until it does so no more. So it need
    not be known beforehand how much augmentation pictures, network and number of epochs can take.

    The idea is that of adaptive augmentation (Karras 2020, arXiv 2006.06676, section 3), which raises the share in
    small steps while a discriminator over-fits more than a target; trainings of a few epochs have no time for these.

    Args:
        weak, strong: the two transforms.
        image_size: (H, W) of the output.
        gain: by how much the share grows with the part of the confidence that is lost.
        tolerated: so much of it may be lost, which small validation parts show by chance, before any picture is
            changed strongly.
    """

    def __init__(
        self,
        weak: Callable[..., Transform],
        strong: Callable[..., Transform],
        *,
        image_size: tuple[int, int],
        gain: Annotated[float, Gt(0)] = 4.0,
        tolerated: Annotated[float, Ge(0), Lt(1)] = 0.1,
    ) -> None:
        super().__init__(weak, strong, image_size=image_size)
        self.gain, self.tolerated = gain, tolerated
        self.counts = torch.zeros(0, dtype=torch.float64)

    def first_shares(self, counts: np.ndarray) -> np.ndarray:
        self.counts = torch.from_numpy(counts).double()
        return np.zeros(len(counts))

    def follow(self, fitted: Tensor, held_out: Tensor) -> None:
        """Takes in the mean probabilities of the right class over each class's pictures, both `[C]`, 0 to 1.

        Only classes that have both count; where none has, the share stays as it is.

        Args:
            fitted: over an epoch's draws of training pictures; NaN for a class without any.
            held_out: over validation pictures; NaN for a class without any.
        """
        known = ~(fitted.isnan() | held_out.isnan()).cpu()
        ours, theirs = (float(self.counts[known] @ one.double().cpu()[known]) for one in (fitted, held_out))
        if ours > 0:
            self.shares.fill_(min(max(self.gain * (1 - theirs / ours - self.tolerated), 0.0), 1.0))
