"""Pictures that the model finds hard, more often."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import numpy as np
from annotated_types import Ge, Interval
from torch import Tensor

from animeid.data.samplers.contract import Choice
from animeid.data.samplers.stateless import class_counts
from animeid.terms import UNKNOWN_TARGET

HIGHEST = 20.0
"""Of losses: a class that was given a probability of 2e-9 could hardly be further away."""


class Difficulty:
    """Draws with replacement by what training made of each picture, or each class, until the epoch before.

    A picture's difficulty is the running mean of what it was observed with: its cross entropy, or the probability that
    the model gave to other classes. (Of mixed pictures it is the mixture's, which counts for the first of the two.)
    Weights are difficulties over their middle, cut off at `bound` and `1 / bound`, so that no picture is drawn more
    than `bound`^2 times as often as another: a mislabelled one, which stays hard for ever, cannot take over. The middle
    is the mean of errors, which are at most 1, and the median of losses, which one broken picture cannot move. A loss
    counts as `HIGHEST` where it is higher, and not at all where it is no number. Before the first epoch, and for
    pictures that were never drawn, the middle is assumed. An epoch has as many draws as there are training pictures.
    Pictures of no class are never drawn.

    In the spirit of online hard example mining (Shrivastava 2016, arXiv 1604.03540) and of class-wise difficulty
    (Sinha 2020, arXiv 2010.01824).

    Args:
        rows: `[N]` int64 manifest rows of the training part.
        targets: `[N]` int64, the class of each of these rows.
        num_classes: C.
        by: whether each picture has a difficulty of its own, or its class's.
        measure: `loss`, or `error`, which is at most 1.
        momentum: the share of a running mean that stays at each observation.
        bound: see above.
    """

    learns = True
    chooses: Choice = "pictures"

    def __init__(
        self,
        rows: np.ndarray,
        targets: np.ndarray,
        num_classes: int,
        *,
        by: Literal["picture", "class"] = "picture",
        measure: Literal["loss", "error"] = "error",
        momentum: Annotated[float, Interval(ge=0, lt=1)] = 0.5,
        bound: Annotated[float, Ge(1)] = 3.0,
    ) -> None:
        self.rows, self.targets = rows, targets
        self.by, self.measure, self.momentum, self.bound = by, measure, momentum, bound
        self.counts = class_counts(targets, num_classes)
        self.values = np.full(len(rows), np.nan)
        self.epoch = 0
        self.probabilities = self._probabilities()

    def observe(self, rows: Tensor, values: Tensor) -> None:
        """Takes in the cross entropies `[B]` of pictures `[B]`; they count from the next epoch on."""
        places = np.searchsorted(self.rows, rows.cpu().numpy())
        found = np.minimum(values.double().cpu().numpy(), HIGHEST)
        if self.measure == "error":
            found = -np.expm1(-found)
        known = ~np.isnan(found)
        for place, value in zip(places[known], found[known], strict=True):  # a picture may come twice
            before = self.values[place]
            mixed = self.momentum * before + (1 - self.momentum) * value
            self.values[place] = value if np.isnan(before) else mixed

    def stream(self, seed: int, epoch: int) -> np.ndarray:
        """`[N]` int64 manifest rows in the order of their draws; the first call for an epoch settles its weights."""
        self._settle(epoch)
        generator = np.random.default_rng([seed, epoch])
        return generator.choice(self.rows, size=len(self.rows), p=self.probabilities)

    def prior_of(self, epoch: int) -> np.ndarray:
        """`[C]` float64: the class distribution of the draws of an epoch that begins, or is under way."""
        self._settle(epoch)
        known = self.targets != UNKNOWN_TARGET
        return np.bincount(self.targets[known], self.probabilities[known], minlength=len(self.counts))

    def prior(self) -> np.ndarray:
        """`[C]` float64: the natural one, as nobody knows of the whole run beforehand what will be hard."""
        return self.counts / self.counts.sum()

    def state_dict(self) -> dict[str, Any]:
        return {"values": self.values.tolist(), "probabilities": self.probabilities.tolist(), "epoch": self.epoch}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.values, self.probabilities = (np.array(state[name]) for name in ("values", "probabilities"))
        self.epoch = int(state["epoch"])

    def _settle(self, epoch: int) -> None:
        """Fixes the weights of an epoch that begins by what was observed until then."""
        if epoch > self.epoch:
            self.epoch, self.probabilities = epoch, self._probabilities()

    def _probabilities(self) -> np.ndarray:
        """`[N]`, summing to 1."""
        known = self.targets != UNKNOWN_TARGET
        difficulty = self._of_classes()[self.targets] if self.by == "class" else self.values
        middle_of = np.nanmean if self.measure == "error" else np.nanmedian
        middle = middle_of(difficulty[known]) if np.isfinite(difficulty[known]).any() else 1.0
        relative = np.where(np.isnan(difficulty), 1.0, difficulty / max(middle, 1e-12))
        weights = np.where(known, np.clip(relative, 1 / self.bound, self.bound), 0.0)
        return weights / weights.sum()

    def _of_classes(self) -> np.ndarray:
        """`[C]`: the mean of each class's pictures that were observed; NaN without any."""
        seen = np.isfinite(self.values) & (self.targets != UNKNOWN_TARGET)
        sums = np.bincount(self.targets[seen], self.values[seen], minlength=len(self.counts))
        numbers = np.bincount(self.targets[seen], minlength=len(self.counts))
        return np.where(numbers > 0, sums / np.maximum(numbers, 1), np.nan)
