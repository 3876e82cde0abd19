"""Batches whose pictures take the amplitudes of one another's Fourier spectra, and keep their own phases.

Phases hold the shapes, amplitudes much of colour, contrast and texture, that is of the style.
Shape letters: B pictures, H and W pixels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np
import torch
from annotated_types import Gt, Interval
from torch import Tensor

from animeid.types import Batch

STREAM = 2
"""Keeps these random numbers apart from those of mixing and augmentation, which also come from seed, epoch and draw."""

Share = Annotated[float, Interval(ge=0, le=1)]


@dataclass(frozen=True)
class FourierStyle:
    """Amplitudes of each picture are blended with those of another one of its batch; targets stay as they are.

    All of them by a share of chance is amplitude mix (Xu 2021, arXiv 2105.14415, equation 4); the lowest ones replaced
    is Fourier domain adaptation (Yang 2020, arXiv 2004.05498, equation 4), whose other pictures are of the target's
    domain there. Decisions come from seed, epoch and the batch's first draw, as in `mixing`.

    Args:
        seed: of the run.
        shares: bounds of the other picture's share in the amplitudes.
        band: of this share of the shorter side are the frequencies that are changed, in either direction from 0 (the
            beta of Yang 2020); None changes all.
        probability: the share of batches that are changed.
    """

    seed: int
    shares: tuple[Share, Share] = (0.0, 1.0)
    band: Annotated[float, Gt(0)] | None = None
    probability: Share = 1.0

    def __call__(self, batch: Batch, epoch: int) -> Batch:
        """The batch of `epoch` (from 0) with another normalised `image [B, 3, H, W]`, or as it is.

        `draw` is best left on the CPU, where it is read.
        """
        seeds = np.random.SeedSequence([self.seed, epoch, int(batch["draw"][0])], spawn_key=(STREAM,))
        random = np.random.default_rng(seeds)
        if random.random() >= self.probability:
            return batch
        image = batch["image"]
        others = torch.from_numpy(random.permutation(len(image)))
        shares = torch.from_numpy(random.uniform(*self.shares, len(image))).float()
        return {**batch, "image": restyled(image, others.to(image.device), shares.to(image.device), self.band)}


def restyled(image: Tensor, others: Tensor, shares: Tensor, band: float | None) -> Tensor:
    """Pictures with their own phases and blended amplitudes.

    The mean (frequency 0) is blended with its sign, so that normalised pictures give what pixels would give: there it
    is never negative. What leaves the range of the batch's values is cut off, as pixels would be.

    Args:
        image: `[B, 3, H, W]` float, of any type.
        others: `[B]` int64, the picture that each one is blended with, on the same device.
        shares: `[B]` float32 of the other picture, 0 to 1, on the same device.
        band: as that of `FourierStyle`.
    """
    height, width = image.shape[-2:]
    lowest, highest = image.amin((0, 2, 3), keepdim=True), image.amax((0, 2, 3), keepdim=True)
    spectrum = torch.fft.rfft2(image.float())
    weights = shares.view(-1, 1, 1, 1) * lies_within(height, width, band).to(image.device)
    amplitude = spectrum.abs()
    mixed = torch.polar(amplitude.lerp(amplitude[others], weights), spectrum.angle())
    mean = spectrum[..., 0, 0]
    mixed[..., 0, 0] = mean.lerp(mean[others], weights[..., 0, 0].to(mean.dtype))
    found = torch.fft.irfft2(mixed, s=(height, width)).to(image.dtype)
    return torch.empty_like(image).copy_(found.clamp(lowest, highest))


def lies_within(height: int, width: int, band: float | None) -> Tensor:
    """`[H, W // 2 + 1]` float32: 1 for frequencies of `rfft2` up to `band` of the shorter side, else 0; None is all."""
    reach = max(height, width) if band is None else int(min(height, width) * band)
    rows, columns = torch.fft.fftfreq(height, 1 / height).abs(), torch.fft.rfftfreq(width, 1 / width)
    return ((rows <= reach)[:, None] & (columns <= reach)).float()
