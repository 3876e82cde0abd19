"""A lower learning rate whenever a figure of validation no longer improves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import numpy as np
import torch
from annotated_types import Ge, Interval
from torch.optim import Optimizer
from torch.optim.lr_scheduler import ReduceLROnPlateau

from animeid.terms import better


@dataclass(frozen=True, kw_only=True)
class ReduceOnPlateau:
    """torch's `ReduceLROnPlateau`, once an epoch, after validation.

    Args:
        monitor: the figure that it follows; a loss is better the lower it is.
        factor: what the rate is multiplied with.
        patience: epochs without improvement that are let pass; the next one lowers the rate.
        threshold: a change smaller than this is no improvement.
        min_lr: the rate never falls below.
    """

    monitor: Literal["val/f1_macro", "val/acc_macro", "val/acc_micro", "val/loss"] = "val/acc_macro"
    factor: Annotated[float, Interval(gt=0, lt=1)] = 0.5
    patience: Annotated[int, Ge(0)] = 3
    threshold: Annotated[float, Ge(0)] = 1e-4
    min_lr: Annotated[float, Ge(0)] = 0.0

    def build(self, optimizer: Optimizer, *, total_steps: int, steps_per_epoch: int) -> dict[str, Any]:  # noqa: ARG002
        return {"scheduler": self._scheduler(optimizer), "interval": "epoch", "frequency": 1, "monitor": self.monitor}

    def trace(self, *, lr: float, total_steps: int, steps_per_epoch: int, figures: Sequence[float] = ()) -> np.ndarray:
        """The rate of each step, `[total_steps]` float64, for the monitored figures as they came.

        Epochs beyond the last figure keep the rate that it left.
        """
        optimizer = torch.optim.SGD([torch.zeros(())], lr=lr)
        scheduler = self._scheduler(optimizer)
        epochs = -(-total_steps // steps_per_epoch)
        rates = np.empty(epochs)
        for epoch in range(epochs):
            rates[epoch] = optimizer.param_groups[0]["lr"]
            if epoch < len(figures):
                scheduler.step(figures[epoch])
        return rates.repeat(steps_per_epoch)[:total_steps]

    def _scheduler(self, optimizer: Optimizer) -> ReduceLROnPlateau:
        return ReduceLROnPlateau(
            optimizer,
            mode=better(self.monitor),
            factor=self.factor,
            patience=self.patience,
            threshold=self.threshold,
            threshold_mode="abs",
            min_lr=self.min_lr,
        )
