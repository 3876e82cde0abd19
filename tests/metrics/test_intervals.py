"""Intervals: their parts against naive versions, and their coverage by simulation."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from scipy import stats as scipy_stats
from sklearn import metrics as sk

from animeid import predictions
from animeid.metrics import intervals as module
from animeid.metrics.evaluate import evaluate, evaluate_predictions, evaluate_several
from animeid.metrics.figures import FigureSet
from animeid.metrics.intervals import _quantiles, intervals, resampled, widening
from animeid.metrics.leaving_out import jackknife_error
from animeid.metrics.sums import GroupSums, sums_of_logits, sums_of_predictions
from animeid.types import LabelStats

FIGURES = ("acc_micro", "acc_macro", "f1_macro", "f1_weighted")


def label_stats(classes: int) -> LabelStats:
    return LabelStats.from_counts(tuple(f"c{number}" for number in range(classes)), torch.full((classes,), 50))


def small_part(seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Predictions, targets and groups of 60 pictures, 4 classes and 17 groups."""
    generator = np.random.default_rng(seed)
    groups = generator.permutation(60) % 17
    targets = groups % 4
    predicted = np.where(generator.random(60) < 0.6, targets, generator.integers(4, size=60))
    return predicted, targets, groups


def sklearn_figures(predicted: np.ndarray, targets: np.ndarray) -> list[float]:
    present = np.unique(targets)
    return [
        sk.accuracy_score(targets, predicted),
        sk.recall_score(targets, predicted, labels=present, average="macro", zero_division=0),
        sk.f1_score(targets, predicted, labels=present, average="macro", zero_division=0),
        sk.f1_score(targets, predicted, labels=present, average="weighted", zero_division=0),
    ]


def test_weighted_sums_give_the_figures_of_repeated_pictures() -> None:
    predicted, targets, groups = small_part()
    sums = sums_of_predictions(predicted, targets, groups, 4)
    figures = FigureSet.of(sums.layout, label_stats(4))
    names = np.unique(groups)
    weights = np.random.default_rng(1).multinomial(len(names), np.full(len(names), 1 / len(names)), size=8)
    ours = figures.values(sums.weighted(weights.astype(float)))[:, : len(FIGURES)]
    for row, weight in zip(ours, weights, strict=True):
        rows = np.concatenate([np.flatnonzero(groups == name) for name in np.repeat(names, weight)])
        np.testing.assert_allclose(row, sklearn_figures(predicted[rows], targets[rows]))


def test_sums_of_logits_when_groups_repeat() -> None:
    """Probability figures of weighted groups are those of the repeated pictures."""
    generator = np.random.default_rng(0)
    _, targets, groups = small_part()
    logits, losses = generator.normal(size=(60, 4)).astype(np.float32), generator.random(60)
    sums = sums_of_logits(logits, targets, groups, losses)
    figures = FigureSet.of(sums.layout, label_stats(4))
    weights = generator.integers(3, size=(1, sums.num_groups)).astype(float)
    rows = np.concatenate([np.flatnonzero(groups == g) for g, w in enumerate(weights[0]) for _ in range(int(w))])
    repeated = sums_of_logits(logits[rows], targets[rows], np.arange(len(rows)), losses[rows])
    np.testing.assert_allclose(figures.values(sums.weighted(weights))[0], figures.values(repeated.total))


def test_resamples_draw_as_many_groups_as_there_are_and_do_not_depend_on_chunks(monkeypatch) -> None:
    predicted, targets, groups = small_part()
    sums = sums_of_predictions(predicted, targets, groups, 4)
    whole = resampled([(sums, lambda s: s)])[0]
    assert whole.shape == (1000, sums.layout.width)
    ones = GroupSums(sums.layout, type(sums.table)(np.ones((17, 12))))
    groups_drawn, again = resampled([(ones, lambda s: s), (sums, lambda s: s)])
    assert (groups_drawn == 17).all()
    np.testing.assert_array_equal(again, whole)
    np.testing.assert_allclose(whole.mean(0), sums.total, rtol=0.15, atol=0.5)
    monkeypatch.setattr(module, "CHUNK_ENTRIES", 100)
    np.testing.assert_array_equal(resampled([(sums, lambda s: s)])[0], whole)


