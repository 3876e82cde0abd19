"""The usual head: dropout and one linear layer."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Interval
from torch import Tensor, nn

from animeid.models.heads.contract import VectorHead

INITIAL_STD = 0.02


class LinearHead(VectorHead):
    """`logits = W dropout(embedding) + b`.

    Weights start small and biases at zero, so that a new head gives every class about the same probability.

    Args:
        in_features: D, the length of an embedding.
        num_classes: C.
        dropout: share of the embedding's values dropped in training.
    """

    def __init__(
        self, in_features: int, num_classes: int, *, dropout: Annotated[float, Interval(ge=0, lt=1)] = 0.2
    ) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.linear = nn.Linear(in_features, num_classes)
        nn.init.trunc_normal_(self.linear.weight, std=INITIAL_STD)
        nn.init.zeros_(self.linear.bias)

    def forward(self, embedding: Tensor) -> Tensor:
        """`[B, D]` to logits `[B, C]`."""
        return self.linear(self.dropout(embedding))
