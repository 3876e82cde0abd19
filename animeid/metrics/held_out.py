"""Whether a temperature helps pictures that it was not fitted on."""

from __future__ import annotations

from typing import Any

import numpy as np

from animeid.metrics.sureness import Sureness
from animeid.metrics.temperature import COLDEST, HOTTEST, Slope
from animeid.terms import UNKNOWN_TARGET

FOLDS = 5

FEWEST = 50
"""Groups that it takes. Where cross-validation says that it helps, a temperature that 5 pictures give still costs new
ones up to 0.6 nats each, one of 20 0.15, one of 50 0.07 (drawn from `tests/metrics/test_held_out.py`'s models).
"""

MOST = 2000
"""Pictures that are asked, roughly: what so many give is as good for others as for themselves."""


def held_out(logits: np.ndarray, targets: np.ndarray, groups: np.ndarray | None = None) -> dict[str, Any]:
    """What pictures say of a temperature that the other groups' pictures give, by cross-validation.

    Args:
        logits: `[N, C]`, which are read a block at a time.
        targets: `[N]` int; pictures of no class (-1) are left out.
        groups: `[N]`, of pictures that belong together; each is one of its own without them.

    Returns:
        `groups`, how many there are, and `needed`, how many it takes; `nll` and `nll_scaled`, the mean over pictures
        before and after, None of fewer groups; `helps`, whether the latter is lower.
    """
    known = np.flatnonzero(targets != UNKNOWN_TARGET)
    _, number = np.unique(known if groups is None else np.asarray(groups)[known], return_inverse=True)
    count = int(number.max()) + 1
    asked = {"groups": count, "needed": FEWEST}
    if count < FEWEST:
        return {**asked, "nll": None, "nll_scaled": None, "helps": False}
    order = np.random.default_rng(0).permutation(count)
    kept = order[number] < max(FEWEST, count * MOST // len(known))
    places, fold = known[kept], order[number][kept] % FOLDS
    near = Slope(logits, targets, places).root()
    sums = np.zeros(2)
    for one in range(FOLDS):
        found = np.exp(Slope(logits, targets, places[fold != one]).root(near))
        own = places[fold == one]
        both = Sureness.at(logits, targets, own, (1.0, float(np.clip(found, COLDEST, HOTTEST))))
        sums += [one.surprise.sum() for one in both]
    plain, scaled = (sums / len(places)).tolist()
    return {**asked, "nll": plain, "nll_scaled": scaled, "helps": scaled < plain}
