"""Distillation of relations, DIST (Huang 2022)."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Ge, Gt
from torch import Tensor

from animeid.losses.contract import DistillationTerm
from animeid.losses.distillation import relation_distance
from animeid.numerics import exact, full_precision
from animeid.types import Batch, ModelOutput


class RelationDistillation(DistillationTerm):
    """`relation_distance` to the teacher: scale and offset of its probabilities are free, which suits a small student.

    Args:
        in_features: D of the student. teacher_features: of the teacher.
        weight: of the term beside the loss.
        between_classes: what the order of classes within each picture counts.
        within_class: what the order of pictures within each class counts.
        temperature: the higher it is, the more unlikely classes count.
    """

    compares = "logits"

    def __init__(
        self,
        in_features: int,  # noqa: ARG002
        teacher_features: int,  # noqa: ARG002
        *,
        weight: Annotated[float, Gt(0)] = 1.0,
        between_classes: Annotated[float, Ge(0)] = 1.0,
        within_class: Annotated[float, Ge(0)] = 1.0,
        temperature: Annotated[float, Gt(0)] = 1.0,
    ) -> None:
        super().__init__()
        self.weight, self.temperature = weight, temperature
        self.between_classes, self.within_class = between_classes, within_class

    def forward(self, output: ModelOutput, batch: Batch) -> Tensor:
        with exact(output.logits.device):
            student, teacher = full_precision(output.logits), full_precision(batch["teacher"].logits)
            return relation_distance(student, teacher, self.temperature, self.between_classes, self.within_class)
