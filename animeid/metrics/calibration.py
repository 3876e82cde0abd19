"""Calibration: reliability, temperature, chance level."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy.optimize import brentq

from animeid.metrics.functional import (
    ECE_BINS,
    calibration_bin,
    confidence,
    expected_calibration_error,
)
from animeid.metrics.sums import GroupSums
from animeid.predictions import softmax
from animeid.terms import UNKNOWN_TARGET

COLDEST, HOTTEST = 0.01, 100.0
"""The temperatures that are looked at; beyond them probabilities are 0 and 1, or all alike."""

FITTED_ON = "val"


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


def fit_temperature(logits: np.ndarray, targets: np.ndarray) -> float:
    """The T > 0 for which `softmax(logits / T)` makes the targets likeliest (Guo 2017, arXiv 1706.04599, section 4.2).

    One picture whose target is uniform over the classes is added to the N, an average one of them, much as Platt (1999,
    Probabilistic outputs for support vector machines, section 2.2) smooths his targets. It moves T by some 1 / N, and
    keeps a few pictures that are all named rightly from making T zero and every later answer certain: N of them give
    a confidence near N / (N + 1). The sum is convex in 1 / T, so that a root of its slope is its minimum.

    Args:
        logits: `[N, C]`.
        targets: `[N]` int; pictures of no class (-1) are left out.

    Returns:
        T between 0.01 and 100, the latter for a model that is no better than chance; 1 where T changes nothing.

    Raises:
        ValueError: no picture has a class.
    """
    logits, targets = _known(logits, targets)
    if not len(targets):
        raise ValueError("a temperature needs pictures that have a class")
    logits = logits.astype(np.float64)
    logits -= logits.mean(axis=1, keepdims=True)  # the same probabilities, and a uniform target's logit becomes 0
    if not logits.any():
        return 1.0
    of_truth = np.take_along_axis(logits, targets[:, None], axis=1).sum()

    def slope(log_temperature: float) -> float:
        expected = (softmax(logits * np.exp(-log_temperature)) * logits).sum(axis=1)
        return float(expected.sum() - of_truth + expected.mean())

    low, high = np.log(COLDEST), np.log(HOTTEST)
    if slope(low) <= 0:
        return COLDEST
    if slope(high) >= 0:
        return HOTTEST
    return float(np.exp(brentq(slope, low, high, xtol=1e-10)))


def reliability(logits: np.ndarray, targets: np.ndarray) -> dict[str, Any]:
    """What a reliability diagram shows (DeGroot and Fienberg 1983), in the bins of `ece` in `metrics.json`.

    Args:
        logits: `[N, C]`.
        targets: `[N]` int; pictures of no class (-1) are left out.

    Returns:
        `ece`, and `bins`: of each bin that has pictures its ends (open below, closed above), how many pictures have
        such a confidence, and their mean confidence and accuracy.

    Raises:
        ValueError: no picture has a class.
    """
    logits, targets = _known(logits, targets)
    if not len(targets):
        raise ValueError("reliability needs pictures that have a class")
    sure, right = confidence(logits), logits.argmax(axis=1) == targets
    number = calibration_bin(sure)
    counts, sure_sums, hits = (
        np.bincount(number, weights, minlength=ECE_BINS) for weights in (None, sure, right.astype(np.float64))
    )
    bins = [
        {
            "low": place / ECE_BINS,
            "high": (place + 1) / ECE_BINS,
            "count": int(counts[place]),
            "confidence": float(sure_sums[place] / counts[place]),
            "accuracy": float(hits[place] / counts[place]),
        }
        for place in np.flatnonzero(counts).tolist()
    ]
    return {"ece": float(expected_calibration_error(sure_sums, hits, np.array(len(targets)))), "bins": bins}


def calibrate(parts: Mapping[str, tuple[np.ndarray, np.ndarray]]) -> dict[str, Any]:
    """`calibration.json`: the temperature of validation, and the reliability of each part before and after scaling.

    Args:
        parts: logits `[N, C]` and targets `[N]` of the judged parts; those without a picture of a class are left out.

    Returns:
        Plain values for JSON. Without validation, `temperature` and all that is `scaled` is None: fitted on the part
        that it is judged on, it would look better than it is.
    """
    judged = {part: pair for part, pair in parts.items() if (pair[1] != UNKNOWN_TARGET).any()}
    temperature = fit_temperature(*judged[FITTED_ON]) if FITTED_ON in judged else None
    return {
        "temperature": temperature,
        "parts": {part: _before_and_after(*pair, temperature) for part, pair in judged.items()},
    }


def _before_and_after(logits: np.ndarray, targets: np.ndarray, temperature: float | None) -> dict[str, Any]:
    before = reliability(logits, targets)
    after = reliability(logits / temperature, targets) if temperature else {"ece": None, "bins": None}
    return {
        "ece": before["ece"],
        "ece_scaled": after["ece"],
        "bins": before["bins"],
        "bins_scaled": after["bins"],
    }


def _known(logits: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    known = targets != UNKNOWN_TARGET
    return logits[known], targets[known]
