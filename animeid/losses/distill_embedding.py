"""Distillation of embeddings."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Gt
from torch import Tensor, nn

from animeid.losses.contract import DistillationTerm
from animeid.losses.distillation import cosine_distance
from animeid.numerics import exact, full_precision
from animeid.types import Batch, ModelOutput


class EmbeddingDistillation(DistillationTerm):
    """1 less the cosine of the student's embedding and the teacher's.

    Where their lengths differ the student's passes a linear projection first (FitNets, Romero 2015, arXiv 1412.6550),
    which is there in training only. Of several teachers it is their embeddings side by side.

    Args:
        in_features: D of the student. teacher_features: of the teacher.
        weight: of the term beside the loss.
    """

    compares = "embedding"

    def __init__(self, in_features: int, teacher_features: int, *, weight: Annotated[float, Gt(0)] = 1.0) -> None:
        super().__init__()
        self.weight = weight
        same = in_features == teacher_features
        self.projection = nn.Identity() if same else nn.Linear(in_features, teacher_features)

    def forward(self, output: ModelOutput, batch: Batch) -> Tensor:
        with exact(output.embedding.device):
            student = self.projection(full_precision(output.embedding))
            return cosine_distance(student, full_precision(batch["teacher"].embedding))
