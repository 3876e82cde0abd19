"""Calibration: reliability, temperature, chance level."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from animeid.metrics.functional import ECE_BINS, calibration_bin, expected_calibration_error
from animeid.metrics.held_out import held_out
from animeid.metrics.sums import GroupSums
from animeid.metrics.sureness import Sureness
from animeid.metrics.temperature import COLDEST, HOTTEST, Slope
from animeid.terms import UNKNOWN_TARGET

SOME = 2000
"""Pictures that say about where a temperature is."""

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

    Many pictures are asked only after some of them have said about where it is: each look at all is a pass over them.

    Args:
        logits: `[N, C]`, which are read a block at a time.
        targets: `[N]` int; pictures of no class (-1) are left out.

    Returns:
        T between 0.01 and 100, the latter for a model that is no better than chance; 1 where T changes nothing.

    Raises:
        ValueError: no picture has a class.
    """
    known = np.flatnonzero(targets != UNKNOWN_TARGET)
    if not len(known):
        raise ValueError("a temperature needs pictures that have a class")
    every = Slope(logits, targets, known)
    if len(known) < 2 * SOME:
        found = every.root()
    else:
        found = every.root(Slope(logits, targets, known[:: len(known) // SOME]).root())
    return float(np.clip(np.exp(found), COLDEST, HOTTEST))


def reliability(logits: np.ndarray, targets: np.ndarray, temperature: float = 1.0) -> dict[str, Any]:
    """What a reliability diagram shows (DeGroot and Fienberg 1983), in the bins of `ece` in `metrics.json`.

    Args:
        logits: `[N, C]`, which are read a block at a time.
        targets: `[N]` int; pictures of no class (-1) are left out.
        temperature: what logits are divided by.

    Returns:
        `ece`, and `bins`: of each bin that has pictures its ends (open below, closed above), how many pictures have
        such a confidence, and their mean confidence and accuracy.

    Raises:
        ValueError: no picture has a class.
    """
    return _reliabilities(logits, targets, (temperature,))[0]


def _reliabilities(logits: np.ndarray, targets: np.ndarray, temperatures: Sequence[float]) -> list[dict[str, Any]]:
    """`reliability` at each of the temperatures, of logits that are read once."""
    known = np.flatnonzero(targets != UNKNOWN_TARGET)
    if not len(known):
        raise ValueError("reliability needs pictures that have a class")
    return [_bins(one, targets[known]) for one in Sureness.at(logits, targets, known, temperatures)]


def _bins(pictures: Sureness, targets: np.ndarray) -> dict[str, Any]:
    right = (pictures.answer == targets).astype(np.float64)
    number = calibration_bin(pictures.confidence)
    counts, sure_sums, hits = (
        np.bincount(number, weights, minlength=ECE_BINS) for weights in (None, pictures.confidence, right)
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
    return {"ece": float(expected_calibration_error(sure_sums, hits, np.array(len(right)))), "bins": bins}


def calibrate(parts: Mapping[str, tuple[np.ndarray, np.ndarray]], groups: np.ndarray | None = None) -> dict[str, Any]:
    """`calibration.json`: the temperature of validation, and the reliability of each part before and after scaling.

    Args:
        parts: logits `[N, C]` and targets `[N]` of the judged parts; those without a picture of a class are left out.
        groups: `[N]`, which of validation's pictures belong together; each is one of its own without them.

    Returns:
        Plain values for JSON; `held_out` tells whether the temperature helps pictures that it was not fitted on, see
        there. Without validation, `temperature`, `held_out` and all that is `scaled` is None: fitted on the part
        that it is judged on, it would look better than it is.
    """
    judged = {part: pair for part, pair in parts.items() if (pair[1] != UNKNOWN_TARGET).any()}
    temperature = fit_temperature(*judged[FITTED_ON]) if FITTED_ON in judged else None
    return {
        "temperature": temperature,
        "held_out": held_out(*judged[FITTED_ON], groups) if FITTED_ON in judged else None,
        "parts": {part: _before_and_after(*pair, temperature) for part, pair in judged.items()},
    }


def _before_and_after(logits: np.ndarray, targets: np.ndarray, temperature: float | None) -> dict[str, Any]:
    before, *scaled = _reliabilities(logits, targets, (1.0, temperature) if temperature else (1.0,))
    after = scaled[0] if scaled else {"ece": None, "bins": None}
    return {
        "ece": before["ece"],
        "ece_scaled": after["ece"],
        "bins": before["bins"],
        "bins_scaled": after["bins"],
    }
