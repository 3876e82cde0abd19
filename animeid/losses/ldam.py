"""Margins that are wider for classes with fewer pictures."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Gt
from torch import Tensor, nn

from animeid.losses import functional
from animeid.types import Batch, LabelStats, ModelOutput


class LDAMLoss(nn.Module):
    """Cao 2019 (arXiv 1906.07413): margins in proportion to `n_c^(-1/4)`; answers the term `ldam`, `[B]`.

    The paper's networks compare directions, and their cosines are multiplied by 30. A margin of 0.5 in cosines is
    half of the head's scale: the paper's are `head=cosine head.scale=30 head.learn_scale=false` and `max_margin=15`.

    Args:
        stats: the classes and how often training shows them.
        max_margin: that of the rarest class, in the unit of the logits.

    Raises:
        InputError: a class has no training picture.
    """

    lifts_rare_classes = True

    margins: Tensor

    def __init__(self, stats: LabelStats, *, max_margin: Annotated[float, Gt(0)] = 0.5) -> None:
        super().__init__()
        functional.check_counts(stats.shown_counts, stats.names, "LDAM")
        self.stats, self.max_margin = stats, max_margin
        self.register_buffer("margins", self._margins(stats), persistent=False)

    def set_prior(self, prior: Tensor | None) -> None:
        """Takes in the class distribution `[C]` that training shows from here on; None is that of the run."""
        self.margins.copy_(self._margins(self.stats.showing(prior)))

    def _margins(self, stats: LabelStats) -> Tensor:
        margins = stats.shown_counts**-0.25
        return (self.max_margin * margins / margins.max()).float()

    def forward(self, output: ModelOutput, batch: Batch) -> dict[str, Tensor]:
        return {"ldam": functional.ldam(output.logits, batch["target"], margins=self.margins)}
