"""Two models on the same pictures: how much one is better, and whether chance explains it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.sparse import hstack
from scipy.stats import norm
from scipy.stats import t as student

from animeid.metrics import functional as F  # noqa: N812 - as torch has it
from animeid.metrics.intervals import LEVEL, MIN_GROUPS, RESAMPLES, SEED, Resampling, Values, ends, resampled
from animeid.metrics.sums import GroupSums, sums_of_predictions
from animeid.terms import UNKNOWN_TARGET

Metric = Literal["f1_macro", "acc_macro", "acc_micro"]

FIGURES: dict[str, Callable[[F.ClassCounts], np.ndarray]] = {
    "f1_macro": lambda counts: F.macro(F.f1(counts)),
    "acc_macro": lambda counts: F.macro(F.recall(counts)),
    "acc_micro": F.micro,
}


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


def paired_bootstrap(
    targets: np.ndarray,
    groups: np.ndarray,
    first_answers: np.ndarray,
    other_answers: np.ndarray,
    num_classes: int,
    *,
    metric: Metric = "f1_macro",
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> Difference:
    """Compares two models by resampling groups, the same ones for both (Efron and Tibshirani 1993, chapter 16).

    What is hard for both moves both figures and not their difference, so that the interval is narrower than those of
    the models make it look. It is that of `animeid.metrics.intervals`, widened for few groups; `p` is the level at
    which it would just touch 0. There is none under 5 groups, nor where all resamples give the same difference;
    answers that are all alike differ by exactly 0.

    Args:
        targets: `[N]` int; pictures of no class (-1) are left out.
        groups: `[N]`; pictures of one group are not independent.
        first_answers, other_answers: `[N]` int, the class that each model names; or `[S, N]`, those of S trainings of
            each, whose figures are averaged: the interval is then that of these trainings on other pictures.
        num_classes: C.
        metric: what is compared; macro figures average over the classes drawn.
        resamples: how many.
        seed: of the draws.
    """
    known = targets != UNKNOWN_TARGET
    targets, groups = targets[known], groups[known]
    first, other = (np.atleast_2d(answers)[:, known] for answers in (first_answers, other_answers))
    if np.array_equal(first, other):
        return Difference(0.0, 0.0, 0.0, 1.0)
    sums = _side_by_side([sums_of_predictions(answers, targets, groups, num_classes) for answers in (*first, *other)])
    figure, width = FIGURES[metric], sums.layout.width

    def mean(models: np.ndarray) -> np.ndarray:
        places = range(0, models.shape[-1], width)
        return np.mean([figure(sums.layout.counts(models[..., at : at + width])) for at in places], axis=0)

    def difference(all_: np.ndarray) -> np.ndarray:
        ours = len(first) * width
        return (mean(all_[..., :ours]) - mean(all_[..., ours:]))[..., None]

    if sums.num_groups < MIN_GROUPS:
        return Difference(float(difference(sums.total)[0]), None, None, None)
    drawn = resampled([(sums, difference)], resamples, seed)[0]
    found = Resampling.of(difference(sums.total), drawn, _jackknife_error(sums, difference))
    if not found.differs[0]:
        return Difference(float(found.point[0]), None, None, None)
    behind = np.array([sums.num_groups])
    low, high = ends(found, behind, np.ones(1))[0]
    return Difference(float(found.point[0]), float(low), float(high), _p(found, behind))


def _side_by_side(models: Sequence[GroupSums]) -> GroupSums:
    """One table for the sums of M models, `[G, M width]`; support comes first, as in one model's."""
    return GroupSums(models[0].layout, hstack([model.table for model in models], format="csr"))


def _jackknife_error(sums: GroupSums, values: Values) -> np.ndarray:
    """`[F]`: standard errors from leaving out one group at a time."""
    total, groups = sums.total, sums.num_groups
    point = values(total)
    change = np.concatenate([values(total - sums.table[[group]].toarray()) for group in range(groups)]) - point
    return np.sqrt((groups - 1) / groups * np.nan_to_num(change**2).sum(axis=0))


def _p(found: Resampling, groups: np.ndarray) -> float:
    """The level at which the interval of `ends` would have an end at 0.

    The resamples, moved by their bias, that lie beyond 0 are the tail that such an interval leaves out; with those
    drawn counted in (Davison and Hinkley 1997, section 4.2), so that p is never 0. Where none lies beyond 0 the normal
    tail of the same spread goes on, since the number of resamples would say how small p can be. Widening makes a normal
    quantile Student's times a factor: here the same is undone.
    """
    moved = found.ordered[:, 0] - (found.mean - found.point)[0]
    beyond = min((moved <= 0).sum(), (moved >= 0).sum()) + 1
    tail = min(0.5, beyond / (len(moved) + 1))
    if beyond == 1:
        tail = min(tail, float(norm.sf(abs(found.point[0]) / found.spread[0])))
    degrees = groups - 1
    factor = found.widening(groups) * norm.ppf((1 + LEVEL) / 2) / student.ppf((1 + LEVEL) / 2, degrees)
    return float((2 * student.sf(norm.isf(tail) / factor, degrees))[0])
