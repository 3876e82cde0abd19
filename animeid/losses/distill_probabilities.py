"""The frame of distillation terms that compare tempered probabilities."""

from __future__ import annotations

from torch import Tensor

from animeid.losses.contract import DistillationTerm
from animeid.numerics import exact, full_precision
from animeid.types import Batch, ModelOutput


class ProbabilityDistillation(DistillationTerm):
    """A term of both sides' logits, in full precision; the lengths of embeddings play no part.

    Args:
        in_features: D of the student. teacher_features: of the teacher.
        weight: of the term beside the loss.
        temperature: what logits are divided by.
    """

    compares = "logits"

    def __init__(self, in_features: int, teacher_features: int, weight: float, temperature: float) -> None:  # noqa: ARG002
        super().__init__()
        self.weight, self.temperature = weight, temperature

    def distance(self, student: Tensor, teacher: Tensor) -> Tensor:
        """Logits `[B, C]` of both to the term `[B]`, without its weight."""
        raise NotImplementedError

    def forward(self, output: ModelOutput, batch: Batch) -> Tensor:
        with exact(output.logits.device):
            return self.distance(full_precision(output.logits), full_precision(batch["teacher"].logits))
