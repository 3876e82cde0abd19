"""The comparison of two models: against other ways to its figures, and its errors by calculation and simulation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import optimize, stats
from sklearn import metrics as sk

from animeid.metrics.paired import Difference, paired_bootstrap, paired_difference
from animeid.metrics.score import Shares, p_value, score_interval

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


def swapped(groups: np.ndarray, first: np.ndarray, other: np.ndarray, chosen: object) -> tuple[np.ndarray, np.ndarray]:
    here = groups == chosen
    return np.where(here, other, first), np.where(here, first, other)


def tango(more: int, less: int, count: int) -> tuple[float, float]:
    given = np.zeros(count)
    given[:more], given[more : more + less] = 1 / count, -1 / count
    return score_interval(Shares(given, np.full(count, 1 / count), np.arange(count)))


def paired(more: int, less: int, count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Pictures of two classes, each its own group, of which so many only the first and only the other has right."""
    targets, first = np.arange(count) % 2, np.arange(count) % 2
    other = first.copy()
    other[:more] = 1 - other[:more]
    first[more : more + less] = 1 - first[more : more + less]
    return targets, np.arange(count).astype(str), first, other


@pytest.mark.parametrize("metric", SKLEARN)
def test_the_difference_is_scikit_learns(metric: str) -> None:
    targets, groups, first, other = models()
    expected = SKLEARN[metric](targets, first) - SKLEARN[metric](targets, other)
    assert paired_difference(targets, groups, first, other, 5, metric=metric).difference == pytest.approx(expected)


@pytest.mark.parametrize("metric", SKLEARN)
def test_p_is_the_normal_law_s_of_swapping_groups(metric: str) -> None:
    """Half of what swapping a group changes is its share; for F1, but for the change of what the others are worth."""
    targets, groups, first, other = models()

    def difference(one: np.ndarray, two: np.ndarray) -> float:
        return SKLEARN[metric](targets, one) - SKLEARN[metric](targets, two)

    whole = difference(first, other)
    shares = [(whole - difference(*swapped(groups, first, other, name))) / 2 for name in np.unique(groups)]
    expected = 2 * stats.norm.sf(abs(whole) / np.sqrt(np.square(shares).sum()))
    found = paired_difference(targets, groups, first, other, 4, metric=metric)
    assert found.p == pytest.approx(expected, rel=0.05 if metric == "f1_macro" else 1e-9)


@pytest.mark.parametrize("metric", SKLEARN)
def test_several_trainings_of_each_are_averaged(metric: str) -> None:
    targets, groups, *_ = models()
    luck = np.random.default_rng(5).random((2, 3, len(targets)))
    ours, theirs = (
        np.where(one < share, targets, (targets + 1) % 4) for one, share in zip(luck, (0.75, 0.6), strict=True)
    )
    figure = SKLEARN[metric]
    pairs = [figure(targets, one) - figure(targets, two) for one, two in zip(ours, theirs, strict=True)]
    found = paired_difference(targets, groups, ours, theirs, 4, metric=metric)
    single = paired_difference(targets, groups, ours[0], theirs[0], 4, metric=metric)
    assert found.difference == pytest.approx(np.mean(pairs))
    assert found.high - found.low < single.high - single.low


@pytest.mark.parametrize(("more", "less", "count"), [(2, 0, 52), (7, 1, 21), (10, 3, 100), (30, 18, 200)])
def test_of_single_pictures_it_is_mcnemars_test(more: int, less: int, count: int) -> None:
    found = paired_difference(*paired(more, less, count), 2, metric="acc_micro")
    assert found.p == pytest.approx(stats.chi2.sf((more - less) ** 2 / (more + less), 1))
    assert (found.low, found.high) == pytest.approx(tango(more, less, count))


def test_the_interval_is_the_published_one() -> None:
    """Bentur 2009 as in Fagerland, Lydersen and Laake 2014, Statistics in Medicine 33, table VII."""
    assert tango(1, 7, 21) == pytest.approx((-0.517, -0.026), abs=5e-4)


