"""Jackknife: standard errors from leaving out one group at a time, which changes only the classes that it touches."""

from __future__ import annotations

import numpy as np

from animeid.metrics.figures import FigureSet
from animeid.metrics.functional import ClassCounts
from animeid.metrics.sums import GroupSums
from animeid.metrics.totals import ClassFigures, Totals


def jackknife_error(sums: GroupSums, figures: FigureSet) -> np.ndarray:
    """`[F]`: standard errors that are never too small on average (Efron and Stein 1981).

    Where leaving out a group leaves nothing of a figure, it changes nothing.
    """
    groups, classes, left, before = _left(sums)
    now, then = ClassFigures.of(left), ClassFigures.of(before)
    moved = Totals.terms(left, now).combined(Totals.terms(before, then), np.subtract)
    squares = [_of_whole(sums, figures, groups, classes, moved)]
    for name in figures.of_classes:
        change = np.nan_to_num(vars(now)[name] - vars(then)[name])
        squares.append(np.bincount(classes, change**2, minlength=sums.layout.num_classes))
    return np.sqrt((sums.num_groups - 1) / sums.num_groups * np.concatenate(squares))


def _left(sums: GroupSums) -> tuple[np.ndarray, np.ndarray, ClassCounts, ClassCounts]:
    """Groups and the classes that they touch, `[E]` each, with those classes' counts without the group, and with it."""
    classes = sums.layout.num_classes
    table = sums.table[:, : 3 * classes].tocoo()
    pairs, place = np.unique(table.row.astype(np.int64) * classes + table.col % classes, return_inverse=True)
    kind = table.col // classes
    own = np.bincount(3 * place + kind, table.data, minlength=3 * len(pairs)).reshape(-1, 3).T
    group, touched = np.divmod(pairs, classes)
    whole = np.stack(list(vars(sums.layout.counts(sums.total)).values()))[:, touched]
    return group, touched, ClassCounts(*(whole - own)), ClassCounts(*whole)


def _of_whole(
    sums: GroupSums, figures: FigureSet, groups: np.ndarray, classes: np.ndarray, moved: Totals
) -> np.ndarray:
    """`[len(figures.names)]`: summed squares of the changes; `moved` `[E]` is how each touched class's terms change."""
    counts = sums.layout.counts(sums.total)
    totals = Totals.terms(counts, ClassFigures.of(counts)).over(figures.kinds)
    rest = sums.layout.rest(sums.total)
    left = totals.combined(_by_group(moved, groups, figures.kinds[:, classes], sums.num_groups), np.add)
    own = sums.table[:, 3 * sums.layout.num_classes :].toarray()
    without = figures.whole(left, rest - own)
    return (np.nan_to_num(without - figures.whole(totals, rest)) ** 2).sum(axis=0)


def _by_group(moved: Totals, groups: np.ndarray, kinds: np.ndarray, num_groups: int) -> Totals:
    """`[G, M]`: terms `[E]` of groups `[E]` summed for each group over the kinds `[M, E]` that they belong to."""

    def summed(values: np.ndarray) -> np.ndarray:
        return np.stack([np.bincount(groups, values * kind, minlength=num_groups) for kind in kinds], axis=-1)

    return Totals(**{name: summed(values) for name, values in vars(moved).items()})
