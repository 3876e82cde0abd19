"""Styles weighted by how badly they do: training for the worst of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import torch
from annotated_types import Gt
from torch import Tensor, nn

from animeid.losses.cross_entropy import CrossEntropyLoss
from animeid.terms import UNKNOWN_STYLE
from animeid.types import Batch, LabelStats, ModelOutput


class GroupDROLoss(nn.Module):
    """Any loss, trained for the worst style: Group DRO (Sagawa 2020, arXiv 1911.08731); answers its terms, `[B]`.

    Algorithm 1: with each batch the weight of a style is multiplied by `exp(rate x its mean loss)`, all are divided by
    their sum, and what is trained is the sum of the styles' mean losses by these weights. In evaluation, and for a
    picture of unknown style, the loss is as it is. Of mixed pictures the style of the first counts. Auxiliary
    classifiers move the weights as the main one does. The paper's gains need much regularisation: weight decay, or few
    epochs.

    Args:
        stats: the classes and how often training shows them.
        loss: called with `stats`, gives the loss that is weighed.
        rate: the paper's eta.
    """

    uses_styles = True

    style_weight: Tensor | None

    def __init__(
        self,
        stats: LabelStats,
        *,
        loss: Callable[..., nn.Module] = CrossEntropyLoss,
        rate: Annotated[float, Gt(0)] = 0.01,
    ) -> None:
        super().__init__()
        self.loss = loss(stats=stats)
        self.rate = rate
        # Part of the state once there are styles, so that a run that goes on has it.
        self.register_buffer("style_weight", None)

    def take_styles(self, number: int) -> None:
        """Begins with so many styles of one weight."""
        self.style_weight = torch.full((number,), 1 / number)

    def forward(self, output: ModelOutput, batch: Batch) -> dict[str, Tensor]:
        terms: dict[str, Tensor] = self.loss(output, batch)
        if self.style_weight is None or not self.training:
            return terms
        values = torch.stack([value.detach() for value in terms.values()]).sum(0)
        factor = self._factor(values, batch["style"])
        return {name: factor * value for name, value in terms.items()}

    def _factor(self, values: Tensor, style: Tensor) -> Tensor:
        """`[B]`: what makes the mean of the batch's values the weighted sum of the means of its styles.

        Args:
            values: `[B]`, of which the weights learn first.
            style: `[B]` int64.
        """
        assert self.style_weight is not None
        known = style != UNKNOWN_STYLE
        place = style.where(known, 0)
        # Sums of losses and numbers of pictures, over all processes, which must agree about the weights.
        sums, numbers = (
            torch.zeros_like(self.style_weight).index_add(0, place, one.to(self.style_weight) * known)
            for one in (values, torch.ones_like(values))
        )
        if torch.distributed.is_available() and torch.distributed.is_initialized():
            for tensor in (sums, numbers):
                torch.distributed.all_reduce(tensor)
        moved = self.style_weight * (self.rate * sums / numbers.clamp_min(1)).exp()
        self.style_weight.copy_(moved / moved.sum())
        shares = self.style_weight * numbers.sum() / numbers.clamp_min(1)
        return shares[place].where(known, 1.0)
