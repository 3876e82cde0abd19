"""Ranks, the Pareto front and stars, each against a version that asks every pair."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from animeid.deploy.compare.figures import F1, FIGURES, ONE, SIZE, THROUGHPUT, Figure, Reading, pareto_front, ranks
from animeid.deploy.compare.stars import rule, stars

NUMBERS = st.integers(1, 12).map(float)
POINTS = st.lists(st.tuples(NUMBERS, NUMBERS), max_size=12)


@st.composite
def measured(draw: st.DrawFn) -> Reading:
    low, value, high = sorted(draw(st.tuples(NUMBERS, NUMBERS, NUMBERS)))
    return Reading(value, low, high) if draw(st.booleans()) else Reading(value, None, None)


def overlap(one: Reading, other: Reading) -> bool:
    """Whether some number of a fine grid lies in both; a value without interval is an interval of itself."""
    if one.low is None and other.low is None:
        return True
    grid = np.arange(0, 14, 0.25)
    inside = [
        (grid >= (each.value if each.low is None else each.low))
        & (grid <= (each.value if each.high is None else each.high))
        for each in (one, other)
    ]
    return bool((inside[0] & inside[1]).any())


@given(POINTS)
def test_the_front_is_what_no_other_point_beats(points: list[tuple[float, float]]) -> None:
    beaten = [any(a <= cost and b >= gain and (a < cost or b > gain) for a, b in points) for cost, gain in points]
    assert pareto_front(points) == [not one for one in beaten]


def test_equal_points_are_on_the_front_together() -> None:
    assert pareto_front([(2.0, 5.0), (1.0, 3.0), (2.0, 5.0), (2.0, 4.0), (3.0, 5.0)]) == [
        True,
        True,
        True,
        False,
        False,
    ]


@given(measured(), measured())
def test_models_are_equal_whose_intervals_overlap(one: Reading, other: Reading) -> None:
    assert one.equals(other) == other.equals(one) == overlap(one, other)


@given(st.lists(measured(), max_size=8), st.sampled_from(FIGURES))
def test_a_rank_counts_who_is_clearly_better(values: list[Reading], figure: Figure) -> None:
    expected = []
    for one in values:
        rank = 1
        for other in values:
            is_above = other.value > one.value if figure.higher_is_better else other.value < one.value
            rank += is_above and not overlap(one, other)
        expected.append(rank)
    assert ranks(values, figure) == expected


def exact(*values: float) -> list[Reading | None]:
    return [Reading.exact(value) for value in values]


@pytest.mark.parametrize(
    ("values", "figure", "expected"),
    [
        # One point, three, six and twelve behind the best still have the stars of those, a little more has not.
        (exact(0.8, 0.79, 0.77, 0.74, 0.68, 0.67), F1, [5, 5, 4, 3, 2, 1]),
        (exact(10, 12.5, 20, 40, 80, 80.1), ONE, [5, 5, 4, 3, 2, 1]),
        (exact(100, 80, 50, 25, 12.5, 12.4), THROUGHPUT, [5, 5, 4, 3, 2, 1]),
        ([Reading.exact(1.0), None], SIZE, [5, None]),
        ([None], SIZE, [None]),
        # Who is equal to the best by the intervals has its stars.
        ([Reading(0.8, 0.6, 0.9), Reading(0.65, 0.6, 0.7), Reading(0.5, 0.4, 0.55)], F1, [5, 5, 1]),
        ([Reading(1.0, 0.9, 3.0), Reading(3.1, 2.9, 3.2)], ONE, [5, 5]),
        # Without any interval values alone speak.
        ([Reading(0.8, None, None), Reading(0.65, None, None)], F1, [5, 1]),
    ],
)
def test_stars(values: list[Reading | None], figure: Figure, expected: list[int | None]) -> None:
    assert stars(values, figure) == expected


@given(st.lists(measured(), min_size=1, max_size=6), st.sampled_from([F1, ONE, SIZE, THROUGHPUT]))
def test_stars_follow_the_rule_as_it_is_written(values: list[Reading], figure: Figure) -> None:
    if figure is F1:
        values = [Reading(*(None if one is None else one / 100 for one in each)) for each in values]  # type: ignore[arg-type]
    found, order = stars(values, figure), sorted(each.value for each in values)
    best = values[[each.value for each in values].index(order[-1 if figure.higher_is_better else 0])]
    for one, given_stars in zip(values, found, strict=True):
        expected = 1
        for number, points, times in ((2, 12, 8), (3, 6, 4), (4, 3, 2), (5, 1, 1.25)):
            near = round(100 * (best.value - one.value), 6) <= points
            little = max(one.value, best.value) <= times * min(one.value, best.value)
            expected = number if (near if figure is F1 else little) else expected
        has_interval = one.low is not None or best.low is not None
        is_equal = has_interval and one.ends[0] <= best.ends[1] and best.ends[0] <= one.ends[1]
        assert given_stars == (5 if is_equal else expected)


def test_the_rule_names_its_limits() -> None:
    assert "at most 1, 3, 6, 12 points" in rule()
    assert "at most 1.25, 2, 4, 8 times" in rule()
