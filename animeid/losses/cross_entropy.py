"""Cross entropy, with label smoothing."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Interval
from torch import Tensor, nn

from animeid.losses import functional
from animeid.types import Batch, LabelStats, ModelOutput


class CrossEntropyLoss(nn.Module):
    """The plain loss of classification; answers the term `cross_entropy`, `[B]`.

    Args:
        stats: the classes; not needed here, but every loss is built with them.
        label_smoothing: the share of a target that goes to all classes alike.
    """

    def __init__(
        self,
        stats: LabelStats,  # noqa: ARG002
        *,
        label_smoothing: Annotated[float, Interval(ge=0, lt=1)] = 0.0,
    ) -> None:
        super().__init__()
        self.label_smoothing = label_smoothing

    def forward(self, output: ModelOutput, batch: Batch) -> dict[str, Tensor]:
        value = functional.cross_entropy(output.logits, batch["target"], label_smoothing=self.label_smoothing)
        return {"cross_entropy": value}
