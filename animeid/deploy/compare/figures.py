"""The figures by which models are compared: values with intervals, ranks, and the Pareto front."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Self


class Reading(NamedTuple):
    """A figure of a model.

    low, high: the ends of its interval; None where it cannot be had honestly.
    """

    value: float
    low: float | None
    high: float | None

    @classmethod
    def exact(cls, value: float) -> Self:
        """A figure that is counted, not measured."""
        return cls(value, value, value)

    def equals(self, other: Reading) -> bool:
        """Whether the intervals overlap, so that the models are called equal.

        A value without interval must lie in the other's; two without are told apart by nothing.
        """
        if self.low is None and other.low is None:
            return True
        (low, high), (its_low, its_high) = self.ends, other.ends
        return low <= its_high and its_low <= high

    @property
    def ends(self) -> tuple[float, float]:
        """Of the interval; the value itself without one."""
        return (self.value, self.value) if self.low is None or self.high is None else (self.low, self.high)


@dataclass(frozen=True)
class Figure:
    """What is compared.

    key: in the table of figures. title: on the page. unit: behind a value. higher_is_better: or lower is.
    words: what it is.
    """

    key: str
    title: str
    unit: str
    higher_is_better: bool
    words: str

    def is_better(self, one: float, other: float) -> bool:
        return one > other if self.higher_is_better else one < other

    def best(self, values: Sequence[Reading]) -> Reading:
        """The best of the values, the first of several that are as good."""
        return (max if self.higher_is_better else min)(values, key=lambda measured: measured.value)


F1 = Figure("f1_macro", "f1_macro", "%", True, "mean over the classes of F1 on the judged pictures")
ONE = Figure("one_ms", "one picture", "ms", False, "median time of one answer, from the resized picture in memory")
ONE_FILE = Figure("one_file_ms", "one file", "ms", False, "the same from the file: reading and resizing included")
EIGHT = Figure("eight_ms", "eight pictures", "ms", False, "median time of one answer to eight pictures together")
EIGHT_FILES = Figure("eight_files_ms", "eight files", "ms", False, "the same from files")
THROUGHPUT = Figure("images_per_s", "throughput", "pictures/s", True, "resized pictures answered in batches of 32")
SIZE = Figure("size_mb", "size", "MB", False, "of the files that answering needs")
MEMORY = Figure("memory_mib", "memory", "MiB", False, "peak of a fresh process that answers one picture and then eight")
PARAMETERS = Figure("parameters", "parameters", "million", False, "numbers that were learnt")
MULTIPLY_ADDS = Figure("multiply_adds", "multiply-adds", "million", False, "of one picture")
FIRST = Figure("first_answer_s", "first answer", "s", False, "from starting a process to its first answer")

FIGURES = (F1, ONE, ONE_FILE, EIGHT, EIGHT_FILES, THROUGHPUT, SIZE, PARAMETERS, MULTIPLY_ADDS, MEMORY, FIRST)


def gap(best: Reading, other: Reading) -> float:
    """How far apart two values are, without what rounding adds: 0.80 is 0.03 from 0.77."""
    return round(abs(best.value - other.value), 9)


def ranks(values: Sequence[Reading], figure: Figure) -> list[int]:
    """The rank of each: 1 and how many are better with an interval that does not reach it.

    Models whose intervals overlap are equal, and so no model is put behind one that it equals.
    """
    return [
        1 + sum(figure.is_better(other.value, one.value) and not one.equals(other) for other in values)
        for one in values
    ]


def pareto_front(points: Sequence[tuple[float, float]]) -> list[bool]:
    """Whether no other point has less of the first (a cost) and no less of the second (a gain), or more for no more.

    Equal points lie on the front together.
    """
    order = sorted(range(len(points)), key=lambda place: (points[place][0], -points[place][1]))
    on_front = [False] * len(points)
    best: tuple[float, float] | None = None
    for place in order:
        if best is None or points[place][1] > best[1] or points[place] == best:
            best, on_front[place] = points[place], True
    return on_front
