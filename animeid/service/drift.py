"""How far the answers of late are from those on the pictures that an artefact was judged by."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

WINDOW = 1000
"""Answers that are looked at."""
FEWEST = 200
"""With fewer answers nothing is said."""
GROUPS = 10
"""Groups of classes, of about equal shares: a share of a class alone would rest on too few pictures."""
ALARM = 0.25
"""A population stability index above this is taken for a shift, wherever the index is used."""
LEAST = 0.5
"""What a bin without a picture counts, so that the index is finite."""


def stability(expected: np.ndarray, found: np.ndarray) -> float:
    """Population stability index of counts `[B]` and `[B]`, less what chance alone would make of it.

    The sum over bins of (f - e) ln(f / e), of shares. Of two samples of one population with n and m pictures it is
    (B - 1) (1 / n + 1 / m) in the mean, as the chi-squared statistics that it approaches.
    """
    shares = [np.maximum(counts, LEAST) / np.maximum(counts, LEAST).sum() for counts in (expected, found)]
    index = float(((shares[1] - shares[0]) * np.log(shares[1] / shares[0])).sum())
    chance = (len(expected) - 1) * (1 / max(expected.sum(), 1) + 1 / max(found.sum(), 1))
    return max(0.0, index - chance)


def groups(counts: np.ndarray) -> np.ndarray:
    """`[C]` int64: the group of each class, of at most `GROUPS` with about equal sums, the commonest classes first."""
    order = np.argsort(-counts, kind="stable")
    shares = counts[order]
    middle = (np.cumsum(shares) - shares / 2) / max(shares.sum(), 1e-12)
    found = np.empty(len(order), np.int64)
    found[order] = np.minimum((middle * GROUPS).astype(np.int64), GROUPS - 1)
    return np.unique(found, return_inverse=True)[1]


@dataclass(frozen=True)
class Expected:
    """Answers to the judged pictures.

    confidence: `[B]` how many had their likeliest name's probability in each of B equal parts of 0 to 1.
    characters: `[C]` how many got each name.
    """

    confidence: np.ndarray
    characters: np.ndarray

    @classmethod
    def of(cls, plain: Mapping[str, Any] | None) -> Expected | None:
        """The `answers` of an artefact's `metrics.json`; None where it has none."""
        if plain is None:
            return None
        return cls(np.array(plain["confidence"], np.float64), np.array(plain["characters"], np.float64))


class Drift:
    """The answers of late of one version.

    Args:
        expected: of the judged pictures.
    """

    def __init__(self, expected: Expected) -> None:
        self._expected = expected
        self._groups = groups(expected.characters)
        self._seen: deque[tuple[float, int]] = deque(maxlen=WINDOW)

    def see(self, confidence: float, target: int) -> None:
        """An answer: the probability of the likeliest name, and its class."""
        self._seen.append((confidence, target))

    def measured(self) -> dict[str, float]:
        """The index of `confidence` and of `characters`; nothing where too little was seen."""
        if len(self._seen) < FEWEST:
            return {}
        confidences, targets = (np.array(column) for column in zip(*self._seen, strict=True))
        bins = len(self._expected.confidence)
        places = np.minimum((confidences * bins).astype(np.int64), bins - 1)
        expected = np.bincount(self._groups, self._expected.characters)
        return {
            "confidence": stability(self._expected.confidence, np.bincount(places, minlength=bins)),
            "characters": stability(expected, np.bincount(self._groups[targets], minlength=len(expected))),
        }