@pytest.mark.parametrize(("more", "less", "count"), [(2, 0, 52), (7, 3, 30), (0, 5, 12), (40, 20, 160)])
def test_its_ends_are_refused_at_just_five_percent(more: int, less: int, count: int) -> None:
    """The likeliest table with a given difference, found by search, and the score of the counts under it."""

    def score(delta: float) -> float:
        def unlikely(only_other: float) -> float:
            shares = np.array([only_other + delta, only_other, 1 - 2 * only_other - delta])
            counts = np.array([more, less, count - more - less])
            return -float(counts[counts > 0] @ np.log(np.maximum(shares[counts > 0], 1e-300)))

        bounds = (max(0.0, -delta), (1 - delta) / 2)
        likeliest = optimize.minimize_scalar(unlikely, bounds=bounds, method="bounded", options={"xatol": 1e-12}).x
        variance = count * (2 * likeliest + delta - delta**2)
        return (more - less - count * delta) / np.sqrt(variance)

    low, high = tango(more, less, count)
    assert score(low) == pytest.approx(stats.norm.ppf(0.975), abs=1e-3)
    assert score(high) == pytest.approx(stats.norm.ppf(0.025), abs=1e-3)


def test_two_pictures_are_no_sign_and_four_are_the_fewest() -> None:
    """Two of 52 were once called significant with p 0.004."""
    ps = [paired_difference(*paired(more, 0, 52), 2, metric="acc_micro").p for more in (1, 2, 3, 4)]
    assert ps == pytest.approx([0.317, 0.157, 0.083, 0.0455], abs=1e-3)
    found = paired_difference(*paired(2, 0, 52), 2, metric="acc_micro")
    assert found.low < -0.03
    assert found.high > 0.12


def test_p_and_the_interval_say_the_same() -> None:
    """Over shares of many sizes, from few groups to many."""
    generator = np.random.default_rng(0)
    told_apart = 0
    for _ in range(2000):
        count = generator.integers(5, 60)
        weights = generator.choice([1, 3, 9], size=count)
        weights = weights / weights.sum()
        given = (
            generator.normal(0.5, 1, size=count) * (generator.random(count) < generator.uniform(0.1, 1)) * weights / 4
        )
        shares = Shares(given, weights, generator.integers(generator.integers(5, 60), size=count))
        if given.any():
            low, high = score_interval(shares)
            p = p_value(shares)
            assert (p < 0.05) == (low > 0 or high < 0)
            assert low <= given.sum() <= high
            told_apart += p < 0.05
    assert 200 < told_apart < 1800


@pytest.mark.parametrize("metric", SKLEARN)
def test_the_other_way_round_is_the_opposite(metric: str) -> None:
    targets, groups, first, other = models()
    one = paired_difference(targets, groups, first, other, 4, metric=metric)
    back = paired_difference(targets, groups, other, first, 4, metric=metric)
    assert (back.difference, back.low, back.high) == pytest.approx((-one.difference, -one.high, -one.low))
    assert back.p == pytest.approx(one.p)
    assert one.low < one.difference < one.high


def test_p_of_a_large_difference_is_small() -> None:
    """Corrected for thirty comparisons it still says that 35 points are no chance."""
    generator = np.random.default_rng(0)
    targets = np.repeat(np.arange(24), 50)
    first, other = (np.where(generator.random(1200) < right, targets, 0) for right in (0.9, 0.4))
    for groups in (np.arange(1200), targets):
        found = paired_difference(targets, groups.astype(str), first, other, 24)
        assert found.low > 0.3
        assert 30 * found.p < 1e-3


def test_equal_answers_do_not_differ() -> None:
    targets, groups, first, _ = models()
    assert paired_difference(targets, groups, first, first, 4) == Difference(0.0, 0.0, 0.0, 1.0)


def test_different_answers_of_one_quality_do_not_differ_much() -> None:
    """Each is wrong in a picture of ten groups, the other ones."""
    targets, groups = np.arange(100) % 4, np.arange(100) // 4
    first, other = targets.copy(), targets.copy()
    first[0:40:4], other[40:80:4] = 3, 3
    found = paired_difference(targets, groups, first, other, 4, metric="acc_micro")
    assert found.difference == 0
    assert found.p > 0.8
    assert found.low == pytest.approx(-found.high, abs=0.02)


def test_pictures_of_no_class_are_left_out() -> None:
    targets, groups, first, other = models()
    padded = [np.concatenate([array[:7], array]) for array in (targets, groups, first, other)]
    padded[0][:7] = -1
    assert paired_difference(*padded, 4) == paired_difference(targets, groups, first, other, 4)


def test_few_groups_and_other_mistakes_have_no_interval() -> None:
    found = paired_difference(*models(groups=4), 4)
    assert (found.low, found.high, found.p) == (None, None, None)
    targets = np.arange(40) % 4
    mistaken = paired_difference(
        targets, np.arange(40) // 4, (targets + 1) % 4, (targets + 2) % 4, 4, metric="acc_micro"
    )
    assert mistaken == Difference(0.0, None, None, None)


