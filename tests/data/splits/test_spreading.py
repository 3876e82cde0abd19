"""Groups that hold several classes: each class is in every part, or in as many as any assignment allows."""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import Bounds, LinearConstraint, milp

from animeid.data.settings import DataSettings
from animeid.data.splits import spreading
from animeid.data.splits.parts import make_parts
from animeid.data.splits.splits import Pool, split_by_ratio, split_into_folds
from animeid.data.splits.spreading import spread
from tests.data.splits.test_splits import RATIOS, pool_of


def random_pool(seed: int, groups: int, classes: int, most: int = 3) -> Pool:
    """Groups of one to `most` classes, one or two pictures of each."""
    random = np.random.default_rng(seed)
    rows = [
        (group, int(target))
        for group in range(groups)
        for target in random.choice(classes, size=random.integers(1, min(most, classes) + 1), replace=False)
        for _ in range(random.integers(1, 3))
    ]
    return pool_of([group for group, _ in rows], [target for _, target in rows], seed)


def without(pool: Pool, parts: np.ndarray, names: list[object], small: tuple[int, ...]) -> int:
    """How many pairs of a class that is not small and a part have no picture."""
    held = set(zip(pool.targets.tolist(), parts.tolist(), strict=True))
    return sum((target, name) not in held for target in pool.class_groups if target not in small for name in names)


def fewest_by_search(pool: Pool, small: tuple[int, ...], places: int, stay: int | None) -> int:
    """The fewest such pairs of all assignments; groups with small classes are in place `stay`, None for no place."""
    free = [code for code, content in enumerate(pool.contents) if not set(small) & content.keys()]
    ways = np.array(list(product(range(places), repeat=len(free))))
    lacking = np.zeros(len(ways), dtype=int)
    in_training = np.zeros(len(ways), dtype=bool)
    for target in set(pool.class_groups) - set(small):
        own = [number for number, code in enumerate(free) if target in pool.contents[code]]
        fixed = any(target in content for code, content in enumerate(pool.contents) if code not in free)
        for place in range(places):
            filled = (ways[:, own] == place).any(axis=1) | (fixed and place == stay)
            lacking += ~filled
            in_training |= ~filled & (place == stay)
    return int(lacking[~in_training].min())


def fewest_by_programme(pool: Pool, small: tuple[int, ...], places: int) -> int:
    """The same for larger pools, of all groups at once: a mixed-integer programme of its own, dense and plain."""
    wanted = sorted(set(pool.class_groups) - set(small))
    groups, width = len(pool.contents), len(pool.contents) * places + len(wanted) * places
    rows, low, high = [], [], []
    for group, content in enumerate(pool.contents):
        one = np.zeros(width)
        one[group * places : (group + 1) * places] = 1
        rows, low, high = [*rows, one], [*low, 1], [*high, 1]
        if set(small) & content.keys():
            stays = np.zeros(width)
            stays[group * places] = 1
            rows, low, high = [*rows, stays], [*low, 1], [*high, 1]
    for number, target in enumerate(wanted):
        for place in range(places):
            filled = np.zeros(width)
            filled[[g * places + place for g, content in enumerate(pool.contents) if target in content]] = 1
            if place > 0:
                filled[groups * places + number * places + place] = 1
            rows, low, high = [*rows, filled], [*low, 1], [*high, np.inf]
    cost = np.r_[np.zeros(groups * places), np.ones(len(wanted) * places)]
    kinds = np.r_[np.ones(groups * places), np.zeros(len(wanted) * places)]
    found = milp(cost, constraints=LinearConstraint(np.array(rows), low, high), integrality=kinds, bounds=Bounds(0, 1))
    return round(float(found.fun))


def test_no_assignment_of_small_pools_leaves_fewer_classes_out() -> None:
    """365 pools, of which a dealing that only looks at one part after the other left a class out in more than fifty."""
    for seed in range(365):
        random = np.random.default_rng(1000 + seed)
        pool = random_pool(seed, groups=int(random.integers(3, 9)), classes=int(random.integers(2, 5)))
        parts, small = split_by_ratio(pool, RATIOS)
        found = without(pool, parts, ["train", "test", "val"], small)
        assert found == fewest_by_search(pool, small, 3, stay=0), seed


