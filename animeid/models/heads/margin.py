"""Heads that ask for a margin in training: a picture must be nearer to its class than it will need to be."""

from __future__ import annotations

import math
from typing import Annotated

import torch
from annotated_types import Ge, Gt, Interval
from torch import Tensor, nn
from torch.nn import functional

from animeid.numerics import class_shares, full_precision, products

NEARLY_ONE = 1 - 1e-7


class AngularHead(nn.Module):
    """`logits = scale * max_k cos(embedding, w_ck)`, with K vectors for each class.

    Several vectors let a class have several looks, and let mislabelled pictures gather at one that is no other's
    (sub-centres: Deng 2020, Sub-center ArcFace, ECCV, equation 3).

    Args:
        in_features: D, the length of an embedding.
        num_classes: C.
        scale: what cosines are multiplied with.
        margin: what a picture's own class is held back by in training.
        centres: K.
    """

    def __init__(self, in_features: int, num_classes: int, *, scale: float, margin: float, centres: int) -> None:
        super().__init__()
        self.scale, self.margin = scale, margin
        self.weight = nn.Parameter(torch.randn(num_classes, centres, in_features) / math.sqrt(in_features))

    def cosines(self, embedding: Tensor) -> Tensor:
        """`[B, D]` to `[B, C]` float32."""
        directions = functional.normalize(self.weight, dim=2).flatten(0, 1)
        cosines = products(functional.normalize(full_precision(embedding)), directions)
        return cosines.unflatten(1, self.weight.shape[:2]).amax(2)

    def forward(self, embedding: Tensor) -> Tensor:
        """`[B, D]` to logits `[B, C]`, without a margin."""
        return self.scale * self.cosines(embedding)

    def with_margin(self, embedding: Tensor, target: Tensor) -> Tensor:
        """The logits `[B, C]` of training, for pictures of `target [B]` or `[B, C]`.

        A mixed picture is held back by the margin times the share of each class; with one class that is the paper's.
        """
        cosines = self.cosines(embedding)
        return self.scale * self.held_back(cosines, self.margin * class_shares(cosines, target))

    def held_back(self, cosines: Tensor, margins: Tensor) -> Tensor:
        """Cosines after the margins, both `[B, C]`."""
        raise NotImplementedError


class CosFaceHead(AngularHead):
    """Wang 2018 (arXiv 1801.09414), equation 4: the margin is taken from the cosine."""

    def __init__(
        self,
        in_features: int,
        num_classes: int,
        *,
        scale: Annotated[float, Gt(0)] = 30.0,
        margin: Annotated[float, Interval(ge=0, lt=2)] = 0.35,
        centres: Annotated[int, Ge(1)] = 1,
    ) -> None:
        super().__init__(in_features, num_classes, scale=scale, margin=margin, centres=centres)

    def held_back(self, cosines: Tensor, margins: Tensor) -> Tensor:
        return cosines - margins


class ArcFaceHead(AngularHead):
    """Deng 2019 (arXiv 1801.07698), equation 3: the margin is added to the angle.

    Beyond the angle at which the cosine would rise again, it falls on in a straight line, as in the authors' code.
    """

    def __init__(
        self,
        in_features: int,
        num_classes: int,
        *,
        scale: Annotated[float, Gt(0)] = 30.0,
        margin: Annotated[float, Interval(ge=0, le=1.5)] = 0.5,
        centres: Annotated[int, Ge(1)] = 1,
    ) -> None:
        super().__init__(in_features, num_classes, scale=scale, margin=margin, centres=centres)

    def held_back(self, cosines: Tensor, margins: Tensor) -> Tensor:
        # Exactly 1 or -1 would give the root an infinite slope.
        cosines = cosines.clamp(-NEARLY_ONE, NEARLY_ONE)
        sines = (1 - cosines.square()).sqrt()
        turned = cosines * margins.cos() - sines * margins.sin()
        return torch.where(cosines > -margins.cos(), turned, cosines - margins * margins.sin())
