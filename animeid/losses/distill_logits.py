"""Distillation of probabilities (Hinton 2015)."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Gt
from torch import Tensor

from animeid.losses.contract import DistillationTerm
from animeid.losses.distillation import tempered_divergence
from animeid.numerics import exact, full_precision
from animeid.types import Batch, ModelOutput


class LogitDistillation(DistillationTerm):
    """`tempered_divergence` from the teacher's probabilities.

    Args:
        in_features: D of the student. teacher_features: of the teacher.
        weight: of the term beside the loss.
        temperature: the higher it is, the more unlikely classes count.
    """

    compares = "logits"

    def __init__(
        self,
        in_features: int,  # noqa: ARG002
        teacher_features: int,  # noqa: ARG002
        *,
        weight: Annotated[float, Gt(0)] = 1.0,
        temperature: Annotated[float, Gt(0)] = 2.0,
    ) -> None:
        super().__init__()
        self.weight, self.temperature = weight, temperature

    def forward(self, output: ModelOutput, batch: Batch) -> Tensor:
        with exact(output.logits.device):
            student, teacher = full_precision(output.logits), full_precision(batch["teacher"].logits)
            return tempered_divergence(student, teacher, self.temperature)
