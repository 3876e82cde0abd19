"""Stars: how near a model comes to the best of those that are compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from animeid.deploy.compare.figures import F1, MEMORY, ONE, SIZE, THROUGHPUT, Figure, Reading, gap

MOST = 5
POINTS = (0.01, 0.03, 0.06, 0.12)
"""How far behind the best f1_macro a model may be for five stars, four, three and two."""
RATIOS = (1.25, 2.0, 4.0, 8.0)
"""How many times the best time, size or memory it may take for the same; of a throughput, the best over its own."""
STARRED: Mapping[Figure, str] = {F1: "accuracy", ONE: "speed", THROUGHPUT: "throughput", SIZE: "size", MEMORY: "memory"}
"""The figures that get stars, and what their stars are called."""


def stars(values: Sequence[Reading | None], figure: Figure) -> list[int | None]:
    """The stars of each model, 1 to 5, in a figure of them all; None where a model has no such figure.

    The best has five, and so has every model whose interval says that it is equal (see `Reading.equals`).
    """
    there = [value for value in values if value is not None]
    if not there:
        return [None] * len(values)
    best = figure.best(there)
    return [None if value is None else _stars(value, best, figure) for value in values]


def _stars(value: Reading, best: Reading, figure: Figure) -> int:
    if value.equals(best) and (value.low, best.low) != (None, None):
        return MOST
    if figure is F1:
        return MOST - sum(gap(best, value) > limit for limit in POINTS)
    less, more = sorted((value.value, best.value))
    return MOST - sum(more > limit * less for limit in RATIOS)


def rule() -> str:
    """The rule in words."""
    points = ", ".join(f"{100 * limit:g}" for limit in POINTS)
    ratios = ", ".join(f"{limit:g}" for limit in RATIOS)
    return (
        "Five stars for the best model in a figure and for all that equal it. The others, in accuracy: five, four, "
        f"three and two stars for f1_macro at most {points} points behind the best, one beyond that. In speed (one "
        f"picture), throughput, size and memory: the same for at most {ratios} times the time, size or memory of the "
        "best, or that fraction of its throughput."
    )
