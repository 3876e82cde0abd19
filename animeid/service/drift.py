"""How far the answers of late are from those on the pictures that an artefact was judged by."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from animeid.service.window import Window

FEWEST = 200
"""With fewer answers nothing is said."""
GROUPS = 10
"""So many groups of classes have about equal shares; a share of a class alone would rest on too few pictures."""
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
    distance: `[E + 1]` how many were so far from the nearest class mean, between and beyond `edges` `[E]`; None where
        the artefact carries no means.
    """

    confidence: np.ndarray
    characters: np.ndarray
    edges: np.ndarray
    distance: np.ndarray | None

    @classmethod
    def of(cls, plain: Mapping[str, Any] | None) -> Expected | None:
        """The `answers` of an artefact's `metrics.json`; None where it has none."""
        if plain is None:
            return None
        far = plain.get("distance")
        return cls(
            np.array(plain["confidence"], np.float64),
            np.array(plain["characters"], np.float64),
            np.array(far["edges"] if far else [], np.float32),
            np.array(far["counts"], np.float64) if far else None,
        )

    @property
    def watched(self) -> tuple[str, ...]:
        """What later answers are compared in."""
        return ("confidence", "characters") if self.distance is None else ("confidence", "characters", "distance")


def unwatched(metrics: Mapping[str, Any] | None) -> str:
    """What of an artefact's answers is not watched, and why, by its `metrics.json`; or ""."""
    plain = (metrics or {}).get("answers")
    if plain is None:
        return "nothing says what its answers to judged pictures were like, so that no drift is seen: export it again"
    if "distance" in plain:
        return ""
    reason = plain.get("no_distance", "it was exported before they travelled: export it again")
    return f"the distance of embeddings to class means is not watched, for {reason}"


class Drift:
    """The answers of late of one version.

    Args:
        expected: of the judged pictures.
        window: what was seen.
    """

    def __init__(self, expected: Expected, window: Window) -> None:
        self.expected, self._window = expected, window
        self._groups = groups(expected.characters)

    def see(self, confidence: float, target: int, distance: float | None) -> None:
        """An answer: the probability of the likeliest name, its class, and how far the nearest class mean is."""
        self._window.add(confidence, target, math.nan if distance is None else distance)

    def measured(self) -> dict[str, float]:
        """The index of all that is `watched`; nothing where too little was seen."""
        seen = self._window.rows()
        if len(seen) < FEWEST:
            return {}
        bins = len(self.expected.confidence)
        places = np.minimum((seen["confidence"] * bins).astype(np.int64), bins - 1)
        expected = np.bincount(self._groups, self.expected.characters)
        found = {
            "confidence": stability(self.expected.confidence, np.bincount(places, minlength=bins)),
            "characters": stability(expected, np.bincount(self._groups[seen["target"]], minlength=len(expected))),
        }
        if self.expected.distance is None:
            return found
        parts = np.searchsorted(self.expected.edges, seen["distance"], side="right")
        counts = np.bincount(parts, minlength=len(self.expected.distance))
        return {**found, "distance": stability(self.expected.distance, counts)}
