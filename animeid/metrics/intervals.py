"""95 % intervals from resampling groups: pictures of one group are not independent, groups are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.stats import norm
from scipy.stats import t as student

from animeid.metrics.sums import GroupSums

LEVEL = 0.95
RESAMPLES = 1000
SEED = 0
MIN_GROUPS = 5
LEAST_SPREAD = 1e-9
CHUNK_ENTRIES = 1_000_000

Values = Callable[[np.ndarray], np.ndarray]
"""Figures `[..., F]` of sums `[..., width]`."""


def _chunk(sums: GroupSums) -> int:
    return max(1, CHUNK_ENTRIES // max(sums.table.shape))


def resampled(sums: GroupSums, values: Values, resamples: int = RESAMPLES, seed: int = SEED) -> np.ndarray:
    """`[resamples, F]` float64: the figures of as many groups as there are, drawn with replacement (Efron 1979).

    The classes of a resample are those that were drawn.
    """
    generator = np.random.default_rng(seed)
    groups, step = sums.num_groups, _chunk(sums)
    rows = []
    for start in range(0, resamples, step):
        size = min(step, resamples - start)
        drawn = generator.integers(groups, size=(size, groups)) + groups * np.arange(size)[:, None]
        weights = np.bincount(drawn.ravel(), minlength=size * groups).reshape(size, groups)
        rows.append(values(sums.weighted(weights.astype(np.float64))))
    return np.concatenate(rows)


def jackknife_error(sums: GroupSums, values: Values) -> np.ndarray:
    """`[F]`: standard errors from leaving out one group at a time; never too small on average (Efron, Stein 1981)."""
    total, groups, step = sums.total, sums.num_groups, _chunk(sums)
    point = values(total)
    squares = np.zeros_like(point)
    for start in range(0, groups, step):
        change = values(total - sums.table[start : start + step].toarray()) - point
        squares += np.nan_to_num(change**2).sum(axis=0)
    return np.sqrt((groups - 1) / groups * squares)


def _mean_and_spread(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """`[F]` each: mean and standard deviation of the columns of `[R, F]`, NaN left out."""
    exists = ~np.isnan(values)
    count = np.maximum(exists.sum(axis=0), 1)
    mean = np.where(exists, values, 0).sum(axis=0) / count
    return mean, np.sqrt((np.where(exists, values - mean, 0) ** 2).sum(axis=0) / count)


def _quantiles(ordered: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """`[F]`: a level of each column of `[R, F]` values in ascending order, NaN last, linearly interpolated."""
    last = np.maximum((~np.isnan(ordered)).sum(axis=0) - 1, 0)
    position = levels * last
    below = np.floor(position).astype(np.int64)
    columns = np.arange(ordered.shape[1])
    low, high = ordered[below, columns], ordered[np.minimum(below + 1, last), columns]
    return low + (position - below) * (high - low)


def widening(groups: np.ndarray, spread: np.ndarray, error: np.ndarray) -> np.ndarray:
    """`[F]`: by how much the normal quantile of a percentile interval must grow.

    A bootstrap's spread is too small by sqrt((n - 1) / n) and ignores that it was itself estimated; hence Student's t
    (the expanded percentile interval of Hesterberg 2015, The American Statistician 69(4), section 5.3). With n groups
    in all but few in each class, a macro figure's spread is smaller still, since resampling a class of one or two
    groups hardly moves it; the jackknife's error sees that.
    """
    n = np.maximum(groups, 2)
    tail = (1 + LEVEL) / 2
    few = np.sqrt(n / (n - 1)) * student.ppf(tail, n - 1) / norm.ppf(tail)
    return few * np.maximum(1.0, error / spread)


@dataclass(frozen=True)
class Resampling:
    """What resampling told about F figures.

    point: `[F]`, the figures. ordered: `[R, F]`, those of the resamples in ascending order, NaN last. mean, spread:
    `[F]`, of the resamples. error: `[F]`, from the jackknife.
    """

    point: np.ndarray
    ordered: np.ndarray
    mean: np.ndarray
    spread: np.ndarray
    error: np.ndarray

    @classmethod
    def of(cls, sums: GroupSums, values: Values, resamples: int = RESAMPLES, seed: int = SEED) -> Resampling:
        ordered = np.sort(resampled(sums, values, resamples, seed), axis=0)
        return cls(values(sums.total), ordered, *_mean_and_spread(ordered), jackknife_error(sums, values))

    @property
    def differs(self) -> np.ndarray:
        """`[F]` bool: whether the figure exists, and the resamples are not all alike."""
        return ~np.isnan(self.point) & (self.spread > LEAST_SPREAD)

    def widening(self, groups: np.ndarray) -> np.ndarray:
        """`[F]`: see `widening`; `groups` `[F]` stand behind each figure."""
        return widening(groups, np.where(self.differs, self.spread, 1), self.error)


def intervals(sums: GroupSums, values: Values, groups: np.ndarray, moves: np.ndarray) -> np.ndarray:
    """95 % intervals `[F, 2]` of the figures of a part; NaN where one cannot be had honestly.

    Percentiles of the resampled figures, at levels widened for few groups, moved by the resamples' bias so that they
    stand around the figure and not beside it: resampling lowers a macro F1 and raises a calibration error. There is
    none under 5 groups, nor where the resamples do not differ (all right, or all wrong, says little about the rest).

    Args:
        groups: `[F]`, the groups behind each figure.
        moves: `[F]`, how many times the bias is taken off.
    """
    if sums.num_groups < MIN_GROUPS:
        return np.full((len(moves), 2), np.nan)
    return ends(Resampling.of(sums, values), groups, moves)


def ends(found: Resampling, groups: np.ndarray, moves: np.ndarray) -> np.ndarray:
    """The intervals `[F, 2]` of a resampling; see `intervals`."""
    tails = norm.sf(norm.ppf((1 + LEVEL) / 2) * found.widening(groups))
    quantiles = np.stack([_quantiles(found.ordered, tails), _quantiles(found.ordered, 1 - tails)], axis=1)
    usable = (groups >= MIN_GROUPS) & found.differs
    return np.where(usable[:, None], quantiles - (moves * (found.mean - found.point))[:, None], np.nan)
