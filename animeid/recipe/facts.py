"""Facts for `recipe=auto`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from animeid.data.prepare import Prepared


@dataclass(frozen=True)
class Facts:
    """What is known before anything is chosen.

    counts: `[C]` training pictures of each class.
    side: median of the shorter sides of the training pictures, in pixels; None where they are not known.
    accelerator: cuda, mps or cpu.
    random_weights: whether the network starts from random weights.
    has_val: whether there is a validation part.
    """

    counts: np.ndarray
    side: int | None
    accelerator: str
    random_weights: bool
    has_val: bool

    @classmethod
    def of(cls, prepared: Prepared, accelerator: str, *, random_weights: bool) -> Facts:
        table = prepared.manifest.table
        train = table[table["split"] == "train"]
        counts = np.bincount(train.loc[train["target"] >= 0, "target"], minlength=len(prepared.labels))
        sides = np.minimum(train["width"].to_numpy(float), train["height"].to_numpy(float))
        known = sides[sides > 0]
        side = int(np.median(known)) if len(known) else None
        return cls(counts, side, accelerator, random_weights, has_val=bool((table["split"] == "val").any()))

    @property
    def pictures(self) -> int:
        return int(self.counts.sum())

    @property
    def imbalance(self) -> float:
        """Pictures of the largest class over those of the smallest."""
        return float(self.counts.max() / max(self.counts.min(), 1))
