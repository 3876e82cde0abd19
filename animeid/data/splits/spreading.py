"""Groups that hold several classes: moved until every class is in every part, or in as many as can be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence, Set

import numpy as np
from scipy.sparse import coo_array

LARGEST = 20_000
"""So many groups at most are moved at once, which takes some seconds; of more, the others are moved after them."""

Contents = Sequence[Mapping[int, int]]
"""For each group, its pictures a class."""


def lacking(
    contents: Contents, places: np.ndarray, classes: Set[int], weights: Sequence[float]
) -> set[tuple[int, int]]:
    """Pairs (class, place) without a group; places count from 0, one for each weight."""
    held = {(target, int(place)) for content, place in zip(contents, places, strict=True) for target in content}
    return {(target, place) for target in classes for place in range(len(weights)) if (target, place) not in held}


def spread(
    contents: Contents, places: np.ndarray, order: Sequence[int], classes: Set[int], weights: Sequence[float]
) -> np.ndarray:
    """Moves groups so that as few classes as possible lack a place, and of such ways as few pictures as possible.

    Where nothing is lacking, nothing moves. Else only groups of the classes that lack a place move, and further ones
    with which they share groups where that is not enough, so that most pictures stay where they are.

    Args:
        contents: of each group.
        places: `[G]` int64, the place of each group; -1 for one that is in none.
        order: the groups that may move, in an order that depends on what is in them only.
        classes: those that are to be in every place.
        weights: how bad it is to lack each place.

    Returns:
        `[G]` int64 places.
    """
    missing = lacking(contents, places, classes, weights)
    touched: set[int] = {target for target, _ in missing}
    while missing:
        near = [code for code in order if touched & contents[code].keys()]
        wider = {target for code in near for target in contents[code]} & classes
        chosen = _movable(contents, near, len(weights))
        for start in range(0, len(chosen), LARGEST):
            places = _solved(contents, places, chosen[start : start + LARGEST], wider, weights)
            missing = lacking(contents, places, classes, weights)
            if not missing:
                break
        if wider <= touched:
            break
        touched |= wider
    return places


def _movable(contents: Contents, near: Sequence[int], count: int) -> list[int]:
    """Of groups with the same classes, one for each place: no way of moving more of them fills more places."""
    seen: Counter[frozenset[int]] = Counter()
    chosen = []
    for code in near:
        kind = frozenset(contents[code])
        if seen[kind] < count:
            chosen.append(code)
            seen[kind] += 1
    return chosen


def _solved(
    contents: Contents, places: np.ndarray, chosen: Sequence[int], classes: Set[int], weights: Sequence[float]
) -> np.ndarray:
    """The best places of the chosen groups, all others staying: a mixed-integer linear programme.

    x[g, p] says that group g is in place p, z[c, p] that class c lacks it; every class has z + sum of x >= 1 in every
    place that no other group fills. Minimised are the weights of z, and after them the share of pictures that move.
    """
    from scipy.optimize import Bounds, LinearConstraint, milp  # only pools with such groups wait for it

    count, others = len(weights), np.array(places)
    others[list(chosen)] = -1
    open_ = sorted(lacking(contents, others, classes, weights))
    place_of = {pair: len(chosen) * count + number for number, pair in enumerate(open_)}
    width = len(chosen) * count + len(open_)
    one_place = coo_array(
        (np.ones(len(chosen) * count), (np.repeat(np.arange(len(chosen)), count), np.arange(len(chosen) * count))),
        shape=(len(chosen), width),
    )
    entries = [(number, place_of[pair]) for number, pair in enumerate(open_)]
    rows = {pair: number for number, pair in enumerate(open_)}
    for number, code in enumerate(chosen):
        for target in contents[code]:
            entries += [
                (rows[target, place], number * count + place) for place in range(count) if (target, place) in rows
            ]
    filled = coo_array((np.ones(len(entries)), tuple(np.array(entries).T)), shape=(len(open_), width))
    sizes = np.array([sum(contents[code].values()) for code in chosen], dtype=np.float64)
    moved = np.repeat(sizes / sizes.sum(), count)
    moved[np.arange(len(chosen)) * count + places[list(chosen)]] = 0
    worth = np.array([weights[place] for _, place in open_])
    found = milp(
        np.concatenate([moved, 2 * worth]),
        constraints=[LinearConstraint(one_place.tocsr(), 1, 1), LinearConstraint(filled.tocsr(), 1, np.inf)],
        integrality=np.concatenate([np.ones(len(moved)), np.zeros(len(open_))]),
        bounds=Bounds(0, 1),
        options={"node_limit": 2000},
    )
    if found.x is None:
        return places
    solved = np.array(places)
    solved[list(chosen)] = found.x[: len(moved)].reshape(len(chosen), count).argmax(axis=1)
    return solved
