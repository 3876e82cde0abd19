"""Half a cosine from the highest learning rate to the lowest, after a linear warm-up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from annotated_types import Interval

from animeid.optim.schedules.base import Curve, ease


@dataclass(frozen=True, kw_only=True)
class CosineWarmup(Curve):
    """Cosine annealing without restarts (Loshchilov 2017, arXiv 1608.03983), after a linear warm-up.

    Args:
        warmup_ratio: the part of the run that warms up; its first step already has a rate above 0.
        min_lr_ratio: the rate after the last step, as a part of the highest.
    """

    warmup_ratio: Annotated[float, Interval(ge=0, lt=1)] = 0.05
    min_lr_ratio: Annotated[float, Interval(ge=0, lt=1)] = 0.0

    def factor(self, step: int, *, total_steps: int, steps_per_epoch: int) -> float:  # noqa: ARG002
        warmup = min(round(self.warmup_ratio * total_steps), total_steps - 1)
        if step < warmup:
            return (step + 1) / (warmup + 1)
        return ease(1.0, self.min_lr_ratio, min((step - warmup) / (total_steps - warmup), 1.0))
