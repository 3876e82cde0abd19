"""Pictures as they come, and balanced classes at the end."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from annotated_types import Ge, Interval

from animeid.data.samplers.natural import Natural
from animeid.data.samplers.planned import Planned
from animeid.data.samplers.weighted import Weighted
from animeid.types import Sampler


class Deferred(Planned):
    """Natural until the share `start` of the epochs is over, then weighted by `1 / n^power` (deferred re-sampling).

    Features are learnt from pictures as they come, and the classes are balanced while the learning rate falls (Cao
    2019, arXiv 1906.07413, section 3.3, by sampling in the place of weights).

    Args:
        rows: `[N]` int64 manifest rows of the training part.
        targets: `[N]` int64, the class of each of these rows.
        num_classes: C.
        start: the share of the epochs that is natural; the last epoch never is. Only epochs after it can be the best.
        power: how strongly rare classes are lifted afterwards.
        epochs: how many the way takes; `auto` is all epochs of the run, and filled in by the plan.
    """

    def __init__(
        self,
        rows: np.ndarray,
        targets: np.ndarray,
        num_classes: int,
        *,
        start: Annotated[float, Interval(ge=0, lt=1)] = 0.8,
        power: Annotated[float, Interval(ge=0, le=10)] = 1.0,
        epochs: Annotated[int, Ge(1)] | Literal["auto"] = "auto",
    ) -> None:
        super().__init__(epochs)
        self.begins_at = min(round(start * self.epochs), self.epochs - 1)
        self.before = Natural(rows, targets, num_classes)
        self.after = Weighted(rows, targets, num_classes, power=power)

    def stream(self, seed: int, epoch: int) -> np.ndarray:
        """`[N]` int64 manifest rows in the order of their draws."""
        return self._at(epoch).stream(seed, epoch)

    def prior_of(self, epoch: int) -> np.ndarray:
        """`[C]` float64: the class distribution of an epoch's draws."""
        return self._at(epoch).prior()

    def prior(self) -> np.ndarray:
        """`[C]` float64: the mean over the planned epochs, which is what the run shows in all."""
        share = self.begins_at / self.epochs
        return share * self.before.prior() + (1 - share) * self.after.prior()

    def _at(self, epoch: int) -> Sampler:
        return self.before if epoch < self.begins_at else self.after
