"""Contract of schedules, and the base of known curves."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR


def ease(start: float, end: float, progress: float) -> float:
    """Half a cosine from `start` at progress 0 to `end` at progress 1."""
    return end + (start - end) * (1 + math.cos(math.pi * progress)) / 2


class Schedule(Protocol):
    """The learning rate over a run. Steps are the optimiser's, not batches."""

    def build(self, optimizer: Optimizer, *, total_steps: int, steps_per_epoch: int) -> dict[str, Any]:
        """Lightning's `lr_scheduler` entry; each parameter group's own `lr` is the highest rate."""
        ...

    def trace(self, *, lr: float, total_steps: int, steps_per_epoch: int, figures: Sequence[float] = ()) -> np.ndarray:
        """The rate of each step, `[total_steps]` float64.

        Args:
            lr: the highest rate.
            figures: the monitored figure after each epoch, for a schedule that follows one.
        """
        ...


@runtime_checkable
class FollowsValidation(Protocol):
    """A schedule that moves with a figure of validation.

    monitor: the figure's name.
    """

    monitor: str


def followed_figure(schedule: Schedule) -> str | None:
    """The figure of validation that a schedule follows; None where it follows none."""
    return schedule.monitor if isinstance(schedule, FollowsValidation) else None


@runtime_checkable
class FollowsSteps(Protocol):
    """A schedule whose whole curve is known before the run."""

    def factor(self, step: int, *, total_steps: int, steps_per_epoch: int) -> float:
        """What the highest rate is multiplied with at `step`, counted from 0.

        `total_steps` itself may be asked for too: the scheduler moves on once more after the last step.
        """
        ...


class Curve(ABC):
    """A schedule whose factor on the highest rate depends on nothing but the step; steps with the optimiser."""

    @abstractmethod
    def factor(self, step: int, *, total_steps: int, steps_per_epoch: int) -> float:
        """See `FollowsSteps`."""

    def build(self, optimizer: Optimizer, *, total_steps: int, steps_per_epoch: int) -> dict[str, Any]:
        def factor(step: int) -> float:
            return self.factor(step, total_steps=total_steps, steps_per_epoch=steps_per_epoch)

        return {"scheduler": LambdaLR(optimizer, factor), "interval": "step", "frequency": 1}

    def trace(
        self,
        *,
        lr: float,
        total_steps: int,
        steps_per_epoch: int,
        figures: Sequence[float] = (),  # noqa: ARG002
    ) -> np.ndarray:
        steps = range(total_steps)
        return lr * np.array(
            [self.factor(step, total_steps=total_steps, steps_per_epoch=steps_per_epoch) for step in steps]
        )