@pytest.mark.parametrize("seed", range(12))
def test_nor_of_larger_ones(seed: int) -> None:
    pool = random_pool(seed, groups=40, classes=14, most=4)
    parts, small = split_by_ratio(pool, RATIOS)
    assert without(pool, parts, ["train", "test", "val"], small) == fewest_by_programme(pool, small, 3)


def test_every_class_is_in_every_fold_where_any_dealing_has_it_so() -> None:
    for seed in range(100):
        random = np.random.default_rng(1000 + seed)
        pool = random_pool(seed, groups=int(random.integers(3, 9)), classes=int(random.integers(2, 5)))
        numbers, small = split_into_folds(pool, 2)
        found = without(pool, numbers, [0, 1], small)
        assert found == fewest_by_search(pool, small, 2, stay=None), seed


def test_nothing_moves_where_nothing_is_lacking_and_little_else() -> None:
    """Class 2 is only in groups with class 0, all of them in place 0; one of its groups moves, and the smallest."""
    contents = [{0: 1}, {0: 1}, {1: 1}, {1: 1}, {0: 1, 2: 5}, {0: 1, 2: 1}]
    good = np.array([0, 1, 0, 1, 0, 1])
    assert spread(contents, good, range(6), {0, 1, 2}, [9.0, 1.0]).tolist() == good.tolist()
    lacking = np.array([0, 1, 0, 1, 0, 0])
    assert spread(contents, lacking, range(6), {0, 1, 2}, [9.0, 1.0]).tolist() == good.tolist()


def test_a_large_pool_is_mended_near_what_is_lacking() -> None:
    """20,000 groups of one class, and a class that shares its groups."""
    contents = [{group % 2000: 1} for group in range(20_000)] + [{0: 1, 2000: 1}, {1: 1, 2000: 1}, {2: 1, 2000: 1}]
    places = np.array([*(group // 2000 % 3 for group in range(20_000)), 0, 0, 0])
    found = spread(contents, places, range(len(contents)), set(range(2001)), [9.0, 1.0, 1.0])
    assert sorted(found[-3:]) == [0, 1, 2]
    assert (found != places).sum() == 2


def test_a_pool_of_thousands_of_shared_groups_is_not_given_up() -> None:
    """6,000 groups with one to three of 4,000 classes each; a dealing alone leaves 323 pairs empty."""
    pool = random_pool(0, groups=6000, classes=4000)
    parts, small = split_by_ratio(pool, RATIOS)
    assert without(pool, parts, ["train", "test", "val"], small) <= 210


def test_of_too_many_groups_some_are_moved(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spreading, "LARGEST", 3)
    contents = [{0: 1, 1: 1}, {0: 2}, {1: 2}, {0: 3, 1: 1}]
    found = spread(contents, np.zeros(4, dtype=np.int64), range(4), {0, 1}, [9.0, 1.0])
    assert len(set(found.tolist())) == 2
    assert found[3] == 0


def test_groups_behind_the_first_of_too_many_are_moved_after_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of class 2 only the third group may leave place 0, since classes 3 and 4 would lack it."""
    monkeypatch.setattr(spreading, "LARGEST", 2)
    contents = [{2: 1, 3: 1}, {2: 1, 4: 1}, {2: 1}, {3: 1}, {4: 1}]
    found = spread(contents, np.array([0, 0, 0, 1, 1]), range(5), {2, 3, 4}, [9.0, 1.0])
    assert found.tolist() == [0, 0, 1, 1, 1]


def test_classes_that_no_assignment_spreads_are_named_with_the_reason() -> None:
    """Class c shares two of its three groups with d, which has two and stays in training."""
    groups = [*(f"a{n}" for n in range(9)), *(f"b{n}" for n in range(9)), "x", "x", "y", "y", "z"]
    targets = [*[0] * 9, *[1] * 9, 2, 3, 2, 3, 2]
    table = pd.DataFrame(
        {"group": groups, "target": targets, "split": "", "sha256": [str(n) for n in range(23)], "label": "known"}
    )
    made, notes = make_parts(table, ["a", "b", "c", "d"], DataSettings(test_ratio=0.2, val_ratio=0.2), given=False)
    assert set(made["split"][made["target"] == 2]) in ({"train", "test"}, {"train", "val"})
    said = [note for note in notes if "share" in note]
    assert len(said) == 1
    assert "c (" in said[0]
    assert any("d" in note and "too few groups" in note for note in notes)
