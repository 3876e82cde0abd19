"""One cycle: up to the highest learning rate, then down to nearly nothing at the last step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from annotated_types import Ge, Interval

from animeid.optim.schedules.base import Curve, ease


@dataclass(frozen=True, kw_only=True)
class OneCycle(Curve):
    """Smith 2018 (arXiv 1708.07120) in two phases of half a cosine, with the figures of torch's `OneCycleLR`.

    Momentum stays as it is: the paper cycles that of SGD, and moving Adam's first beta would change how fast its
    running mean forgets in the middle of a run.

    Args:
        pct_start: the part of the run that goes up.
        div_factor: the first rate is the highest divided by this.
        final_div_factor: the last rate is the first divided by this.
    """

    pct_start: Annotated[float, Interval(gt=0, lt=1)] = 0.3
    div_factor: Annotated[float, Ge(1)] = 25.0
    final_div_factor: Annotated[float, Ge(1)] = 1e4

    def factor(self, step: int, *, total_steps: int, steps_per_epoch: int) -> float:  # noqa: ARG002
        # A run too short to go up begins at the highest rate; torch's scheduler divides by zero there.
        peak = max(self.pct_start * total_steps - 1, 0.0)
        first = 1 / self.div_factor
        if step < peak:
            return ease(first, 1.0, step / peak)
        if total_steps == 1:
            return 1.0
        return ease(1.0, first / self.final_div_factor, min((step - peak) / (total_steps - 1 - peak), 1.0))
