"""Asymmetric loss: what smoothing asks of the other classes is asked of the likely ones."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Interval
from torch import Tensor, nn

from animeid.losses import functional
from animeid.types import Batch, LabelStats, ModelOutput


class AsymmetricLoss(nn.Module):
    """Ridnik 2021 (arXiv 2009.14119) for one label a picture; answers the term `asymmetric`, `[B]`.

    Args:
        stats: the classes; not needed here, but every loss is built with them.
        gamma_positive: how much less a picture counts that is already right.
        gamma_negative: how much less another class counts that is already unlikely.
        label_smoothing: the share of a target that goes to all classes alike; without any, other classes play no part.
    """

    def __init__(
        self,
        stats: LabelStats,  # noqa: ARG002
        *,
        gamma_positive: Annotated[float, Interval(ge=0, le=100)] = 0.0,
        gamma_negative: Annotated[float, Interval(ge=0, le=100)] = 4.0,
        label_smoothing: Annotated[float, Interval(ge=0, lt=1)] = 0.1,
    ) -> None:
        super().__init__()
        self.settings = {
            "gamma_positive": gamma_positive,
            "gamma_negative": gamma_negative,
            "label_smoothing": label_smoothing,
        }

    def forward(self, output: ModelOutput, batch: Batch) -> dict[str, Tensor]:
        return {"asymmetric": functional.asymmetric(output.logits, batch["target"], **self.settings)}
