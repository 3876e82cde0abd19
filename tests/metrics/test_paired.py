"""The comparison of two models: against a naive loop, and its coverage by simulation."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from scipy import stats
from sklearn import metrics as sk

from animeid.metrics import intervals as module
from animeid.metrics.paired import FIGURES, Difference, paired_bootstrap

SKLEARN = {
    "acc_micro": lambda targets, answers: sk.accuracy_score(targets, answers),
    "acc_macro": lambda targets, answers: sk.recall_score(
        targets, answers, labels=np.unique(targets), average="macro", zero_division=0
    ),
    "f1_macro": lambda targets, answers: sk.f1_score(
        targets, answers, labels=np.unique(targets), average="macro", zero_division=0
    ),
}


def models(
    pictures: int = 90, groups: int = 23, right: tuple[float, float] = (0.7, 0.55), seed: int = 0
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Targets of four classes, groups, and two models' answers; a picture is hard for both alike."""
    generator = np.random.default_rng(seed)
    number = generator.permutation(pictures) % groups
    targets = number % 4
    hardness, own = generator.random(groups)[number], generator.random((2, pictures))
    first, other = (
        np.where(0.5 * hardness + 0.5 * luck < share, targets, (targets + 1 + (luck > 0.8)) % 4)
        for luck, share in zip(own, right, strict=True)
    )
    return targets, number.astype(str), first, other


def naive_resamples(
    targets: np.ndarray,
    groups: np.ndarray,
    first: np.ndarray,
    other: np.ndarray,
    metric: str,
    resamples: int,
    seed: int,
) -> np.ndarray:
    """The differences of resamples, one picture after the other."""
    names, figure = np.unique(groups), SKLEARN[metric]
    draws = np.random.default_rng(seed).integers(len(names), size=(resamples, len(names)))
    rows = [np.concatenate([np.flatnonzero(groups == names[g]) for g in draw]) for draw in draws]
    return np.array([figure(targets[r], first[r]) - figure(targets[r], other[r]) for r in rows])


def naive(
    targets: np.ndarray, groups: np.ndarray, pairs: list[tuple[np.ndarray, np.ndarray]], metric: str
) -> tuple[float, float, float, float]:
    """Difference, ends of the interval and p, as the mean over pairs of trainings."""
    figure, names = SKLEARN[metric], np.unique(groups)

    def mean(rows: np.ndarray) -> float:
        return float(
            np.mean([figure(targets[rows], one[rows]) - figure(targets[rows], two[rows]) for one, two in pairs])
        )

    point = mean(np.ones(len(targets), bool))
    drawn = np.mean([naive_resamples(targets, groups, *pair, metric, 200, 3) for pair in pairs], axis=0)
    changes = np.array([mean(groups != name) - point for name in names])
    n = len(names)
    error = np.sqrt((n - 1) / n * (changes**2).sum())
    factor = np.sqrt(n / (n - 1)) * max(1, error / drawn.std())
    tail = stats.norm.sf(factor * stats.t.ppf(0.975, n - 1))
    low, high = np.quantile(drawn, [tail, 1 - tail]) - (drawn.mean() - point)
    beyond = (drawn - drawn.mean() + point <= 0).sum() + 1
    further = stats.norm.sf(abs(point) / drawn.std()) if beyond == 1 else 1.0
    p = 2 * stats.t.sf(stats.norm.isf(min(0.5, beyond / 201, further)) / factor, n - 1)
    return point, low, high, p


@pytest.mark.parametrize("metric", FIGURES)
@pytest.mark.parametrize("right", [(0.7, 0.55), (0.7, 0.6)])
def test_the_interval_and_p_equal_those_of_a_naive_loop(metric: str, right: tuple[float, float]) -> None:
    targets, groups, first, other = models(right=right)
    found = paired_bootstrap(targets, groups, first, other, 4, metric=metric, resamples=200, seed=3)
    expected = naive(targets, groups, [(first, other)], metric)
    assert (found.difference, found.low, found.high, found.p) == pytest.approx(expected)


@pytest.mark.parametrize("metric", FIGURES)
def test_several_trainings_of_each_are_averaged(metric: str) -> None:
    targets, groups, *_ = models()
    luck = np.random.default_rng(5).random((2, 2, len(targets)))
    pairs = [
        tuple(
            np.where(one < share, targets, (targets + 1) % 4)
            for one, share in zip(luck[seed], (0.75, 0.6), strict=True)
        )
        for seed in (0, 1)
    ]
    ours, theirs = np.stack(pairs, axis=1)
    found = paired_bootstrap(targets, groups, ours, theirs, 4, metric=metric, resamples=200, seed=3)
    expected = naive(targets, groups, pairs, metric)
    assert (found.difference, found.low, found.high, found.p) == pytest.approx(expected)


