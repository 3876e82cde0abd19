"""The figures of a part: their names, their bounds, and their values for any sums."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from animeid.metrics import functional as F  # noqa: N812 - as torch has it
from animeid.metrics.sums import GroupSums, Layout
from animeid.metrics.totals import ClassFigures, Totals
from animeid.terms import SHOT_GROUPS
from animeid.types import LabelStats

PER_CLASS = ("precision", "recall", "f1")
LEAST = {"loss": -np.inf}
"""What a figure can be at least where that is not 0: nothing is known of somebody's own loss."""
MOST = {"nll": np.inf, "loss": np.inf}
"""What it can be at most where that is not 1."""


@dataclass(frozen=True)
class FigureSet:
    """All figures that some sums have.

    A row of values, `[..., F]`, holds the figures of `names` and then, for each of `of_classes`, the C classes.

    layout: how the sums are laid out.
    members: `[C]` bool for each of many, medium and few.
    of_classes: `PER_CLASS`, or none where nobody asks for them.
    """

    layout: Layout
    members: dict[str, np.ndarray]
    of_classes: tuple[str, ...] = PER_CLASS

    @classmethod
    def of(cls, layout: Layout, stats: LabelStats, of_classes: tuple[str, ...] = PER_CLASS) -> FigureSet:
        shots = np.array(stats.shot_groups)
        return cls(layout, {group: shots == group for group in SHOT_GROUPS}, of_classes)

    @property
    def names(self) -> list[str]:
        whole = ["acc_micro", "acc_macro", "f1_macro", "f1_weighted"]
        probabilities = ["top5", "ece", "nll", "loss"] if self.layout.with_logits else []
        return (
            whole + probabilities + [f"{group}/{name}" for group in self.members for name in ("acc_macro", "f1_macro")]
        )

    @property
    def kinds(self) -> np.ndarray:
        """`[M, C]` bool: all classes, then those of each of `members`."""
        return np.stack([np.ones(self.layout.num_classes, dtype=bool), *self.members.values()])

    def values(self, sums: np.ndarray) -> np.ndarray:
        """`[..., F]` figures of sums `[..., layout.width]`; NaN where a figure does not exist."""
        counts = self.layout.counts(sums)
        each = ClassFigures.of(counts)
        whole = self.whole(Totals.terms(counts, each).over(self.kinds), self.layout.rest(sums))
        return np.concatenate([whole, *(vars(each)[name] for name in self.of_classes)], axis=-1)

    def whole(self, totals: Totals, rest: np.ndarray) -> np.ndarray:
        """The figures of `names`, of totals `[..., M]` over `kinds` and of the sums that belong to no class."""
        recall, f1 = (F.ratio(sums, totals.classes) for sums in (totals.recall, totals.f1))
        support = totals.support[..., 0]
        found = [F.ratio(totals.hits[..., 0], support), recall[..., 0], f1[..., 0]]
        found.append(F.ratio(totals.f1_support[..., 0], support))
        if self.layout.with_logits:
            found += self._of_probabilities(rest, support)
        for place in range(1, 1 + len(self.members)):
            found += [recall[..., place], f1[..., place]]
        return np.stack(found, axis=-1)

    def _of_probabilities(self, rest: np.ndarray, support: np.ndarray) -> list[np.ndarray]:
        top5, nll, loss = (F.ratio(sums, support) for sums in self.layout.extras(rest))
        if self.layout.num_classes <= F.TOP_K:  # it could not be wrong
            top5 = np.full_like(top5, np.nan)
        return [top5, F.expected_calibration_error(*self.layout.bins(rest), support), nll, loss]

    def groups(self, sums: GroupSums) -> np.ndarray:
        """`[F]` int64: how many groups stand behind each figure."""
        each = [
            sums.groups_touching(self.members[name.split("/")[0]]) if "/" in name else sums.num_groups
            for name in self.names
        ]
        return np.concatenate([each, np.tile(sums.groups_per_class(), len(self.of_classes))]).astype(np.int64)

    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        """`[F]` each: the least and the greatest value that a figure can have."""
        least = [LEAST.get(name, 0.0) for name in self.names]
        most = [MOST.get(name, 1.0) for name in self.names]
        return np.concatenate([least, self._each_class(0.0)]), np.concatenate([most, self._each_class(1.0)])

    def moves(self) -> np.ndarray:
        """`[F]`: how many times the resamples' bias is taken off an interval.

        Once brings the resamples back around the figure. A calibration error adds up sizes of noise, so that the figure
        stands as far above the truth as its resamples above it: twice.
        """
        whole = [2.0 if name == "ece" else 1.0 for name in self.names]
        return np.concatenate([whole, self._each_class(1.0)])

    def _each_class(self, value: float) -> np.ndarray:
        return np.full(len(self.of_classes) * self.layout.num_classes, value)