def test_all_groups_for_one_model_leave_room() -> None:
    """Ten of ten: by Wilson 1927 such a share may be as low as 0.72, and the difference is twice it less 1."""
    targets = np.arange(40) % 4
    found = paired_difference(targets, np.arange(40) // 4, targets, (targets + 1) % 4, 4, metric="acc_micro")
    assert (found.difference, found.high) == (pytest.approx(1.0), 1.0)
    assert found.low == pytest.approx(2 / (1 + stats.norm.ppf(0.975) ** 2 / 10) - 1, abs=1e-6)


def test_the_former_name_says_the_same() -> None:
    given = models()
    with pytest.warns(DeprecationWarning, match="call paired_difference"):
        former = paired_bootstrap(*given, 4, metric="acc_macro", resamples=50, seed=3)
    assert former == paired_difference(*given, 4, metric="acc_macro")


def told_apart(more: int, discordant: int) -> bool:
    found = paired_difference(*paired(more, discordant - more, discordant + 5), 2, metric="acc_micro")
    assert (found.p < 0.05) == (found.low > 0 or found.high < 0)
    return found.p < 0.05


@pytest.fixture(scope="module")
def fewest() -> np.ndarray:
    """`[561]`: of so many pictures that one model alone has right, how many must be the first's to tell them apart."""
    found = [1]
    for discordant in range(1, 561):
        more = max(found[-1], discordant // 2 + 1)
        while more <= discordant and not told_apart(more, discordant):
            more += 1
        found.append(more)
    return np.array(found)


def rejections(fewest: np.ndarray, count: int, share: float, advantage: float = 0.5) -> float:
    """How often two models are told apart, over all tables by their chance.

    Args:
        fewest: see above.
        count: of the pictures. share: of those that one model alone has right. advantage: the first's part of them.
    """
    discordant = np.arange(len(fewest))
    beyond = stats.binom.sf(fewest - 1, discordant, advantage) + stats.binom.cdf(
        discordant - fewest, discordant, advantage
    )
    return float(stats.binom.pmf(discordant, count, share) @ beyond)


def most_of_tests(count: int, share: float, given: float) -> float:
    """The most that a test rejects whose rejections, given the number of discordant pictures, are `given` at most."""
    discordant = np.arange(count + 1)
    sizes = [
        max([0.0, *(s for s in 2 * stats.binom.cdf(np.arange(d // 2 + 1), d, 0.5) if s <= given)]) for d in discordant
    ]
    return float(stats.binom.pmf(discordant, count, share) @ sizes)


COUNTS, SHARES = (30, 52, 100, 200, 300, 500, 1000), (0.02, 0.03, 0.05, 0.06, 0.1, 0.2, 0.4)


def test_equal_models_are_told_apart_in_some_five_percent_of_parts(fewest: np.ndarray) -> None:
    """No simulation. Where no test can, this one need not: one that takes three of three rejects too much elsewhere."""
    assert fewest[:8].tolist() == [1, 2, 3, 4, 4, 5, 6, 7]
    too_bold = most_of_tests(100, 0.035, given=1 / 4)
    assert too_bold > 0.07
    impossible = set()
    for count in COUNTS:
        for share in SHARES:
            found = rejections(fewest, count, share)
            assert found <= 0.07, (count, share)
            if most_of_tests(count, share, given=1 / 8) < 0.02:
                impossible.add((count, share))
            else:
                assert found >= 0.02, (count, share)
    print(f"no test can reject 2 % with so few discordant pictures: {sorted(impossible)}")
    assert all(count * share <= 2 for count, share in impossible)


@pytest.mark.parametrize(
    ("count", "share", "advantage"), [(100, 0.1, 0.9), (300, 0.1, 0.75), (1000, 0.1, 0.65), (200, 0.3, 0.7)]
)
def test_a_real_difference_is_seen_more_often_than_by_the_exact_sign_test(
    fewest: np.ndarray, count: int, share: float, advantage: float
) -> None:
    at_least = np.arange(201)
    exact = [next(k for k in at_least if k > d or 2 * stats.binom.sf(k - 1, d, 0.5) < 0.05) for d in range(200)]
    ours = rejections(fewest, count, share, advantage)
    theirs = rejections(np.array(exact), count, share, advantage)
    print(f"{ours:.3f} against {theirs:.3f}")
    assert theirs < ours
    assert ours > 0.6


@pytest.mark.parametrize(
    ("more", "less", "count"), [(0.04, 0.04, 52), (0.1, 0.02, 52), (0.06, 0.0, 100), (0.3, 0.2, 60), (0.5, 0.1, 30)]
)
def test_the_interval_covers_the_truth(more: float, less: float, count: int) -> None:
    """Over all tables of single pictures by their chance."""
    only_first, only_other = (axis.ravel() for axis in np.mgrid[: count + 1, : count + 1])
    possible = only_first + only_other <= count
    chances = stats.multinomial.pmf(
        np.stack([only_first, only_other, count - only_first - only_other], axis=1)[possible],
        count,
        [more, less, 1 - more - less],
    )
    ends = [
        tango(one, two, count) if chance > 1e-6 and one + two else (-1.0, 1.0)
        for one, two, chance in zip(only_first[possible], only_other[possible], chances, strict=True)
    ]
    low, high = np.array(ends).T
    assert 0.93 <= chances @ ((low <= more - less) & (more - less <= high)) <= 0.985


def equal_models(
    generator: np.random.Generator, count: int, share: float, classes: int, size: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Groups of `size` pictures, of which a share is answered rightly by the one or the other model only, by chance."""
    groups = np.repeat(np.arange(count // size), size)
    targets = generator.integers(classes, size=count // size)[groups]
    wrong, both = ((targets + generator.integers(1, classes, len(groups))) % classes for _ in range(2))
    both = np.where(generator.random(len(groups)) < 0.75, targets, both)
    differs = (generator.random(count // size) < share)[groups]
    is_first = (generator.random(count // size) < 0.5)[groups]
    first, other = (np.where(differs, np.where(right, targets, wrong), both) for right in (is_first, ~is_first))
    return targets, groups, first, other


def check_rejections(trials: int, metric: str, count: int, share: float, classes: int, size: int) -> None:
    generator = np.random.default_rng(1)
    found = [
        paired_difference(*equal_models(generator, count, share, classes, size), classes, metric=metric)
        for _ in range(trials)
    ]
    told = np.mean([one.p is not None and one.p < 0.05 for one in found])
    print(f"{metric}, {count} pictures in groups of {size}, {share:.0%} differ: told apart {told:.3f}")
    assert 0.02 <= told <= 0.07
    assert all(one.p is None or (one.p < 0.05) == (one.low > 0 or one.high < 0) for one in found)


@pytest.mark.parametrize(
    ("metric", "count", "share", "classes", "size"),
    [
        ("f1_macro", 52, 0.1, 8, 1),
        ("f1_macro", 100, 0.05, 8, 1),
        ("f1_macro", 200, 0.02, 8, 1),
        ("acc_macro", 160, 0.2, 4, 4),
    ],
)
def test_equal_models_by_macro_figures(metric: str, count: int, share: float, classes: int, size: int) -> None:
    check_rejections(400, metric, count, share, classes, size)


@pytest.mark.slow
@pytest.mark.parametrize("metric", SKLEARN)
@pytest.mark.parametrize("classes", [4, 8, 30])
@pytest.mark.parametrize(
    ("count", "share", "size"),
    [
        (52, 0.1, 1),
        (100, 0.05, 1),
        (100, 0.2, 1),
        (300, 0.02, 1),
        (300, 0.1, 1),
        (1000, 0.02, 1),
        (1000, 0.2, 1),
        (160, 0.2, 4),
        (300, 0.2, 3),
        (1000, 0.1, 2),
        (1200, 0.05, 4),
    ],
)
def test_equal_models_over_a_fuller_grid(metric: str, count: int, share: float, size: int, classes: int) -> None:
    check_rejections(2000, metric, count, share, classes, size)


@pytest.mark.slow
@pytest.mark.parametrize("metric", SKLEARN)
@pytest.mark.parametrize("right", [(0.6, 0.6), (0.7, 0.55)])
def test_coverage(metric: str, right: tuple[float, float]) -> None:
    """The truth is the difference over very many groups; equal models are told apart in some 5 % of parts."""
    large = models(400_000, 100_000, right, seed=99)
    truth = SKLEARN[metric](large[0], large[2]) - SKLEARN[metric](large[0], large[3])
    trials = 400
    found = [paired_difference(*models(160, 40, right, seed), 4, metric=metric) for seed in range(trials)]
    covered = np.mean([one.low <= truth <= one.high for one in found])
    rejected = np.mean([one.p < 0.05 for one in found])
    print(f"truth {truth:.3f}, covered {covered:.3f}, told apart {rejected:.3f}")
    assert 0.92 <= covered <= 0.995
    if right[0] == right[1]:
        assert rejected <= 0.08
    else:
        assert rejected >= 0.5