def test_jackknife_equals_leaving_groups_out(monkeypatch) -> None:
    predicted, targets, groups = small_part()
    sums = sums_of_predictions(predicted, targets, groups, 4)
    figures = FigureSet.of(sums.layout, label_stats(4))
    point = np.array(sklearn_figures(predicted, targets))
    left_out = [sklearn_figures(predicted[groups != g], targets[groups != g]) for g in np.unique(groups)]
    expected = np.sqrt(16 / 17 * ((np.array(left_out) - point) ** 2).sum(0))
    monkeypatch.setattr(module, "CHUNK_ENTRIES", 100)
    np.testing.assert_allclose(jackknife_error(sums, figures)[: len(FIGURES)], expected)


def part_of_logits(seed: int, classes: int = 9, pictures: int = 120, groups: int = 40) -> tuple[GroupSums, FigureSet]:
    """A part with classes of one group, classes without pictures, and many, medium and few."""
    generator = np.random.default_rng(seed)
    group = generator.integers(groups, size=pictures)
    target = generator.choice(classes - 2, size=groups, p=generator.dirichlet(np.full(classes - 2, 0.5)))
    target[group[0]] = classes - 2
    targets = target[group]
    logits = generator.normal(size=(pictures, classes)).astype(np.float32)
    logits[np.arange(pictures), targets] += 1
    sums = sums_of_logits(logits, targets, group, generator.random(pictures))
    counts = torch.tensor([200, 150, 50, 30, 20, 9, 5, 3, 2])
    return sums, FigureSet.of(sums.layout, LabelStats.from_counts(tuple("abcdefghi"), counts))


def naive_jackknife(sums: GroupSums, figures: FigureSet) -> np.ndarray:
    """Every figure again without each group."""
    total, groups = sums.total, sums.num_groups
    change = figures.values(total - sums.table.toarray()) - figures.values(total)
    return np.sqrt((groups - 1) / groups * np.nansum(change**2, axis=0))


def naive_intervals(sums: GroupSums, figures: FigureSet) -> np.ndarray:
    """All in whole tables, with numpy's quantiles."""
    groups, behind = sums.num_groups, figures.groups(sums)
    drawn = np.random.default_rng(0).integers(groups, size=(1000, groups))
    weights = np.stack([np.bincount(one, minlength=groups) for one in drawn])
    values, point = figures.values(weights @ sums.table.toarray()), figures.values(sums.total)
    found = np.full((len(point), 2), np.nan)
    errors = naive_jackknife(sums, figures)
    for place in range(len(point)):
        column = values[:, place][~np.isnan(values[:, place])]
        if behind[place] < 5 or np.isnan(point[place]) or column.std() <= 1e-9:
            continue
        wider = widening(behind[place], column.std(), errors[place])
        tail = scipy_stats.norm.sf(scipy_stats.norm.ppf(0.975) * wider)
        move = figures.moves()[place] * (column.mean() - point[place])
        low, high = np.quantile(column, [tail, 1 - tail]) - move
        holds = figures.moves()[place] == 1
        found[place] = (min(low, point[place]), max(high, point[place])) if holds else (low, high)
    return found


def test_a_likelihood_is_not_judged_below_nought() -> None:
    """Five pictures, one of them far off: taking off the resamples' bias would go there."""
    logits = np.zeros((5, 3), dtype=np.float32)
    logits[:, 0], logits[4, 0] = 9, -9
    found = evaluate(logits, np.zeros(5, np.int64), np.arange(5).astype(str), label_stats(3), np.zeros(5))
    low, high = found["nll_ci"]
    assert low == 0 < high


def test_an_interval_holds_its_figure_where_nearly_all_resamples_agree() -> None:
    """Of three classes one is always named; few resamples lack a class, and the bias was taken off all of them."""
    targets = np.repeat([0, 1, 2], 5)
    found = evaluate_predictions(np.zeros(15, np.int64), targets, np.arange(15).astype(str), label_stats(3))
    for name in FIGURES:
        low, high = found[f"{name}_ci"]
        assert low <= found[name] <= high, name


@pytest.mark.parametrize("seed", range(4))
def test_leaving_out_only_what_a_group_touches_is_the_jackknife(seed: int) -> None:
    sums, figures = part_of_logits(seed)
    assert (sums.groups_per_class() == 1).any()
    np.testing.assert_allclose(jackknife_error(sums, figures), naive_jackknife(sums, figures), rtol=1e-7, atol=1e-12)


@pytest.mark.parametrize("seed", range(2))
def test_intervals_are_those_of_whole_tables(seed: int, monkeypatch) -> None:
    sums, figures = part_of_logits(seed)
    monkeypatch.setattr(module, "CHUNK_ENTRIES", 1000)
    monkeypatch.setattr(predictions, "BLOCK_BYTES", 56_000)
    np.testing.assert_allclose(intervals(sums, figures), naive_intervals(sums, figures), rtol=1e-7, atol=1e-9)


