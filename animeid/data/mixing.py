"""Mixup and CutMix: two pictures and their targets become one, a whole batch at a time.

Shape letters: B pictures, H and W pixels, C classes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
import torch
from annotated_types import Ge, Le
from torch import Tensor

from animeid.errors import InputError
from animeid.types import Batch

STREAM = 1
"""Keeps these random numbers apart from those of augmentation, which also come from seed, epoch and draw."""

Box = tuple[int, int, int, int]
"""Top, bottom, left and right of the pixels that are replaced; bottom and right are the first ones that are not."""


def class_rows(target: Tensor, num_classes: int) -> Tensor:
    """`[B]` int64 as `[B, C]` float32: 1 in the class's column; a picture of no class (-1) has a row of zeros."""
    return (target.unsqueeze(1) == torch.arange(num_classes, device=target.device)).float()


def mixup(image: Tensor, shares: Tensor, permutation: Tensor, lam: float) -> tuple[Tensor, Tensor]:
    """`lam x_i + (1 - lam) x_j` with j = permutation[i], and the same of the targets (Zhang 2018, arXiv 1710.09412).

    Args:
        image: `[B, 3, H, W]` float.
        shares: `[B, C]` float.
        permutation: `[B]` int64, on the same device.
        lam: the share of the first picture, 0 to 1.
    """
    return image.lerp(image[permutation], 1 - lam), shares.lerp(shares[permutation], 1 - lam)


def cutmix(image: Tensor, shares: Tensor, permutation: Tensor, box: Box) -> tuple[Tensor, Tensor]:
    """Puts the pixels of `box` from picture permutation[i] into picture i (Yun 2019, arXiv 1905.04899).

    The targets are shared by the pixels that are really replaced.

    Args:
        image: `[B, 3, H, W]` float.
        shares: `[B, C]` float.
        permutation: `[B]` int64, on the same device.
        box: inside the picture; the same for the whole batch.
    """
    top, bottom, left, right = box
    mixed = image.clone()
    mixed[:, :, top:bottom, left:right] = image[permutation, :, top:bottom, left:right]
    replaced = (bottom - top) * (right - left) / (image.shape[2] * image.shape[3])
    return mixed, shares.lerp(shares[permutation], replaced)


def clipped_box(height: int, width: int, lam: float, centre: tuple[int, int]) -> Box:
    """A box of the picture's proportions and `1 - lam` of its area round `centre` (y, x), cut off at the borders."""
    side = (1 - lam) ** 0.5
    top, bottom = _clipped(height, side, centre[0])
    left, right = _clipped(width, side, centre[1])
    return top, bottom, left, right


def _clipped(length: int, side: float, centre: int) -> tuple[int, int]:
    size = int(length * side)
    start = centre - size // 2
    return max(start, 0), min(start + size, length)


@dataclass(frozen=True)
class Mixing:
    """Mixes batches of training; `target` becomes `[B, C]` float32 shares, or stays as it is in a batch left alone.

    Every decision comes from the run's seed, the epoch and the first draw of the batch: a run that goes on mixes as the
    straight run does, and every process mixes its batches in its own way. Nothing is kept between calls.

    Only `image` and `target` change. `row`, `draw` and `attributes` remain those of the first picture, also where
    the second has the larger share. A picture of no class (-1) brings a row of zeros: mixed with one of a class, the
    row sums to that one's share, so that its loss counts so much less.

    Args:
        num_classes: C.
        seed: of the run.
        mixup_alpha: of the Beta(alpha, alpha) that shares are drawn from; 0 leaves mixup out.
        cutmix_alpha: the same for CutMix.
        probability: the share of batches that are mixed.
        switch_probability: with both, the share of CutMix among the mixed batches.
        off_epoch: after so many epochs nothing is mixed any more, so that the last ones see pictures as they are;
            `auto` is nine tenths of the run, and filled in by the plan.

    Raises:
        InputError: both alphas are 0.
    """

    num_classes: int
    seed: int
    mixup_alpha: Annotated[float, Ge(0)] = 0.0
    cutmix_alpha: Annotated[float, Ge(0)] = 0.0
    probability: Annotated[float, Ge(0), Le(1)] = 1.0
    switch_probability: Annotated[float, Ge(0), Le(1)] = 0.5
    off_epoch: Annotated[int, Ge(1)] | Literal["auto"] | None = None

    def __post_init__(self) -> None:
        if self.mixup_alpha == self.cutmix_alpha == 0:
            raise InputError(
                "mixing.mixup_alpha and mixing.cutmix_alpha are both 0, so that nothing would be mixed: "
                "set one of them above 0, or take mixing=none"
            )
        if self.off_epoch == "auto":
            raise ValueError("off_epoch=auto has not been filled in")

    def __call__(self, batch: Batch, epoch: int) -> Batch:
        """The batch of `epoch` (from 0), its float `image [B, 3, H, W]` and hard `target [B]` mixed, or as it is.

        `draw` is best left on the CPU, where it is read.
        """
        if self.off_epoch is not None and epoch >= int(self.off_epoch):
            return batch
        random = self._generator(epoch, int(batch["draw"][0]))
        if random.random() >= self.probability:
            return batch
        image = batch["image"]
        shares = class_rows(batch["target"], self.num_classes)
        permutation = torch.from_numpy(random.permutation(len(image))).to(image.device, non_blocking=True)
        if self._takes_cutmix(random):
            lam = random.beta(self.cutmix_alpha, self.cutmix_alpha)
            height, width = image.shape[2:]
            centre = (int(random.integers(height)), int(random.integers(width)))
            image, shares = cutmix(image, shares, permutation, clipped_box(height, width, lam, centre))
        else:
            image, shares = mixup(image, shares, permutation, random.beta(self.mixup_alpha, self.mixup_alpha))
        return {**batch, "image": image, "target": shares}

    def _takes_cutmix(self, random: np.random.Generator) -> bool:
        if self.mixup_alpha and self.cutmix_alpha:
            return random.random() < self.switch_probability
        return self.cutmix_alpha > 0

    def _generator(self, epoch: int, draw: int) -> np.random.Generator:
        return np.random.default_rng(np.random.SeedSequence([self.seed, epoch, draw], spawn_key=(STREAM,)))
