"""Contract of weight averages."""

from __future__ import annotations

from typing import Protocol

from animeid.optim.schedules import Schedule


class Averaging(Protocol):
    """When an average of weights moves towards those in training, and how far.

    renews_statistics: whether batch norm's statistics are estimated anew for the averaged weights; otherwise they are
        averaged as the weights are.
    """

    renews_statistics: bool

    def share(self, *, epoch: int, updates: int, ends_epoch: bool) -> float | None:
        """How far the average moves after an optimiser step: 1 copies the weights, None leaves it as it is.

        Args:
            epoch: counted from 0.
            updates: how often it has moved.
            ends_epoch: whether the step is the epoch's last.
        """
        ...

    def schedule(self, before: Schedule, *, highest: float) -> Schedule:
        """The learning rate of a run with this average; `before` is the one that the run asked for.

        Args:
            highest: the rate that the schedule's factors multiply.
        """
        ...
