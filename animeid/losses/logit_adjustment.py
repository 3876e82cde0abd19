"""Cross entropy of logits that are moved by how often training shows each class."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Ge, Interval
from torch import Tensor, nn

from animeid.losses import functional
from animeid.numerics import full_precision
from animeid.types import Batch, LabelStats, ModelOutput


class LogitAdjustmentLoss(nn.Module):
    """Menon 2021 (arXiv 2007.07314), equation 10: cross entropy of `z + tau log prior`; answers `logit_adjustment`.

    What is learnt is `z`, by which pictures are named as if all classes were equally frequent. `tau = 1` is balanced
    softmax (Ren 2020, arXiv 2007.10740, equation 4). The prior is that of the sampler: with one that balances by
    itself, this is plain cross entropy.

    Args:
        stats: the classes and how often training shows them.
        tau: how strongly; 0 is cross entropy.
        label_smoothing: the share of a target that goes to all classes alike.

    Raises:
        InputError: a class has no training picture.
    """

    adjusts_by_prior = True

    offset: Tensor

    def __init__(
        self,
        stats: LabelStats,
        *,
        tau: Annotated[float, Ge(0)] = 1.0,
        label_smoothing: Annotated[float, Interval(ge=0, lt=1)] = 0.0,
    ) -> None:
        super().__init__()
        functional.check_counts(stats.shown_counts, stats.names, "logit adjustment")
        self.stats, self.tau, self.label_smoothing = stats, tau, label_smoothing
        self.register_buffer("offset", tau * stats.log_prior, persistent=False)

    def set_prior(self, prior: Tensor | None) -> None:
        """Takes in the class distribution `[C]` that training shows from here on; None is that of the run."""
        self.offset.copy_(self.tau * self.stats.showing(prior).log_prior)

    def forward(self, output: ModelOutput, batch: Batch) -> dict[str, Tensor]:
        logits = full_precision(output.logits) + self.offset
        value = functional.cross_entropy(logits, batch["target"], label_smoothing=self.label_smoothing)
        return {"logit_adjustment": value}
