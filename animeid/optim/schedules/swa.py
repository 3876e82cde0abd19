"""The learning rate of stochastic weight averaging."""

from __future__ import annotations

from animeid.optim.schedules.base import Curve, FollowsSteps, ease


class SwaCurve(Curve):
    """Another curve until the averaging begins; then half a cosine to a rate that stays (torch's `SWALR`).

    Args:
        before: the curve until then.
        start_epoch: the epoch, counted from 0, in which it is left.
        anneal_epochs: epochs until the last rate is reached.
        factor_after: that rate as a multiple of the highest.
    """

    def __init__(self, before: FollowsSteps, *, start_epoch: int, anneal_epochs: int, factor_after: float) -> None:
        self.before = before
        self.start_epoch = start_epoch
        self.anneal_epochs = anneal_epochs
        self.factor_after = factor_after

    def factor(self, step: int, *, total_steps: int, steps_per_epoch: int) -> float:
        start = self.start_epoch * steps_per_epoch
        if step < start:
            return self.before.factor(step, total_steps=total_steps, steps_per_epoch=steps_per_epoch)
        left_at = self.before.factor(max(start - 1, 0), total_steps=total_steps, steps_per_epoch=steps_per_epoch)
        progress = min(1.0, (step - start) / (self.anneal_epochs * steps_per_epoch))
        return ease(left_at, self.factor_after, progress)
