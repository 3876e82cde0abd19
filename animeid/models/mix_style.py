"""MixStyle: statistics of feature maps mixed between pictures."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

EPSILON = 1e-6
"""Under the root, where a map is flat."""


@dataclass(frozen=True)
class StyleMix:
    """What a batch of B pictures is mixed by after one stage.

    partner: `[B]` int64, the picture whose statistics each takes in. share: `[B]` float, of its own statistics.
    mixes: `[]` bool; where false everything stays as it is.
    """

    partner: Tensor
    share: Tensor
    mixes: Tensor

    @classmethod
    def drawn(
        cls, random: np.random.Generator, partner: np.ndarray, *, probability: float, alpha: float, device: torch.device
    ) -> StyleMix:
        """Shares from Beta(alpha, alpha), and whether the batch is mixed at all."""
        share = torch.from_numpy(random.beta(alpha, alpha, len(partner))).float()
        mixes = torch.tensor(bool(random.random() < probability))
        found = (value.to(device, non_blocking=True) for value in (torch.from_numpy(partner), share, mixes))
        return cls(*found)


def mix_style(features: Tensor, mix: StyleMix) -> Tensor:
    """`gamma (x - mu(x)) / sigma(x) + beta`, gamma and beta being mixtures of two pictures' sigma and mu.

    Zhou 2021 (arXiv 2104.02008), equations 3 to 5; mu and sigma are those of each channel of each picture, and no
    gradient goes through them (algorithm 1).

    Args:
        features: `[B, c, h, w]` float of any precision, which the result has too.
        mix: of this batch.
    """
    whole = features.detach().float()
    mu = whole.mean((2, 3), keepdim=True)
    sigma = (whole.var((2, 3), correction=0, keepdim=True) + EPSILON).sqrt()
    share = mix.share[:, None, None, None]
    gamma = share * sigma + (1 - share) * sigma[mix.partner]
    beta = share * mu + (1 - share) * mu[mix.partner]
    # A product with 1 and a sum with 0 change nothing, and torch.compile sees the same work in every batch.
    scale = torch.where(mix.mixes, gamma / sigma, 1.0)
    shift = torch.where(mix.mixes, beta - mu * gamma / sigma, 0.0)
    return (features.float() * scale + shift).to(features.dtype)


def partners_across(styles: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """`[B]` int64: for each picture one of another style, any being as likely.

    Where a picture's style is unknown, or no other one is in the batch, it is any picture.

    Args:
        styles: `[B]` int64, -1 where it is not known.
    """
    known = styles >= 0
    others = (styles[:, None] != styles) & known[:, None] & known
    others[~others.any(1)] = True
    return np.where(others, random.random(others.shape), -1.0).argmax(1)
