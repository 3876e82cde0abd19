"""Seesaw loss: frequent classes push rare ones down less, unless they are mistaken for them."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Ge
from torch import Tensor, nn

from animeid.losses import functional
from animeid.types import Batch, LabelStats, ModelOutput


class SeesawLoss(nn.Module):
    """Wang 2021 (arXiv 2008.10032); answers the term `seesaw`, `[B]`.

    The paper counts a class's pictures while it trains, as a detector cannot know them before; here they are those that
    the sampler shows, so that a run that goes on needs no counters.

    Args:
        stats: the classes and how often training shows them.
        mitigation: the paper's p; 0 leaves the frequencies out.
        compensation: the paper's q; 0 leaves mistakes out.

    Raises:
        InputError: a class has no training picture.
    """

    lifts_rare_classes = True

    counts: Tensor

    def __init__(
        self,
        stats: LabelStats,
        *,
        mitigation: Annotated[float, Ge(0)] = 0.8,
        compensation: Annotated[float, Ge(0)] = 2.0,
    ) -> None:
        super().__init__()
        functional.check_counts(stats.shown_counts, stats.names, "seesaw loss")
        self.stats, self.mitigation, self.compensation = stats, mitigation, compensation
        self.register_buffer("counts", stats.shown_counts.float(), persistent=False)

    def set_prior(self, prior: Tensor | None) -> None:
        """Takes in the class distribution `[C]` that training shows from here on; None is that of the run."""
        self.counts.copy_(self.stats.showing(prior).shown_counts)

    def forward(self, output: ModelOutput, batch: Batch) -> dict[str, Tensor]:
        value = functional.seesaw(
            output.logits,
            batch["target"],
            counts=self.counts,
            mitigation=self.mitigation,
            compensation=self.compensation,
        )
        return {"seesaw": value}
