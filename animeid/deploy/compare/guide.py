"""Which model to take for what, and the numbers that this rests on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from animeid.deploy.compare.figures import (
    F1,
    MEMORY,
    MULTIPLY_ADDS,
    ONE,
    ONE_FILE,
    SIZE,
    THROUGHPUT,
    Figure,
    Reading,
    gap,
)

BEHIND = 0.03
"""How far behind the best f1_macro a model may be that is taken for what else it is good at."""

Row = Mapping[Figure, Reading | None]
"""A model's figures; None where it has none."""


IN_WORDS: Mapping[Figure, str] = {
    F1: "the most accurate",
    ONE: "the quickest answer to a picture",
    ONE_FILE: "the quickest from file to answer",
    THROUGHPUT: "the highest throughput",
    SIZE: "the smallest",
}
"""The best of each figure that decides, in words."""


class Need(NamedTuple):
    """What a model is wanted for.

    title: what it is called. figures: what decides among the accurate, the second where the first was not measured.
    also: figures that the advice names besides.
    """

    title: str
    figures: tuple[Figure, ...]
    also: tuple[Figure, ...]


NEEDS = (
    Need("best accuracy", (F1,), (ONE, SIZE)),
    Need("web service, a picture at a time", (ONE_FILE, ONE), (F1, MEMORY)),
    Need("server, many pictures", (THROUGHPUT,), (F1, MEMORY)),
    Need("phone", (SIZE,), (F1, MULTIPLY_ADDS)),
)


class Advice(NamedTuple):
    """The model for a need.

    need: what for. figure: what decided. model: its place among the rows. equals: places of those that are called equal
    to it in what decided. admitted: how many models were near enough to the best f1_macro to be asked. numbers: the
    figures of the model that this rests on.
    """

    need: Need
    figure: Figure
    model: int
    equals: tuple[int, ...]
    admitted: int
    numbers: dict[Figure, Reading]


def advise(rows: Sequence[Row], needs: Sequence[Need] = NEEDS) -> list[Advice]:
    """The best model of each need among those at most `BEHIND` behind the best f1_macro.

    Needs that nothing was measured for are left out.
    """
    accuracy = [row[F1] for row in rows]
    best = F1.best([measured for measured in accuracy if measured])
    near = [place for place, measured in enumerate(accuracy) if measured and gap(best, measured) <= BEHIND]
    found = []
    for need in needs:
        decides = next((figure for figure in need.figures if all(rows[place].get(figure) for place in near)), None)
        if decides is not None:
            found.append(_advice(rows, need, decides, range(len(rows)) if decides is F1 else near))
    return found


def _advice(rows: Sequence[Row], need: Need, figure: Figure, places: Sequence[int]) -> Advice:
    values = {place: value for place in places if (value := rows[place][figure])}
    best = figure.best(list(values.values()))
    model = next(place for place, value in values.items() if value == best)
    equals = tuple(place for place, value in values.items() if place != model and value.equals(best))
    numbers = {one: value for one in (figure, *need.also) if (value := rows[model].get(one))}
    return Advice(need, figure, model, equals, len(places), numbers)
