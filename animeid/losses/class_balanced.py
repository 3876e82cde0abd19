"""Cross entropy with classes weighted by their effective number of pictures."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Interval
from torch import Tensor, nn

from animeid.losses import functional
from animeid.types import Batch, LabelStats, ModelOutput


class ClassBalancedLoss(nn.Module):
    """Cui 2019 (arXiv 1901.05555) on cross entropy; answers the term `class_balanced`, `[B]`.

    The counts are those that the sampler shows: with one that balances by itself this is plain cross entropy.

    Args:
        stats: the classes and how often training shows them.
        beta: 0 weighs all classes alike, towards 1 by the inverse of their pictures.

    Raises:
        InputError: a class has no training picture.
    """

    weight: Tensor

    def __init__(self, stats: LabelStats, *, beta: Annotated[float, Interval(ge=0, lt=1)] = 0.999) -> None:
        super().__init__()
        weight = functional.effective_number_weights(stats.shown_counts, beta, stats.names)
        self.register_buffer("weight", weight.float(), persistent=False)

    def forward(self, output: ModelOutput, batch: Batch) -> dict[str, Tensor]:
        return {"class_balanced": functional.cross_entropy(output.logits, batch["target"], weight=self.weight)}
