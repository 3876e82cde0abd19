"""Stochastic weight averaging."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_types import Ge, Gt

from animeid.errors import InputError
from animeid.optim.schedules import FollowsSteps, Schedule, SwaCurve, followed_figure


@dataclass(frozen=True, kw_only=True)
class Swa:
    """The plain mean of the weights at the ends of late epochs (Izmailov 2018, arXiv 1803.05407, algorithm 1).

    Batch norm's statistics are estimated anew for the mean, with one pass over the training part; from `start_epoch`
    on the mean is what is judged and saved.

    Args:
        start_epoch: so many epochs come before the first whose weights are averaged; `auto` is three quarters of the
            run.
        every_epochs: epochs between two of them.
        lr: the learning rate from there on; `auto` is a tenth of the highest.
        anneal_epochs: epochs in which the rate goes there, along half a cosine.
    """

    start_epoch: Annotated[int, Ge(0)] | Literal["auto"] = "auto"
    every_epochs: Annotated[int, Ge(1)] = 1
    lr: Annotated[float, Gt(0)] | Literal["auto"] = "auto"
    anneal_epochs: Annotated[int, Ge(1)] = 1

    renews_statistics = True

    def share(self, *, epoch: int, updates: int, ends_epoch: bool) -> float | None:
        begins = self._start_epoch()
        is_due = ends_epoch and epoch >= begins and (epoch - begins) % self.every_epochs == 0
        return 1 / (updates + 1) if is_due else None

    def schedule(self, before: Schedule, *, highest: float) -> Schedule:
        """Raises:
        InputError: the schedule follows a figure of validation, so that its rate before the mean is not known.
        """
        if followed_figure(before) is not None or not isinstance(before, FollowsSteps):
            raise InputError(
                "averaging=swa sets the learning rate of the last epochs itself, and this scheduler follows a figure "
                "of validation: take scheduler=cosine, one_cycle or constant"
            )
        if self.lr == "auto":
            raise ValueError("averaging.lr=auto must be resolved before the schedule is made")
        return SwaCurve(
            before, start_epoch=self._start_epoch(), anneal_epochs=self.anneal_epochs, factor_after=self.lr / highest
        )

    def _start_epoch(self) -> int:
        if self.start_epoch == "auto":
            raise ValueError("averaging.start_epoch=auto must be resolved before training")
        return self.start_epoch
