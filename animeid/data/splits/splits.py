"""Group-aware stratified splits: by ratio, and into folds. A group never crosses."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from animeid.data.splits.spreading import spread


@dataclass(frozen=True)
class Pool:
    """Pictures that are to be split.

    groups: `[N]` int64, group codes 0 to G-1. targets: `[N]` int64 >= 0.
    order: `[G]` int64, the groups in the order in which they are dealt out.
    contents: for each group, its pictures a class.
    class_groups: groups of each class. class_sizes: pictures of each class.
    """

    groups: np.ndarray
    targets: np.ndarray
    order: np.ndarray
    contents: list[dict[int, int]]
    class_groups: Mapping[int, int]
    class_sizes: Mapping[int, int]

    @classmethod
    def of(cls, groups: Sequence[str], targets: np.ndarray, content: Sequence[str], seed: int) -> Pool:
        """Deals groups out in an order that depends on the seed and on what is in them, and on nothing else.

        Args:
            groups: N group names. targets: `[N]`. content: N strings that tell pictures apart wherever they lie, such
                as their sha256.
            seed: of the split.
        """
        names, codes = np.unique(np.asarray(groups, dtype=object), return_inverse=True)
        contents: list[dict[int, int]] = [{} for _ in names]
        smallest: list[str] = [""] * len(names)
        for code, target, picture in zip(codes.tolist(), targets.tolist(), content, strict=True):
            contents[code][target] = contents[code].get(target, 0) + 1
            smallest[code] = min(smallest[code] or picture, picture)
        keys = [hashlib.sha256(f"{seed}:{picture}".encode()).hexdigest() for picture in smallest]
        order = np.array(sorted(range(len(names)), key=lambda code: (keys[code], names[code])), dtype=np.int64)
        class_groups: dict[int, int] = {}
        class_sizes: dict[int, int] = {}
        for members in contents:
            for target, count in members.items():
                class_groups[target] = class_groups.get(target, 0) + 1
                class_sizes[target] = class_sizes.get(target, 0) + count
        return cls(codes, targets, order, contents, class_groups, class_sizes)


def split_by_ratio(pool: Pool, ratios: Mapping[str, float]) -> tuple[np.ndarray, tuple[int, ...]]:
    """Deals groups out to parts until each has its share of every class; the rest is `train`.

    Every class that has at least as many groups as there are parts gets a group in each of them, as far as groups that
    hold several classes allow it (`spread`). A class with fewer stays in training as a whole. A new picture moves few
    others: a group's place in the order does not depend on the others, and a part takes the first that fit.

    Args:
        pool: the pictures.
        ratios: share of the pictures of each part other than `train`; parts with 0 get nothing.

    Returns:
        `[N]` part names, and the targets of the classes that were too small to be split.
    """
    wanted = {part: ratio for part, ratio in ratios.items() if ratio > 0}
    small = {target for target, count in pool.class_groups.items() if count < len(wanted) + 1}
    names = np.array(["train", *wanted], dtype=object)
    places = np.zeros(len(pool.order), dtype=np.int64)
    may_move = [code for code in pool.order if not small & pool.contents[code].keys()]
    for place, ratio in enumerate(wanted.values(), start=1):
        places[_take(pool, [code for code in may_move if places[code] == 0], ratio)] = place
    # Nothing is learnt of a class that is not in training.
    weights = [2.0 * len(pool.class_groups) * len(wanted), *(1.0 for _ in wanted)]
    places = spread(pool.contents, places, may_move, pool.class_groups.keys() - small, weights)
    return names[places[pool.groups]], tuple(sorted(small)) if wanted else ()


def _take(pool: Pool, free: Sequence[int], ratio: float) -> list[int]:
    """Groups of one part: those that bring it nearer to its share, then one for each class that still has none."""
    need = {target: max(ratio * size, 1.0) for target, size in pool.class_sizes.items()}
    left = dict.fromkeys(need, 0)
    for code in free:
        for target in pool.contents[code]:
            left[target] += 1
    taken: list[int] = []
    rest: list[int] = []
    for code in free:
        gain = sum(count * (2 * need[c] - count) / pool.class_sizes[c] for c, count in pool.contents[code].items())
        if gain > 0 and all(left[target] > 1 for target in pool.contents[code]):
            _move(pool.contents[code], need, left)
            taken.append(code)
        else:
            rest.append(code)
    return taken + _fill_empty(pool, taken, rest, left)


def _move(content: Mapping[int, int], need: dict[int, float], left: dict[int, int]) -> None:
    for target, count in content.items():
        need[target] -= count
        left[target] -= 1


def _fill_empty(pool: Pool, taken: Sequence[int], rest: list[int], left: dict[int, int]) -> list[int]:
    """The smallest group of every class that has groups to spare and of which none was taken."""
    filled = {target for code in taken for target in pool.contents[code]}
    extra: list[int] = []
    for code in sorted(rest, key=lambda code: sum(pool.contents[code].values())):
        content = pool.contents[code]
        if content.keys() - filled and all(left[target] > 1 for target in content):
            filled |= content.keys()
            extra.append(code)
            for target in content:
                left[target] -= 1
    return extra


def number_of_folds(class_groups: Mapping[int, int], at_most: int) -> int:
    """2 when the smallest class has fewer than 3 groups, else at most as many as it has groups."""
    smallest = min(class_groups.values())
    return 2 if smallest < 3 else min(at_most, smallest)


def split_into_folds(pool: Pool, folds: int) -> tuple[np.ndarray, tuple[int, ...]]:
    """Deals groups out to folds, the largest first, each to the fold that has least of its classes, then see `spread`.

    Returns:
        `[N]` int64 fold numbers, -1 for pictures that stay in training in every fold, and the targets of the classes
        that were too small to be split (fewer groups than two).
    """
    small = {target for target, count in pool.class_groups.items() if count < 2}
    may_move = [code for code in pool.order if not small & pool.contents[code].keys()]
    assigned = np.full(len(pool.order), -1, dtype=np.int64)
    held = [dict.fromkeys(pool.class_sizes, 0) for _ in range(folds)]
    totals = [0] * folds
    for code in sorted(may_move, key=lambda code: -sum(pool.contents[code].values())):
        content = pool.contents[code]
        fold = min(range(folds), key=lambda f: (_crowding(content, held[f], pool.class_sizes), totals[f], f))
        assigned[code] = fold
        totals[fold] += sum(content.values())
        for target, count in content.items():
            held[fold][target] += count
    assigned = spread(pool.contents, assigned, may_move, pool.class_groups.keys() - small, [1.0] * folds)
    return assigned[pool.groups], tuple(sorted(small))


def _crowding(content: Mapping[int, int], held: Mapping[int, int], sizes: Mapping[int, int]) -> float:
    """How much the squared shares of the group's classes grow in a fold that takes the group."""
    return sum(count * (count + 2 * held[target]) / sizes[target] for target, count in content.items())
