"""Focal loss with classes weighted by their effective number of pictures."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Interval
from torch import Tensor, nn

from animeid.losses import functional
from animeid.types import Batch, LabelStats, ModelOutput


class ClassBalancedFocalLoss(nn.Module):
    """Cui 2019 (arXiv 1901.05555) on focal loss; answers the term `class_balanced_focal`, `[B]`.

    The paper weighs the sigmoid form of focal loss; this weighs the softmax form of `functional.focal`.

    Args:
        stats: the classes and how often training shows them.
        beta: 0 weighs all classes alike, towards 1 by the inverse of their pictures.
        gamma: how much less an easy picture counts; 0 is class-balanced cross entropy.

    Raises:
        InputError: a class has no training picture.
    """

    weight: Tensor

    def __init__(
        self,
        stats: LabelStats,
        *,
        beta: Annotated[float, Interval(ge=0, lt=1)] = 0.999,
        gamma: Annotated[float, Interval(ge=0, le=100)] = 2.0,
    ) -> None:
        super().__init__()
        self.gamma = gamma
        weight = functional.effective_number_weights(stats.shown_counts, beta, stats.names)
        self.register_buffer("weight", weight.float(), persistent=False)

    def forward(self, output: ModelOutput, batch: Batch) -> dict[str, Tensor]:
        value = functional.focal(output.logits, batch["target"], gamma=self.gamma, weight=self.weight)
        return {"class_balanced_focal": value}
