"""What a calibration error of chance alone looks like."""

from __future__ import annotations

import numpy as np

from animeid.metrics.sums import GroupSums


def chance_calibration_error(sums: GroupSums) -> float:
    """The calibration error that a perfectly calibrated model exceeds in some 2.5 % of parts with as many groups.

    A bin's gap of confidence and hits is then a sum of independent group gaps with mean 0. The size of such a nearly
    normal sum is half-normal: with s the root of the summed squares, its mean is s sqrt(2 / pi) and its variance
    s^2 (1 - 2 / pi). Bins are taken for independent.
    """
    confidences, hits = sums.layout.bins(sums.table)
    squares = np.asarray((confidences - hits).power(2).sum(axis=0)).ravel()
    mean = np.sqrt(2 / np.pi) * np.sqrt(squares).sum()
    deviation = np.sqrt((1 - 2 / np.pi) * squares.sum())
    support = sums.layout.counts(sums.total).support.sum()
    return float((mean + 1.96 * deviation) / max(support, 1))
