"""Focal loss: pictures that are already right count less."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Interval
from torch import Tensor, nn

from animeid.losses import functional
from animeid.types import Batch, LabelStats, ModelOutput


class FocalLoss(nn.Module):
    """Lin 2017 (arXiv 1708.02002), for a softmax; answers the term `focal`, `[B]`.

    Args:
        stats: the classes; not needed here, but every loss is built with them.
        gamma: how much less an easy picture counts; 0 is cross entropy.
    """

    def __init__(
        self,
        stats: LabelStats,  # noqa: ARG002
        *,
        gamma: Annotated[float, Interval(ge=0, le=100)] = 2.0,
    ) -> None:
        super().__init__()
        self.gamma = gamma

    def forward(self, output: ModelOutput, batch: Batch) -> dict[str, Tensor]:
        return {"focal": functional.focal(output.logits, batch["target"], gamma=self.gamma)}