def test_several_answers_to_the_same_pictures_share_their_draws(monkeypatch) -> None:
    generator = np.random.default_rng(0)
    _, targets, groups = small_part()
    answers = {name: generator.integers(4, size=60) for name in "ab"}
    stats = label_stats(4)
    alone = {name: evaluate_predictions(answer, targets, groups, stats) for name, answer in answers.items()}
    made = list[int]()
    drawn = module.draws

    def counted(*given: int) -> Iterator[np.ndarray]:
        made.append(given[0])
        return drawn(*given)

    monkeypatch.setattr(module, "draws", counted)
    assert evaluate_several(answers, targets, groups, stats) == alone
    assert made == [17]


def test_intervals_of_many_classes_need_little_more_than_their_resamples() -> None:
    classes, pictures = 1500, 3000
    generator = np.random.default_rng(0)
    targets = np.arange(pictures) % classes
    predicted = np.where(generator.random(pictures) < 0.7, targets, generator.integers(classes, size=pictures))
    sums = sums_of_predictions(predicted, targets, np.arange(pictures), classes)
    figures = FigureSet.of(sums.layout, label_stats(classes))
    tracemalloc.start()
    intervals(sums, figures)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    resamples = 1000 * len(figures.moves()) * 8
    blocks = 8 * 8 * module.CHUNK_ENTRIES
    assert peak < resamples + blocks


def test_quantiles_equal_numpys() -> None:
    values = np.random.default_rng(0).normal(size=(101, 3))
    values[:40, 1] = np.nan
    levels = np.array([0.025, 0.3, 0.99])
    expected = [np.nanquantile(values[:, column], level) for column, level in enumerate(levels)]
    np.testing.assert_allclose(_quantiles(np.sort(values, axis=0), levels), expected)


def test_the_interval_of_a_mean_is_students() -> None:
    """For a mean of groups of one picture, the widened percentiles come to Student's interval."""
    generator = np.random.default_rng(3)
    losses = generator.normal(10, 1, size=12)
    sums = sums_of_logits(np.zeros((12, 2)), np.zeros(12, np.int64), np.arange(12), losses)
    figures = FigureSet.of(sums.layout, label_stats(2))
    low, high = intervals(sums, figures)[figures.names.index("loss")]
    error = losses.std(ddof=1) / np.sqrt(12)
    expected = scipy_stats.t.interval(0.95, 11, loc=losses.mean(), scale=error)
    assert (low, high) == pytest.approx(expected, abs=0.25 * error)


def test_widening_vanishes_with_many_groups_and_never_narrows() -> None:
    few, many = widening(np.array([5, 10**6]), np.ones(2), np.zeros(2))
    assert few == pytest.approx(np.sqrt(5 / 4) * scipy_stats.t.ppf(0.975, 4) / scipy_stats.norm.ppf(0.975))
    assert many == pytest.approx(1, abs=1e-4)
    assert widening(np.array([10**6]), np.ones(1), np.full(1, 1.5))[0] == pytest.approx(1.5, abs=1e-4)


