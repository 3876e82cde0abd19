"""Makes a training part more long-tailed than it is, for studies."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
import pandas as pd

SMALLEST = 3
"""No class is thinned below so many pictures."""


def thinned_sizes(sizes: np.ndarray, factor: float) -> np.ndarray:
    """`[C]` int64: the profile of Cui 2019 (arXiv 1901.05555, section 5.1), `n_i factor^(-rank / (C - 1))`.

    Args:
        sizes: `[C]` pictures of each class; the largest has rank 0, and among equals the first.
        factor: what the smallest class is divided by.
    """
    ranks = np.empty(len(sizes), dtype=np.int64)
    ranks[np.argsort(-sizes, kind="stable")] = np.arange(len(sizes))
    wanted = np.rint(sizes * factor ** (-ranks / max(len(sizes) - 1, 1))).astype(np.int64)
    return np.minimum(np.maximum(wanted, SMALLEST), sizes)


def thin(table: pd.DataFrame, factor: float, seed: int, labels: Sequence[str]) -> tuple[pd.DataFrame, list[str]]:
    """Takes training pictures out of every part.

    Which ones follows from the seed and what is in them, so that a picture that is added moves few others; copies of
    one picture go one after the other.

    Args:
        table: with sha256, target and split.
        factor: as for `thinned_sizes`.
        seed: of the split.
        labels: class names in target order.

    Returns:
        The table, whose pictures that were taken out have the split `excluded`, and a sentence for the user.
    """
    rows = np.flatnonzero(((table["split"] == "train") & (table["target"] >= 0)).to_numpy())
    targets = table["target"].to_numpy()[rows]
    before = np.bincount(targets, minlength=len(labels))
    after = thinned_sizes(before, factor)
    keys = [hashlib.sha256(f"{seed}:thin:{content}".encode()).hexdigest() for content in table["sha256"].iloc[rows]]
    order = np.argsort(np.array(keys), kind="stable")
    out = np.concatenate([rows[order][targets[order] == target][kept:] for target, kept in enumerate(after)])
    split = table["split"].to_numpy(copy=True)
    split[out] = "excluded"
    note = (
        f"data.long_tail={factor:g} takes {len(out)} of {len(rows)} training pictures away: the classes have "
        f"{after.max()} to {after.min()} instead of {before.max()} to {before.min()}"
    )
    return table.assign(split=split), [note]
