"""One learning rate for the whole run."""

from __future__ import annotations

from dataclasses import dataclass

from animeid.optim.schedules.base import Curve


@dataclass(frozen=True, kw_only=True)
class Constant(Curve):
    """The rate stays what the optimiser was given."""

    def factor(self, step: int, *, total_steps: int, steps_per_epoch: int) -> float:  # noqa: ARG002
        return 1.0
