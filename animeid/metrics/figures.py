"""The figures of a part: their names, their bounds, and their values for any sums."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from animeid.metrics import functional as F  # noqa: N812 - as torch has it
from animeid.metrics.sums import GroupSums, Layout
from animeid.terms import SHOT_GROUPS
from animeid.types import LabelStats

PER_CLASS = ("precision", "recall", "f1")
UNBOUNDED = ("nll", "loss")


@dataclass(frozen=True)
class FigureSet:
    """All figures that some sums have.

    A row of values, `[..., F]`, holds the figures of `names` and then, for each of `PER_CLASS`, the C classes.

    layout: how the sums are laid out.
    members: `[C]` bool for each of many, medium and few.
    """

    layout: Layout
    members: dict[str, np.ndarray]

    @classmethod
    def of(cls, layout: Layout, stats: LabelStats) -> FigureSet:
        shots = np.array(stats.shot_groups)
        return cls(layout, {group: shots == group for group in SHOT_GROUPS})

    @property
    def names(self) -> list[str]:
        whole = ["acc_micro", "acc_macro", "f1_macro", "f1_weighted"]
        probabilities = ["top5", "ece", "nll", "loss"] if self.layout.with_logits else []
        return (
            whole + probabilities + [f"{group}/{name}" for group in self.members for name in ("acc_macro", "f1_macro")]
        )

    def values(self, sums: np.ndarray) -> np.ndarray:
        """`[..., F]` figures of sums `[..., layout.width]`; NaN where a figure does not exist."""
        counts = self.layout.counts(sums)
        per_class = {"precision": F.precision(counts), "recall": F.recall(counts), "f1": F.f1(counts)}
        found = {
            "acc_micro": F.micro(counts),
            "acc_macro": F.macro(per_class["recall"]),
            "f1_macro": F.macro(per_class["f1"]),
            "f1_weighted": F.weighted(per_class["f1"], counts.support),
        }
        if self.layout.with_logits:
            found |= self._of_probabilities(sums, counts.support.sum(-1))
        for group, members in self.members.items():
            found[f"{group}/acc_macro"] = F.macro(per_class["recall"][..., members])
            found[f"{group}/f1_macro"] = F.macro(per_class["f1"][..., members])
        whole = np.stack([found[name] for name in self.names], axis=-1)
        return np.concatenate([whole, *(per_class[name] for name in PER_CLASS)], axis=-1)

    def _of_probabilities(self, sums: np.ndarray, support: np.ndarray) -> dict[str, np.ndarray]:
        top5, nll, loss = self.layout.extras(sums)
        means = {"nll": F.ratio(nll, support), "loss": F.ratio(loss, support), "top5": F.ratio(top5, support)}
        if self.layout.num_classes <= F.TOP_K:  # it could not be wrong
            means["top5"] = np.full_like(means["top5"], np.nan)
        return means | {"ece": F.expected_calibration_error(*self.layout.bins(sums), support)}

    def groups(self, sums: GroupSums) -> np.ndarray:
        """`[F]` int64: how many groups stand behind each figure."""
        each = [
            sums.groups_touching(self.members[name.split("/")[0]]) if "/" in name else sums.num_groups
            for name in self.names
        ]
        return np.concatenate([each, np.tile(sums.groups_per_class(), len(PER_CLASS))])

    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        """`[F]` each: the least and the greatest value that a figure can have."""
        bounded = np.array([name not in UNBOUNDED for name in self.names])
        free = np.ones(len(PER_CLASS) * self.layout.num_classes, dtype=bool)
        inside = np.concatenate([bounded, free])
        return np.where(inside, 0.0, -np.inf), np.where(inside, 1.0, np.inf)

    def moves(self) -> np.ndarray:
        """`[F]`: how many times the resamples' bias is taken off an interval.

        Once brings the resamples back around the figure. A calibration error adds up sizes of noise, so that the figure
        stands as far above the truth as its resamples above it: twice.
        """
        whole = [2.0 if name == "ece" else 1.0 for name in self.names]
        return np.concatenate([whole, np.ones(len(PER_CLASS) * self.layout.num_classes)])
