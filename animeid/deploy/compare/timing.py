"""Times of models that are measured in turn, over several rounds, and how far the rounds differ."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from animeid.deploy.compare.figures import Reading
from animeid.system.turns import Work, in_turn


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
    """Measures the same kinds of work of several models in turn, as `animeid.system.turns.in_turn` says."""
    found = in_turn(works, rounds, seconds, clock)
    return [{kind: Times(times) for kind, times in one.items()} for one in found]
