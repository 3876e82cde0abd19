"""Every row against cross entropy: resampled groups of the test part, the same for both, all seeds pooled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from animeid.metrics.paired import Difference, Metric, paired_bootstrap
from experiments.long_tail.outcomes import Outcome


def difference(row: Sequence[Outcome], base: Sequence[Outcome], metric: Metric) -> Difference:
    """By how much a row exceeds the base; outcomes of the same seeds in the same order.

    Raises:
        ValueError: they were not judged on the same pictures.
    """
    for one, other in zip(row, base, strict=True):
        if not (np.array_equal(one.targets, other.targets) and np.array_equal(one.groups, other.groups)):
            raise ValueError(
                "the rows were judged on other pictures: remove the outputs of one and run the ladder again"
            )
    targets, groups, answers, others = (
        np.concatenate([getattr(outcome, name) for outcome in outcomes])
        for outcomes, name in ((row, "targets"), (row, "groups"), (row, "answers"), (base, "answers"))
    )
    return paired_bootstrap(targets, groups, answers, others, int(targets.max()) + 1, metric=metric)


def holm(p_values: Mapping[str, float | None]) -> dict[str, float | None]:
    """Values corrected for their number: Holm 1979, A simple sequentially rejective multiple test procedure."""
    known = sorted((p, name) for name, p in p_values.items() if p is not None)
    corrected: dict[str, float | None] = dict.fromkeys(p_values)
    highest = 0.0
    for place, (p, name) in enumerate(known):
        highest = max(highest, min(1.0, p * (len(known) - place)))
        corrected[name] = highest
    return corrected
