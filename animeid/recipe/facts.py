"""Facts for `recipe=auto`."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from animeid.data.prepare import Prepared
from animeid.recipe.weights import Beginning
from animeid.system.machine import usable_cores
from animeid.terms import EVALUATED_SPLITS


@dataclass(frozen=True)
class Facts:
    """What is known before anything is chosen.

    counts: `[C]` training pictures of each class.
    side: median of the shorter sides of the training pictures, in pixels; None where they are not known.
    accelerator: cuda, mps or cpu.
    random_weights: whether the network starts from random weights.
    has_val: whether there is a validation part that training can follow.
    may_refit: whether a validation part was carved from pictures of one's own, for a training that could be done again
        with it.
    refits: whether that is done.
    is_drawn: whether the pictures are those of the built-in cast.
    is_published: whether the network is as it was published, or as a file of weights has it; a head may be fitted.
    has_new_head: whether loaded weights begin under a head of their own.
    keeps_statistics: whether they are those of a run that left the statistics of batch norms as they were.
    network: timm's name of it.
    cores: that may be used.
    budget_s: seconds that training may take; None where nothing is said.
    unseen_styles: whether most pictures that judge are in styles, as far as known, that training does not see.
    """

    counts: np.ndarray
    side: int | None
    accelerator: str
    random_weights: bool
    has_val: bool
    may_refit: bool = False
    refits: bool = False
    is_drawn: bool = False
    is_published: bool = False
    has_new_head: bool = False
    keeps_statistics: bool = False
    unseen_styles: bool = False
    network: str = ""
    cores: int = 1
    budget_s: float | None = None

    @classmethod
    def of(
        cls,
        prepared: Prepared,
        accelerator: str,
        *,
        beginning: Beginning,
        may_refit: bool = False,
        is_drawn: bool = False,
        network: str = "",
        budget_s: float | None = None,
    ) -> Facts:
        table = prepared.manifest.table
        train = table[table["split"] == "train"]
        counts = np.bincount(train.loc[train["target"] >= 0, "target"], minlength=len(prepared.labels))
        sides = np.minimum(train["width"].to_numpy(float), train["height"].to_numpy(float))
        known = sides[sides > 0]
        side = int(np.median(known)) if len(known) else None
        has_val = bool((table["split"] == "val").any())
        return cls(
            counts,
            side,
            accelerator,
            beginning.is_random,
            has_val,
            may_refit,
            is_drawn=is_drawn,
            is_published=beginning.is_published,
            has_new_head=beginning.has_new_head,
            keeps_statistics=beginning.keeps_statistics,
            unseen_styles=judges_unseen_styles(table),
            network=network,
            cores=usable_cores(),
            budget_s=budget_s,
        )

    @property
    def decided_refit(self) -> Facts:
        """The same for a run whose final training has no validation part."""
        return replace(self, has_val=False, refits=True)

    @property
    def pictures(self) -> int:
        return int(self.counts.sum())

    @property
    def median_class(self) -> float:
        """Pictures of the median class."""
        return float(np.median(self.counts))

    @property
    def imbalance(self) -> float:
        """Pictures of the largest class over those of the smallest."""
        return float(self.counts.max() / max(self.counts.min(), 1))


def judges_unseen_styles(table: pd.DataFrame) -> bool:
    """Whether of the val and test pictures whose style is known most are in one of which training has no picture."""
    known = table[table["style"] != ""]
    seen = known.loc[known["split"] == "train", "style"]
    judged = known.loc[known["split"].isin(EVALUATED_SPLITS), "style"]
    return bool(len(seen) and len(judged) and (~judged.isin(seen)).mean() > 0.5)
