"""Two models on the same pictures: how much one is better, and whether chance explains it."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from animeid.metrics import functional as F  # noqa: N812 - as torch has it
from animeid.metrics.intervals import MIN_GROUPS
from animeid.metrics.score import Shares, p_value, score_interval
from animeid.terms import UNKNOWN_TARGET

Metric = Literal["f1_macro", "acc_macro", "acc_micro"]

MOST_LOST = 0.005
"""Of f1_macro: what may be lost at most where a network is made smaller or faster, pruned or compressed."""


@dataclass(frozen=True)
class Difference:
    """By how much the first model's figure exceeds the other's.

    low, high: the ends of its 95 % interval. p: two-sided, of no difference; below 0.05 where the interval leaves out
    0. All three are None where they cannot be had honestly.
    """

    difference: float
    low: float | None
    high: float | None
    p: float | None


def paired_difference(
    targets: np.ndarray,
    groups: np.ndarray,
    first_answers: np.ndarray,
    other_answers: np.ndarray,
    num_classes: int,
    *,
    metric: Metric = "f1_macro",
) -> Difference:
    """Compares two models by the groups of pictures that they answer differently.

    What is hard for both moves both figures and not their difference, so that the interval is narrower than those of
    the models make it look. `p` is that of McNemar's test with groups for pictures: were neither better, each group's
    share of the difference could as well have the other sign, so that z is their sum over the root of their squares'
    sum. The interval holds all differences that the same test does not refuse, so that the two agree: see
    `animeid.metrics.score`. The fewest pictures that are told from chance are four that all speak for one model. There
    is no interval under 5 groups, nor where no picture counts for either model; answers that are all alike differ by
    exactly 0.

    Args:
        targets: `[N]` int; pictures of no class (-1) are left out.
        groups: `[N]`; pictures of one group are not independent.
        first_answers, other_answers: `[N]` int, the class that each model names; or `[S, N]`, those of S trainings of
            each, whose figures are averaged: the interval is then that of these trainings on other pictures.
        num_classes: C.
        metric: what is compared.
    """
    known = targets != UNKNOWN_TARGET
    targets, groups = targets[known], groups[known]
    first, other = (np.atleast_2d(answers)[:, known] for answers in (first_answers, other_answers))
    if np.array_equal(first, other):
        return Difference(0.0, 0.0, 0.0, 1.0)
    codes = np.unique(groups, return_inverse=True)[1]
    given = [shares_of(*pair, targets, num_classes, metric) for pair in zip(first, other, strict=True)]
    shares = Shares(np.mean(given, axis=0), weights_of(targets, num_classes, metric), codes)
    if codes.max() + 1 < MIN_GROUPS or not shares.given.any():
        return Difference(shares.difference, None, None, None)
    return Difference(shares.difference, *score_interval(shares), p_value(shares))


def paired_bootstrap(*given: Any, resamples: int | None = None, seed: int | None = None, **settings: Any) -> Difference:
    """The former name of `paired_difference`; it warns, since nothing is drawn any more."""
    if resamples is not None or seed is not None:
        warnings.warn(
            "paired_bootstrap draws nothing any more: call paired_difference, without resamples and seed",
            DeprecationWarning,
            stacklevel=2,
        )
    return paired_difference(*given, **settings)


def weights_of(targets: np.ndarray, num_classes: int, metric: Metric) -> np.ndarray:
    """`[N]`: what each picture counts in the figure; their sum is 1."""
    if metric == "acc_micro":
        return np.full(len(targets), 1 / len(targets))
    support = np.bincount(targets, minlength=num_classes)
    return 1 / (np.count_nonzero(support) * support[targets])


def shares_of(
    first: np.ndarray, other: np.ndarray, targets: np.ndarray, num_classes: int, metric: Metric
) -> np.ndarray:
    """`[N]`: what each picture gives to the difference of two models' figures; their sum is the difference.

    A ratio h / q differs by (h1 - h2) (1/q1 + 1/q2) / 2 - (q1 - q2) (h1 + h2) / (2 q1 q2), in which what a picture adds
    to h and to q stands alone: so F1 = 2 h / (support + predicted) is shared out without remainder.
    """
    weights = weights_of(targets, num_classes, metric)
    is_hit = [(answers == targets).astype(np.float64) for answers in (first, other)]
    if metric != "f1_macro":
        return weights * (is_hit[0] - is_hit[1])
    support = np.bincount(targets, minlength=num_classes)
    h1, h2 = (np.bincount(targets, hit, minlength=num_classes) for hit in is_hit)
    q1, q2 = (support + np.bincount(answers, minlength=num_classes) for answers in (first, other))
    each = (support > 0) / np.count_nonzero(support)
    of_hit = np.nan_to_num(F.ratio(each, q1) + F.ratio(each, q2))
    of_answer = np.nan_to_num(F.ratio(each * (h1 + h2), q1 * q2))
    return of_hit[targets] * (is_hit[0] - is_hit[1]) - (of_answer[first] - of_answer[other])
