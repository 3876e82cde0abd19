"""Models side by side: everything that page and table say of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from animeid.deploy.compare.contender import Facts
from animeid.deploy.compare.figures import (
    EIGHT,
    EIGHT_FILES,
    F1,
    FIGURES,
    FIRST,
    MEMORY,
    MULTIPLY_ADDS,
    ONE,
    ONE_FILE,
    PARAMETERS,
    SIZE,
    THROUGHPUT,
    Figure,
    Reading,
    pareto_front,
    ranks,
)
from animeid.deploy.compare.fresh import Fresh
from animeid.deploy.compare.judging import Judged
from animeid.deploy.compare.stars import STARRED, stars
from animeid.deploy.compare.timing import Times
from animeid.metrics.paired import Difference

MANY = 32
"""Pictures that throughput is measured with."""
TIMED = {ONE.key: ONE, ONE_FILE.key: ONE_FILE, EIGHT.key: EIGHT, EIGHT_FILES.key: EIGHT_FILES}
"""Kinds of work whose milliseconds are figures."""


@dataclass(frozen=True, kw_only=True)
class Model:
    """One of the models.

    name, folder: what it is called, and where it lies. facts: what it is. judged: its figures. times: by the kind of
    work. fresh: of a process of its own. against_best: how its f1_macro differs from the best on the same pictures;
    None of the best, and where only figures are there.
    """

    name: str
    folder: str
    facts: Facts
    judged: Judged
    times: Mapping[str, Times]
    fresh: Fresh
    against_best: Difference | None

    @cached_property
    def row(self) -> dict[Figure, Reading | None]:
        """Its figures, in the order of `FIGURES`."""
        facts, million = self.facts, 1e6
        found: dict[Figure, Reading | None] = {
            F1: self.judged.measured("f1_macro"),
            SIZE: Reading.exact(facts.size_mb),
            PARAMETERS: Reading.exact(facts.parameters / million),
            MULTIPLY_ADDS: None if facts.multiply_adds is None else Reading.exact(facts.multiply_adds / million),
            MEMORY: Reading.exact(self.fresh.memory_mib),
            FIRST: Reading.exact(self.fresh.first_answer_s),
            THROUGHPUT: rate(self.times[THROUGHPUT.key].median, MANY),
        }
        for key, figure in TIMED.items():
            found[figure] = scaled(self.times[key].median, 1000) if key in self.times else None
        return {figure: found[figure] for figure in FIGURES}


def scaled(measured: Reading, factor: float) -> Reading:
    low, high = (None if end is None else factor * end for end in (measured.low, measured.high))
    return Reading(factor * measured.value, low, high)


def rate(seconds: Reading, pictures: int) -> Reading:
    """Pictures a second of so many pictures' seconds, whose shortest is the highest rate."""
    assert seconds.low is not None
    assert seconds.high is not None
    return Reading(pictures / seconds.value, pictures / seconds.high, pictures / seconds.low)


@dataclass(frozen=True)
class Comparison:
    """Models in the order of their accuracy."""

    models: Sequence[Model]

    def values(self, figure: Figure) -> list[Reading | None]:
        return [model.row[figure] for model in self.models]

    @property
    def ranks(self) -> list[int]:
        """By f1_macro; models whose intervals overlap are equal."""
        return ranks([model.judged.measured("f1_macro") for model in self.models], F1)

    @property
    def on_front(self) -> list[bool]:
        """Whether no other model is as accurate in less time for a picture, or more accurate in as much."""
        pairs = zip(self.values(ONE), self.values(F1), strict=True)
        return pareto_front([(time.value, accuracy.value) for time, accuracy in pairs if time and accuracy])

    @property
    def stars(self) -> dict[str, list[int | None]]:
        """By what they are for, one a model."""
        return {title: stars(self.values(figure), figure) for figure, title in STARRED.items()}

    def bests(self, figure: Figure) -> list[bool]:
        """Whether each model has the best of a figure, or one that is called equal to it."""
        values = self.values(figure)
        there = [value for value in values if value]
        return [value is not None and value.equals(figure.best(there)) for value in values]
