"""A classifier of styles that embeddings are trained against."""

from __future__ import annotations

import math
from typing import Annotated, Any

import torch
from annotated_types import Ge, Gt
from torch import Tensor, nn
from torch.nn import functional

from animeid.losses.contract import EmbeddingTerm
from animeid.numerics import full_precision
from animeid.terms import UNKNOWN_STYLE
from animeid.types import Batch

STEEPNESS = 10.0
"""Ganin 2016's gamma."""


class ReversedGradient(torch.autograd.Function):
    """The same going forward; the gradient comes back times `-strength` (Ganin 2016, section 4.2)."""

    @staticmethod
    def forward(ctx: Any, values: Tensor, strength: float) -> Tensor:
        ctx.strength = strength
        return values.view_as(values)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return -ctx.strength * gradient, None


class StyleAdversary(EmbeddingTerm):
    """DANN (Ganin 2016, arXiv 1505.07818): a classifier learns to tell styles by the embedding, which unlearns them.

    The reversed gradient grows with the share p of training that is done, as `2 / (1 + exp(-10 p)) - 1`, so that the
    classifier learns before it is listened to. A picture of unknown style costs nothing.

    Args:
        in_features: D, the length of an embedding.
        num_classes: C.
        weight: of the term beside the loss.
        size: of the classifier's hidden layer.
    """

    uses_styles = True

    def __init__(
        self,
        in_features: int,
        num_classes: int,  # noqa: ARG002
        *,
        weight: Annotated[float, Gt(0)] = 0.1,
        size: Annotated[int, Ge(1)] = 128,
    ) -> None:
        super().__init__()
        self.weight, self.strength = weight, 0.0
        self.hidden = nn.Sequential(nn.Linear(in_features, size), nn.ReLU())
        self.styles = nn.Linear(size, 1)

    def take_styles(self, number: int) -> None:
        """Makes room for so many styles."""
        self.styles = nn.Linear(self.styles.in_features, number)

    def set_progress(self, epoch: int, step: int, total_steps: int, epochs: int) -> None:  # noqa: ARG002
        """Is told as each epoch begins, at `step` of so many optimiser steps."""
        self.strength = 2 / (1 + math.exp(-STEEPNESS * step / total_steps)) - 1

    def forward(self, embedding: Tensor, batch: Batch) -> Tensor:
        logits = self.styles(self.hidden(ReversedGradient.apply(embedding, self.strength)))
        return functional.cross_entropy(
            full_precision(logits), batch["style"], ignore_index=UNKNOWN_STYLE, reduction="none"
        )
