"""Losses with classes weighted by their effective number of pictures."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from annotated_types import Interval
from torch import Tensor, nn

from animeid.losses import functional
from animeid.losses.cross_entropy import CrossEntropyLoss
from animeid.numerics import class_shares, full_precision
from animeid.types import Batch, LabelStats, ModelOutput


class ClassBalanced(nn.Module):
    """Cui 2019 (arXiv 1901.05555) on any loss; its terms `NAME` become `class_balanced_NAME`, `[B]`.

    Every loss is linear in the shares of a target, so that weighing the shares weighs the classes, of mixed pictures
    too. The counts are those that the sampler shows: with one that balances by itself nothing is weighed.

    Args:
        stats: the classes and how often training shows them.
        loss: called with `stats`, gives the loss that is weighed.
        beta: 0 weighs all classes alike, towards 1 by the inverse of their pictures.
        start: the share of training after which weights begin, at the next epoch and no later than at the last one:
            deferred re-weighting (Cao 2019, arXiv 1906.07413, algorithm 1), which learns features from pictures as
            they come first. Only epochs with weights can be the best one.

    Raises:
        InputError: a class has no training picture.
    """

    lifts_rare_classes = True

    weight: Tensor

    def __init__(
        self,
        stats: LabelStats,
        *,
        loss: Callable[..., nn.Module],
        beta: Annotated[float, Interval(ge=0, lt=1)] = 0.999,
        start: Annotated[float, Interval(ge=0, lt=1)] = 0.0,
    ) -> None:
        super().__init__()
        self.loss = loss(stats=stats)
        self.stats, self.beta, self.start = stats, beta, start
        self.has_begun = True  # where nobody trains, as at the end of training
        self.register_buffer("weight", self._weight(stats), persistent=False)

    def set_prior(self, prior: Tensor | None) -> None:
        """Takes in the class distribution `[C]` that training shows from here on; None is that of the run."""
        self.weight.copy_(self._weight(self.stats.showing(prior)))

    def _weight(self, stats: LabelStats) -> Tensor:
        return functional.effective_number_weights(stats.shown_counts, self.beta, stats.names).float()

    def set_progress(self, epoch: int, step: int, total_steps: int, epochs: int) -> None:
        """Learns how far training is where an epoch begins, the first being 0: so many optimiser steps of all."""
        self.has_begun = epoch + 1 >= epochs or step >= self.start * total_steps

    def forward(self, output: ModelOutput, batch: Batch) -> dict[str, Tensor]:
        if self.has_begun:
            shares = class_shares(full_precision(output.logits), batch["target"])
            batch = {**batch, "target": shares * self.weight}
        return {f"class_balanced_{name}": value for name, value in self.loss(output, batch).items()}


class ClassBalancedLoss(ClassBalanced):
    """`ClassBalanced` on cross entropy."""

    def __init__(
        self,
        stats: LabelStats,
        *,
        beta: Annotated[float, Interval(ge=0, lt=1)] = 0.999,
        start: Annotated[float, Interval(ge=0, lt=1)] = 0.0,
    ) -> None:
        super().__init__(stats, loss=CrossEntropyLoss, beta=beta, start=start)
