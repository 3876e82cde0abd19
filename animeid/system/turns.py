"""Times of several works that take turns, over several rounds."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from animeid.system.progress import progress

FEWEST = 3
"""Answers of a model in a round, however long they take."""

Work = Callable[[], object]
"""Answers once; it has ended when the answer is there."""


def in_turn(
    works: Sequence[Mapping[str, Work]], rounds: int, seconds: float, clock: Callable[[], float] = time.perf_counter
) -> list[dict[str, tuple[np.ndarray, ...]]]:
    """The seconds of single answers of several models, by the kind of work, an array a round.

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
    found: list[dict[str, tuple[np.ndarray, ...]]] = [dict.fromkeys(work, ()) for work in works]
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
            found[model][kind] += (times,)
    return found


def _answers(work: Work, seconds: float, clock: Callable[[], float]) -> np.ndarray:
    times: list[float] = []
    began = last = clock()
    while len(times) < FEWEST or last - began < seconds:
        work()
        now = clock()
        times.append(now - last)
        last = now
    return np.array(times)