@dataclass(frozen=True)
class Population:
    """Classes whose groups of one to six pictures mostly stand or fall together.

    groups: groups of each class in a part. right: the chance of each class's pictures to be named rightly; wrong ones
    are taken for the next class.
    """

    groups: Sequence[int]
    right: Sequence[float]
    together: float = 0.8

    def truth(self) -> dict[str, float]:
        support, right = np.array(self.groups, float), np.array(self.right)
        hits = support * right
        predicted = hits + np.roll(support - hits, 1)
        f1 = 2 * hits / (support + predicted)
        return {
            "acc_micro": hits.sum() / support.sum(),
            "acc_macro": right.mean(),
            "f1_macro": f1.mean(),
            "f1_weighted": (f1 * support).sum() / support.sum(),
        }

    def draw(self, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        classes = np.repeat(np.arange(len(self.groups)), self.groups)
        groups = np.repeat(np.arange(len(classes)), generator.integers(1, 7, size=len(classes)))
        targets = classes[groups]
        common = generator.random(len(classes))[groups]
        luck = np.where(generator.random(len(groups)) < self.together, common, generator.random(len(groups)))
        hit = luck < np.array(self.right)[targets]
        return np.where(hit, targets, (targets + 1) % len(self.groups)), targets, groups


def coverage(population: Population, trials: int, by_row: bool = False) -> dict[str, float]:
    """The share of drawn parts whose interval holds the truth."""
    generator = np.random.default_rng(0)
    classes, truth = len(population.groups), population.truth()
    covered = np.zeros(len(FIGURES))
    for _ in range(trials):
        predicted, targets, groups = population.draw(generator)
        unit = np.arange(len(groups)) if by_row else groups
        sums = sums_of_predictions(predicted, targets, unit, classes)
        figures = FigureSet.of(sums.layout, label_stats(classes))
        ends = intervals(sums, figures)
        for place, name in enumerate(FIGURES):
            low, high = ends[figures.names.index(name)]
            covered[place] += low <= truth[name] <= high
    return dict(zip(FIGURES, covered / trials, strict=True))


BALANCED = Population([15] * 6, [0.9, 0.8, 0.7, 0.6, 0.5, 0.4])
LONG_TAIL = Population(
    [60, 40, 30, 20, 15, 10, 8, 6, 5, 4, 3, 3, 2, 2, 2, 2, 1, 1, 1, 1], np.linspace(0.85, 0.35, 20).tolist()
)
TWO_GROUPS_A_CLASS = Population([2] * 30, np.tile([0.8, 0.6, 0.4], 10).tolist())
FEW_GROUPS = Population([6, 6], [0.7, 0.6])


def test_intervals_cover_the_truth_where_pictures_of_a_group_agree() -> None:
    for name, share in coverage(BALANCED, 150).items():
        assert 0.90 <= share <= 0.995, (name, share)


def test_resampling_pictures_instead_of_groups_would_not_cover() -> None:
    """The check of the check: the same intervals, pictures taken for independent, are far too narrow."""
    for name, share in coverage(BALANCED, 150, by_row=True).items():
        assert share < 0.85, (name, share)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("population", "least"),
    [(BALANCED, 0.93), (LONG_TAIL, 0.93), (TWO_GROUPS_A_CLASS, 0.93), (FEW_GROUPS, 0.90)],
    ids=["balanced", "long tail", "two groups a class", "few groups"],
)
def test_coverage(population: Population, least: float) -> None:
    shares = coverage(population, 1000)
    print(shares)
    for name, share in shares.items():
        assert least <= share <= 0.998, (name, share)


@pytest.mark.slow
def test_coverage_of_a_classes_own_recall() -> None:
    """Of those that are given: a class whose pictures are all right, or all wrong, has no interval."""
    generator = np.random.default_rng(0)
    population = Population([5, 8, 12, 20, 30], [0.5, 0.6, 0.6, 0.7, 0.8])
    covered, given = np.zeros(5), np.zeros(5)
    for _ in range(600):
        sums = sums_of_predictions(*population.draw(generator), 5)
        figures = FigureSet.of(sums.layout, label_stats(5))
        ends = intervals(sums, figures)
        low, high = ends[len(figures.names) + 5 : len(figures.names) + 10].T
        given += ~np.isnan(low)
        covered += (low <= population.right) & (np.array(population.right) <= high)
    print(covered / given, given)
    assert (covered / given >= [0.85, 0.85, 0.9, 0.9, 0.9]).all()


def calibrated_part(
    generator: np.random.Generator, groups: int, sharpness: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Logits, targets and groups; calibrated at sharpness 1, too sure above it."""
    number = np.repeat(np.arange(groups), generator.integers(1, 4, size=groups))
    logits = generator.normal(size=(groups, 5))[number] * 1.5 + generator.normal(size=(len(number), 5)) * 0.7
    shares = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    luck = generator.random(groups)[number]
    targets = (shares.cumsum(1) < luck[:, None]).sum(1).clip(0, 4)
    return (logits * sharpness).astype(np.float32), targets, number


@pytest.mark.slow
@pytest.mark.parametrize("sharpness", [1.0, 1.3, 1.5, 2.5])
@pytest.mark.parametrize("groups", [40, 100, 400])
def test_a_calibration_error_is_covered(sharpness: float, groups: int) -> None:
    generator = np.random.default_rng(0)
    stats = label_stats(5)
    logits, targets, number = calibrated_part(generator, 300_000, sharpness)
    sums = sums_of_logits(logits, targets, number, np.zeros(len(targets)))
    truth = FigureSet.of(sums.layout, stats).values(sums.total)[5]
    wrong = given = 0
    for _ in range(200):
        part = calibrated_part(generator, groups, sharpness)
        interval = evaluate(*part, stats, None)["ece_ci"]
        given += interval is not None
        wrong += interval is not None and not interval[0] <= truth <= interval[1]
    print(f"truth {truth:.3f}, given {given}, wrong {wrong}")
    assert wrong <= 0.08 * 200
