"""An exponential moving average of the weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from annotated_types import Ge, Interval

from animeid.optim.schedules import Schedule


@dataclass(frozen=True, kw_only=True)
class Ema:
    """`average <- d average + (1 - d) weights` after each optimiser step (Polyak 1992; Tarvainen 2017, 1703.01780).

    Early on d is `(1 + n) / (10 + n)` after n updates, as long as that is below `decay`, so that short runs are not
    held back by their first weights. Buffers of batch norm are averaged too.

    Args:
        decay: the highest d.
        start_epoch: so many epochs come before the average; until then the plain weights are judged.
    """

    decay: Annotated[float, Interval(gt=0, lt=1)] = 0.999
    start_epoch: Annotated[int, Ge(0)] = 0

    renews_statistics = False

    def share(self, *, epoch: int, updates: int, ends_epoch: bool) -> float | None:
        if epoch < self.start_epoch:
            return None
        return 1.0 if updates == 0 else 1 - min(self.decay, (1 + updates) / (10 + updates))

    def schedule(self, before: Schedule, *, highest: float) -> Schedule:
        return before
