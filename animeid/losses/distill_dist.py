"""Distillation of relations, DIST (Huang 2022)."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Ge, Gt
from torch import Tensor

from animeid.losses.distill_probabilities import ProbabilityDistillation
from animeid.losses.distillation import relation_distance


class RelationDistillation(ProbabilityDistillation):
    """`relation_distance` to the teacher: scale and offset of its probabilities are free, which suits a small student.

    Args:
        in_features: D of the student. teacher_features: of the teacher.
        weight: of the term beside the loss.
        between_classes: what the order of classes within each picture counts.
        within_class: what the order of pictures within each class counts.
        temperature: the higher it is, the more unlikely classes count.
    """

    def __init__(
        self,
        in_features: int,
        teacher_features: int,
        *,
        weight: Annotated[float, Gt(0)] = 1.0,
        between_classes: Annotated[float, Ge(0)] = 1.0,
        within_class: Annotated[float, Ge(0)] = 1.0,
        temperature: Annotated[float, Gt(0)] = 1.0,
    ) -> None:
        super().__init__(in_features, teacher_features, weight, temperature)
        self.between_classes, self.within_class = between_classes, within_class

    def distance(self, student: Tensor, teacher: Tensor) -> Tensor:
        return relation_distance(student, teacher, self.temperature, self.between_classes, self.within_class)
