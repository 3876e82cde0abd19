"""Distillation of probabilities (Hinton 2015)."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Gt
from torch import Tensor

from animeid.losses.distill_probabilities import ProbabilityDistillation
from animeid.losses.distillation import tempered_divergence


class LogitDistillation(ProbabilityDistillation):
    """`tempered_divergence` from the teacher's probabilities.

    Args:
        in_features: D of the student. teacher_features: of the teacher.
        weight: of the term beside the loss.
        temperature: the higher it is, the more unlikely classes count.
    """

    def __init__(
        self,
        in_features: int,
        teacher_features: int,
        *,
        weight: Annotated[float, Gt(0)] = 1.0,
        temperature: Annotated[float, Gt(0)] = 2.0,
    ) -> None:
        super().__init__(in_features, teacher_features, weight, temperature)

    def distance(self, student: Tensor, teacher: Tensor) -> Tensor:
        return tempered_divergence(student, teacher, self.temperature)
