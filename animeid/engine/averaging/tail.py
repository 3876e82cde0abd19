"""The mean of the weights over the last part of a run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_types import Ge

from animeid.optim.schedules import Schedule


@dataclass(frozen=True, kw_only=True)
class Tail:
    """The plain mean of the weights after each optimiser step of the last epochs (tail averaging; Jain 2018, JMLR 18,
    arXiv 1610.03774, equation 1), after Polyak and Juditsky (1992).

    The schedule stays as it is. Batch norm's statistics are averaged as the weights are.

    Args:
        start_epoch: so many epochs come before the first whose weights are averaged; `auto` is three quarters of the
            run.
    """

    start_epoch: Annotated[int, Ge(0)] | Literal["auto"] = "auto"

    renews_statistics = False

    def share(self, *, epoch: int, updates: int, ends_epoch: bool) -> float | None:
        if self.start_epoch == "auto":
            raise ValueError("averaging.start_epoch=auto must be resolved before training")
        return 1 / (updates + 1) if epoch >= self.start_epoch else None

    def schedule(self, before: Schedule, *, highest: float) -> Schedule:
        return before
