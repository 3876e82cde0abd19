"""When a calibration error is more than noise."""

from __future__ import annotations

import numpy as np

from animeid.metrics.functional import ECE_BINS
from animeid.metrics.sums import GroupSums


def calibration_noise(sums: GroupSums) -> float:
    """The calibration error that a perfectly calibrated model would show on as many groups, about.

    A bin's gap of confidence and hits is then a sum of independent group gaps with mean 0; the mean size of such a
    nearly normal sum is sqrt(2 / pi) times the root of its summed squares. Near this value the error's resamples say
    nothing (the truth may be 0, where the bootstrap is not consistent: Andrews 2000, Econometrica 68(2)).
    """
    start = 3 * sums.layout.num_classes
    confidences = sums.table[:, start : start + ECE_BINS]
    hits = sums.table[:, start + ECE_BINS : start + 2 * ECE_BINS]
    gaps = np.sqrt((confidences - hits).power(2).sum(axis=0))
    support = sums.layout.counts(sums.total).support.sum()
    return float(np.sqrt(2 / np.pi) * gaps.sum() / max(support, 1))
