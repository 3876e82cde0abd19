"""Cosine annealing that starts again, in cycles that may grow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from annotated_types import Ge, Interval

from animeid.optim.schedules.base import Curve, ease


@dataclass(frozen=True, kw_only=True)
class CosineWarmRestarts(Curve):
    """Loshchilov 2017 (arXiv 1608.03983); moves with every step, not in jumps from epoch to epoch.

    Args:
        cycle_epochs: length of the first cycle (the paper's T_0).
        cycle_mult: each cycle is this many times as long as the one before (the paper's T_mult).
        min_lr_ratio: the rate at the end of a cycle, as a part of the highest.
    """

    cycle_epochs: Annotated[int, Ge(1)] = 10
    cycle_mult: Annotated[int, Ge(1)] = 1
    min_lr_ratio: Annotated[float, Interval(ge=0, lt=1)] = 0.0

    def factor(self, step: int, *, total_steps: int, steps_per_epoch: int) -> float:  # noqa: ARG002
        # Counted in whole steps: with fractions of epochs a restart may come a step late.
        length = self.cycle_epochs * steps_per_epoch
        if self.cycle_mult == 1:
            step %= length
        while step >= length:
            step -= length
            length *= self.cycle_mult
        return ease(1.0, self.min_lr_ratio, step / length)
