"""Every row against cross entropy, by the groups of the test part that they answer differently, over all seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from animeid.metrics.paired import Difference, Metric, paired_difference
from experiments.long_tail.outcomes import Outcome


def difference(row: Sequence[Outcome], base: Sequence[Outcome], metric: Metric) -> Difference:
    """By how much a row exceeds the base, as the mean over seeds; outcomes of the same seeds in the same order.

    The interval tells how much other pictures would change it, not how much other seeds would.

    Raises:
        ValueError: they were not judged on the same pictures.
    """
    first = row[0]
    for one in (*row, *base):
        if not (np.array_equal(one.targets, first.targets) and np.array_equal(one.groups, first.groups)):
            raise ValueError(
                "the rows were judged on other pictures: remove the outputs of one and run the ladder again"
            )
    ours, theirs = (np.stack([outcome.answers for outcome in outcomes]) for outcomes in (row, base))
    classes = int(max(first.targets.max(), ours.max(), theirs.max())) + 1
    return paired_difference(first.targets, first.groups, ours, theirs, classes, metric=metric)


def holm(p_values: Mapping[str, float | None]) -> dict[str, float | None]:
    """Values corrected for their number: Holm 1979, A simple sequentially rejective multiple test procedure."""
    known = sorted((p, name) for name, p in p_values.items() if p is not None)
    corrected: dict[str, float | None] = dict.fromkeys(p_values)
    highest = 0.0
    for place, (p, name) in enumerate(known):
        highest = max(highest, min(1.0, p * (len(known) - place)))
        corrected[name] = highest
    return corrected
