"""Class weights that follow the validation part."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import torch
from annotated_types import Ge, Interval
from torch import Tensor, nn

from animeid.losses.cross_entropy import CrossEntropyLoss
from animeid.numerics import class_shares, full_precision
from animeid.types import Batch, LabelStats, ModelOutput


class OnlineClassBalanceLoss(nn.Module):
    """Any loss with classes weighted by what validation still misses of them; answers its terms, `[B]`.

    `w_c = clip((1 - recall_c) / mean(1 - recall), 1 / bound, bound)`, as a running mean over epochs; in use scaled to a
    mean of 1 over the pictures that training shows. A class without validation pictures keeps the weight 1. Weights
    begin at 1; the bound keeps a class that cannot be learnt, one of mislabelled pictures for instance, from taking
    over.

    Args:
        stats: the classes and how often training shows them.
        loss: called with `stats`, gives the loss that is weighed.
        momentum: the share of the weights that stays at each validation.
        bound: see above.
    """

    lifts_rare_classes = True

    weight: Tensor
    prior: Tensor

    def __init__(
        self,
        stats: LabelStats,
        *,
        loss: Callable[..., nn.Module] = CrossEntropyLoss,
        momentum: Annotated[float, Interval(ge=0, lt=1)] = 0.5,
        bound: Annotated[float, Ge(1)] = 3.0,
    ) -> None:
        super().__init__()
        self.loss = loss(stats=stats)
        self.stats, self.momentum, self.bound = stats, momentum, bound
        # Part of the state, so that a run that goes on has it.
        self.register_buffer("weight", torch.ones(stats.num_classes))
        self.register_buffer("prior", stats.prior.float(), persistent=False)

    def set_prior(self, prior: Tensor | None) -> None:
        """Takes in the class distribution `[C]` that training shows from here on; None is that of the run."""
        self.prior.copy_(self.stats.showing(prior).prior)

    def observe_recall(self, recall: Tensor) -> None:
        """Takes in the recall `[C]` of an epoch's validation, NaN for a class without pictures."""
        known = recall.isfinite()
        if not known.any():
            return
        missed = 1 - recall
        # Where nothing is missed nothing is to be lifted, and what was is let go.
        missed = missed / mean if (mean := missed[known].mean()) > 0 else torch.ones_like(missed)
        relative = torch.where(known, missed.clamp(1 / self.bound, self.bound), 1.0).to(self.weight)
        self.weight.copy_(self.momentum * self.weight + (1 - self.momentum) * relative)

    def forward(self, output: ModelOutput, batch: Batch) -> dict[str, Tensor]:
        shares = class_shares(full_precision(output.logits), batch["target"])
        weight = self.weight / (self.weight * self.prior).sum()
        return self.loss(output, {**batch, "target": shares * weight})
