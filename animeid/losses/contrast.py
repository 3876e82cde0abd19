"""Contrastive terms beside the loss."""

from __future__ import annotations

from typing import Annotated

import torch
from annotated_types import Ge, Gt
from torch import Tensor, nn
from torch.nn import functional

from animeid.losses.contract import EmbeddingTerm
from animeid.losses.contrastive import across_styles_contrastive, balanced_contrastive, supervised_contrastive
from animeid.numerics import full_precision
from animeid.types import Batch

Positive = Annotated[float, Gt(0)]
Size = Annotated[int, Ge(1)]
Several = Annotated[int, Ge(2)]


class SupervisedContrast(EmbeddingTerm):
    """The supervised contrastive term on projections of embeddings.

    An embedding is projected by a layer of its own size, `max(0, .)` and one of size P, to length 1: the embedding
    itself keeps what tells pictures of a class apart (Khosla 2020, arXiv 2004.11362, section 3.1).

    Args:
        in_features: D, the length of an embedding.
        num_classes: C.
        weight: of the term beside the loss.
        temperature: the lower it is, the more the nearest pictures count.
        size: P.
        views: how often each drawn picture stands in a batch, augmented differently each time.
    """

    def __init__(
        self,
        in_features: int,
        num_classes: int,  # noqa: ARG002
        *,
        weight: Positive = 0.5,
        temperature: Positive = 0.1,
        size: Size = 128,
        views: Several = 2,
    ) -> None:
        super().__init__()
        self.weight, self.temperature, self.views = weight, temperature, views
        self.projection = nn.Sequential(nn.Linear(in_features, in_features), nn.ReLU(), nn.Linear(in_features, size))

    def forward(self, embedding: Tensor, batch: Batch) -> Tensor:
        return supervised_contrastive(self.projected(embedding), batch["target"], self.temperature)

    def projected(self, embedding: Tensor) -> Tensor:
        """`[B, D]` to `[B, P]` float32, of length 1."""
        return functional.normalize(full_precision(self.projection(embedding)))


class AcrossStylesContrast(SupervisedContrast):
    """The term between pictures of a class in different styles; the rest is as above.

    Beside each drawn picture stand others of its class, in other styles than its own, where there are any: in a batch
    of few pictures and many classes there would hardly be a pair.
    """

    views_in_other_styles = True
    uses_styles = True

    def take_styles(self, number: int) -> None:
        """Needs no number of styles."""

    def forward(self, embedding: Tensor, batch: Batch) -> Tensor:
        projected = self.projected(embedding)
        return across_styles_contrastive(projected, batch["target"], batch["style"], self.temperature)


class BalancedContrast(SupervisedContrast):
    """The balanced contrastive term, with a learnt centre for each class; the rest is as above."""

    def __init__(
        self,
        in_features: int,
        num_classes: int,
        *,
        weight: Positive = 0.5,
        temperature: Positive = 0.1,
        size: Size = 128,
        views: Several = 2,
    ) -> None:
        super().__init__(in_features, num_classes, weight=weight, temperature=temperature, size=size, views=views)
        self.centres = nn.Parameter(functional.normalize(torch.randn(num_classes, size)))

    def forward(self, embedding: Tensor, batch: Batch) -> Tensor:
        centres = functional.normalize(self.centres)
        return balanced_contrastive(self.projected(embedding), batch["target"], centres, self.temperature)