@pytest.mark.parametrize("metric", FIGURES)
@pytest.mark.parametrize("seed", range(8))
def test_p_says_what_the_interval_says(metric: str, seed: int) -> None:
    found = paired_bootstrap(*models(seed=seed, right=(0.7, 0.62)), 4, metric=metric)
    if abs(found.p - 0.05) > 0.01:
        assert (found.p < 0.05) == (found.low > 0 or found.high < 0)


@pytest.mark.parametrize("metric", FIGURES)
def test_the_other_way_round_is_the_opposite(metric: str) -> None:
    targets, groups, first, other = models()
    one = paired_bootstrap(targets, groups, first, other, 4, metric=metric)
    back = paired_bootstrap(targets, groups, other, first, 4, metric=metric)
    assert (back.difference, back.low, back.high) == pytest.approx((-one.difference, -one.high, -one.low))
    assert back.p == pytest.approx(one.p)
    assert one.low < one.difference < one.high


def test_p_of_a_large_difference_is_not_bounded_by_the_number_of_resamples() -> None:
    """Corrected for thirty comparisons it still says that 35 points are no chance."""
    generator = np.random.default_rng(0)
    targets = np.repeat(np.arange(24), 50)
    first, other = (np.where(generator.random(1200) < right, targets, 0) for right in (0.9, 0.4))
    for groups in (np.arange(1200), targets):
        found = paired_bootstrap(targets, groups.astype(str), first, other, 24)
        assert found.low > 0.3
        assert 30 * found.p < 1e-3


def test_equal_answers_do_not_differ() -> None:
    targets, groups, first, _ = models()
    assert paired_bootstrap(targets, groups, first, first, 4) == Difference(0.0, 0.0, 0.0, 1.0)


def test_different_answers_of_one_quality_do_not_differ_much() -> None:
    """Each is wrong in a picture of ten groups, the other ones."""
    targets, groups = np.arange(100) % 4, np.arange(100) // 4
    first, other = targets.copy(), targets.copy()
    first[0:40:4], other[40:80:4] = 3, 3
    found = paired_bootstrap(targets, groups, first, other, 4, metric="acc_micro")
    assert found.difference == 0
    assert found.p > 0.8
    assert found.low == pytest.approx(-found.high, abs=0.02)


def test_pictures_of_no_class_are_left_out() -> None:
    targets, groups, first, other = models()
    padded = [np.concatenate([array[:7], array]) for array in (targets, groups, first, other)]
    padded[0][:7] = -1
    assert paired_bootstrap(*padded, 4) == paired_bootstrap(targets, groups, first, other, 4)


def test_few_groups_and_resamples_that_agree_have_no_interval() -> None:
    found = paired_bootstrap(*models(groups=4), 4)
    assert (found.low, found.high, found.p) == (None, None, None)
    targets = np.arange(40) % 4
    certain = paired_bootstrap(targets, np.arange(40) // 4, targets, (targets + 1) % 4, 4)
    assert certain == Difference(1.0, None, None, None)


def test_the_result_depends_on_the_seed_and_not_on_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    compare = partial(paired_bootstrap, *models(), 4)
    whole = compare(seed=1)
    assert whole == compare(seed=1) != compare(seed=2)
    monkeypatch.setattr(module, "CHUNK_ENTRIES", 500)
    assert compare(seed=1) == whole


@pytest.mark.slow
@pytest.mark.parametrize("metric", FIGURES)
@pytest.mark.parametrize("right", [(0.6, 0.6), (0.7, 0.55)])
def test_coverage(metric: str, right: tuple[float, float]) -> None:
    """The truth is the difference over very many groups; equal models are told apart in some 5 % of parts."""
    large = models(400_000, 100_000, right, seed=99)
    truth = SKLEARN[metric](large[0], large[2]) - SKLEARN[metric](large[0], large[3])
    trials = 400
    found = [paired_bootstrap(*models(160, 40, right, seed), 4, metric=metric, resamples=500) for seed in range(trials)]
    covered = np.mean([one.low <= truth <= one.high for one in found])
    rejected = np.mean([one.p < 0.05 for one in found])
    print(f"truth {truth:.3f}, covered {covered:.3f}, told apart {rejected:.3f}")
    assert 0.92 <= covered <= 0.995
    if right[0] == right[1]:
        assert rejected <= 0.08
    else:
        assert rejected >= 0.5
