"""The score test of a paired difference: its p, and the interval of all differences that it does not refuse."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri

from animeid.metrics.intervals import LEVEL

QUANTILE = float(ndtri((1 + LEVEL) / 2))
NEAR = 1e-9


@dataclass(frozen=True)
class Shares:
    """What each of N pictures gives to the difference of two figures.

    given: `[N]`, sums to the difference; 0 where the models agree. weights: `[N]`, what a picture counts in a figure;
    sums to 1. groups: `[N]` int64, the number of each picture's group.
    """

    given: np.ndarray
    weights: np.ndarray
    groups: np.ndarray

    @property
    def difference(self) -> float:
        return math.fsum(self.given)

    def variance(self) -> Callable[[float], float]:
        """The variance of the difference, were the true one `delta`.

        Of single pictures it is Tango's, of the likeliest shares with that difference. Those of figures that do not
        count all pictures alike have many sizes: they count as the equal ones with the same sum and the same squares.
        It is multiplied by how much more groups vary about `delta` than pictures by themselves would (a design effect:
        Rao and Scott 1992, Biometrics 48, 577-585), 1 at least. At 0 that is the test of Durkalski 2003, Statistics in
        Medicine 22, 2417-2428, and of McNemar 1947 where each picture is its own group.
        """
        given, weights = (np.bincount(self.groups, values) for values in (self.given, self.weights))
        pictures, groups = _about(self.given, self.weights), _about(given, weights)
        unit = float((self.given**2).sum() / np.abs(self.given).sum())
        more, less = (float(side.sum()) / unit for side in (self.given.clip(min=0), -self.given.clip(max=0)))
        single, count = tango(more, less, len(self.given)), len(self.given)

        def variance(delta: float) -> float:
            alone = pictures(delta)
            effect = max(1.0, groups(delta) / alone) if alone > 0 else 1.0
            return effect * (unit * count) ** 2 * single(delta / (unit * count))

        return variance


def _about(given: np.ndarray, weights: np.ndarray) -> Callable[[float], float]:
    """The sum of squares about a mean of `delta`."""
    own, both, weight = float(given @ given), float(given @ weights), float(weights @ weights)
    return lambda delta: max(0.0, own - 2 * delta * both + delta**2 * weight)


def tango(more: float, less: float, count: int) -> Callable[[float], float]:
    """The variance of a difference of two paired shares, were it `delta`: Tango 1998, Statistics in Medicine 17, 891.

    Args:
        more, less: pictures that only the first, only the other has right.
        count: of all pictures.
    """

    def variance(delta: float) -> float:
        linear = (2 * count - more + less) * delta - more - less
        root = math.sqrt(max(0.0, linear**2 + 8 * count * less * delta * (1 - delta)))
        only_other = (root - linear) / (4 * count)
        return max(0.0, 2 * only_other + delta * (1 - delta)) / count

    return variance


def p_value(shares: Shares) -> float:
    """Two-sided, of no difference; some pictures must have a share."""
    return float(2 * ndtr(-abs(shares.difference) / math.sqrt(shares.variance()(0.0))))


def score_interval(shares: Shares) -> tuple[float, float]:
    """The ends of the differences that the test does not refuse at 5 %; 0 is outside where `p_value` is below 0.05."""
    turned = shares.difference < 0
    found = abs(shares.difference)
    one_way = Shares(-shares.given, shares.weights, shares.groups) if turned else shares
    variance = one_way.variance()

    def refused(delta: float) -> float:
        return (found - delta) ** 2 - QUANTILE**2 * variance(delta)

    furthest = float((one_way.given**2).sum() / np.abs(one_way.given).sum() * len(one_way.given))
    short = NEAR * furthest
    low = _crossing(refused, found - short, 0.0 if refused(0.0) > 0 else -furthest)
    high = _crossing(refused, found + short, furthest) if found + short < furthest else furthest
    low, high = max(-1.0, low), min(1.0, high)
    return (-high, -low) if turned else (low, high)


def _crossing(refused: Callable[[float], float], held: float, outside: float) -> float:
    """Where the differences end that are not refused, between one that is held and one that may not be."""
    return float(brentq(refused, held, outside)) if refused(outside) > 0 > refused(held) else outside
