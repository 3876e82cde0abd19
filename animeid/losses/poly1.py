"""Poly-1: cross entropy with a stronger first term."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Ge
from torch import Tensor, nn

from animeid.losses import functional
from animeid.types import Batch, LabelStats, ModelOutput


class Poly1Loss(nn.Module):
    """Leng 2022 (arXiv 2204.12511); answers the term `poly1`, `[B]`.

    Args:
        stats: the classes; not needed here, but every loss is built with them.
        epsilon: the weight of `1 - p` that is added; 0 is cross entropy, less than -1 would reward mistakes.
    """

    def __init__(self, stats: LabelStats, *, epsilon: Annotated[float, Ge(-1)] = 1.0) -> None:  # noqa: ARG002
        super().__init__()
        self.epsilon = epsilon

    def forward(self, output: ModelOutput, batch: Batch) -> dict[str, Tensor]:
        return {"poly1": functional.poly1(output.logits, batch["target"], epsilon=self.epsilon)}
