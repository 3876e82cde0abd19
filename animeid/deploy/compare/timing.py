"""Times of models that are measured in turn, over several rounds, and how far the rounds differ."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from animeid.deploy.compare.figures import Reading
from animeid.system.progress import progress

FEWEST = 3
"""Answers of a model in a round, however long they take."""

Work = Callable[[], object]
"""Answers once; it has ended when the answer is there."""


@dataclass(frozen=True)
class Times:
    """Seconds of single answers, an array a round.

    rounds: in their order; the warm-up is none of them.
    """

    rounds: tuple[np.ndarray, ...]

    @property
    def medians(self) -> np.ndarray:
        """`[R]` seconds, one a round."""
        return np.array([np.median(times) for times in self.rounds])

    @property
    def median(self) -> Reading:
        """Seconds, over all answers; its interval reaches from the fastest round's median to the slowest's."""
        middle = float(np.median(np.concatenate(self.rounds)))
        return Reading(middle, min(middle, float(self.medians.min())), max(middle, float(self.medians.max())))

    @property
    def p90(self) -> float:
        """Seconds that nine answers of ten do not exceed."""
        return float(np.quantile(np.concatenate(self.rounds), 0.9))

    @property
    def spread(self) -> float:
        """How far the rounds' medians lie apart, as a share of the median."""
        return float(np.ptp(self.medians)) / self.median.value


def measure(
    works: Sequence[Mapping[str, Work]], rounds: int, seconds: float, clock: Callable[[], float] = time.perf_counter
) -> list[dict[str, Times]]:
    """Measures the same kinds of work of several models in turn.

    In every round each kind is done by all models, one after the other, so that what slows the machine for a while
    slows all; who begins changes from round to round. A round before the first warms up and is not counted.

    Args:
        works: what each model does, by its kind; a model may lack a kind.
        rounds: that count.
        seconds: that a model spends on a kind in a round, and on more than that only until it has answered `FEWEST`
            times.
        clock: seconds.
    """
    kinds = list(dict.fromkeys(kind for work in works for kind in work))
    found: list[dict[str, list[np.ndarray]]] = [{kind: [] for kind in work} for work in works]
    turns = [
        (number, kind, (number + place) % len(works))
        for number in range(rounds + 1)
        for kind in kinds
        for place in range(len(works))
    ]
    for number, kind, model in progress(turns, len(turns), "measuring"):
        if kind not in works[model]:
            continue
        times = _answers(works[model][kind], seconds, clock)
        if number:
            found[model][kind].append(times)
    return [{kind: Times(tuple(times)) for kind, times in one.items()} for one in found]


def _answers(work: Work, seconds: float, clock: Callable[[], float]) -> np.ndarray:
    times: list[float] = []
    began = last = clock()
    while len(times) < FEWEST or last - began < seconds:
        work()
        now = clock()
        times.append(now - last)
        last = now
    return np.array(times)
