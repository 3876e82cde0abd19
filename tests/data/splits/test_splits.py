"""Splits and folds: groups never cross, classes keep their shares, and content alone decides."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.model_selection import StratifiedGroupKFold

from animeid.data.splits.splits import Pool, number_of_folds, split_by_ratio, split_into_folds

RATIOS = {"test": 0.2, "val": 0.15}


def pool_of(groups: list[int], targets: list[int], seed: int = 0) -> Pool:
    names = [f"g{group}" for group in groups]
    return Pool.of(names, np.array(targets), [f"picture {index}" for index in range(len(groups))], seed)


@st.composite
def pictures(draw: st.DrawFn) -> tuple[list[int], list[int]]:
    """Groups of any size, some of which hold several classes."""
    count = draw(st.integers(2, 80))
    groups = draw(st.lists(st.integers(0, 30), min_size=count, max_size=count))
    targets = draw(st.lists(st.integers(0, 4), min_size=count, max_size=count))
    return groups, targets


@settings(max_examples=150, deadline=None)
@given(pictures(), st.integers(0, 3))
def test_a_group_never_crosses_parts_and_no_class_leaves_training(data: tuple[list[int], list[int]], seed: int) -> None:
    groups, targets = data
    parts, small = split_by_ratio(pool_of(groups, targets, seed), RATIOS)
    for group in set(groups):
        assert len({part for part, one in zip(parts, groups, strict=True) if one == group}) == 1
    trained = {target for target, part in zip(targets, parts, strict=True) if part == "train"}
    assert trained == set(targets)
    for target in small:
        assert {part for part, one in zip(parts, targets, strict=True) if one == target} == {"train"}


@settings(max_examples=150, deadline=None)
@given(pictures(), st.integers(2, 5))
def test_a_group_never_crosses_folds(data: tuple[list[int], list[int]], folds: int) -> None:
    groups, targets = data
    numbers, _ = split_into_folds(pool_of(groups, targets), folds)
    for group in set(groups):
        assert len({int(fold) for fold, one in zip(numbers, groups, strict=True) if one == group}) == 1
    assert set(numbers.tolist()) <= set(range(-1, folds))


def long_tailed(seed: int) -> tuple[list[int], list[int]]:
    """Six classes of 120 to 9 groups, one to four pictures a group."""
    random = np.random.default_rng(seed)
    groups, targets, number = [], [], 0
    for target, size in enumerate((120, 70, 40, 24, 14, 9)):
        for _ in range(size):
            pictures_of_it = int(random.integers(1, 5))
            groups += [number] * pictures_of_it
            targets += [target] * pictures_of_it
            number += 1
    return groups, targets


@pytest.mark.parametrize("seed", range(5))
def test_every_class_has_about_its_share_in_every_part(seed: int) -> None:
    groups, targets = long_tailed(seed)
    parts, small = split_by_ratio(pool_of(groups, targets, seed), RATIOS)
    assert not small
    for target in range(6):
        own = np.array(targets) == target
        for part, ratio in RATIOS.items():
            # Off by no more than the largest group, which cannot be cut.
            assert abs((parts[own] == part).sum() - ratio * own.sum()) <= 4


@pytest.mark.parametrize("seed", range(5))
def test_folds_are_stratified_as_well_as_those_of_scikit_learn(seed: int) -> None:
    groups, targets = long_tailed(seed)
    numbers, _ = split_into_folds(pool_of(groups, targets, seed), 5)
    reference = np.zeros(len(groups), dtype=int)
    folds = StratifiedGroupKFold(5, shuffle=True, random_state=seed).split(groups, targets, groups)
    for fold, (_, held) in enumerate(folds):
        reference[held] = fold

    def spread(folds_of: np.ndarray) -> float:
        """Mean over classes of the standard deviation of its share over folds."""
        shares = [[(folds_of[np.array(targets) == c] == f).mean() for f in range(5)] for c in range(6)]
        return float(np.std(shares, axis=1).mean())

    assert spread(numbers) <= spread(reference) * 1.1 + 0.005


def test_the_split_follows_its_seed_and_the_content_alone() -> None:
    groups, targets = long_tailed(0)
    first, _ = split_by_ratio(pool_of(groups, targets, 0), RATIOS)
    again, _ = split_by_ratio(pool_of(groups, targets, 0), RATIOS)
    other, _ = split_by_ratio(pool_of(groups, targets, 1), RATIOS)
    assert (first == again).all()
    assert (first != other).any()


def test_a_new_picture_moves_few_others() -> None:
    groups, targets = long_tailed(0)
    before, _ = split_by_ratio(pool_of(groups, targets), RATIOS)
    after, _ = split_by_ratio(pool_of([*groups, 9999], [*targets, 0]), RATIOS)
    assert (before != after[:-1]).mean() < 0.05


@pytest.mark.parametrize(
    ("class_groups", "asked", "folds"), [({0: 2, 1: 9}, 5, 2), ({0: 1}, 5, 2), ({0: 3, 1: 9}, 5, 3), ({0: 9}, 5, 5)]
)
def test_the_number_of_folds_follows_the_smallest_class(class_groups: dict[int, int], asked: int, folds: int) -> None:
    assert number_of_folds(class_groups, asked) == folds


def test_a_class_too_small_stays_in_training_and_is_named() -> None:
    groups = [*range(20), 100, 101]
    targets = [0] * 20 + [1, 1]
    parts, small = split_by_ratio(pool_of(groups, targets), RATIOS)
    assert small == (1,)
    assert set(parts[-2:]) == {"train"}
