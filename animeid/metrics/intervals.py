"""95 % intervals from resampling groups: pictures of one group are not independent, groups are."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import norm
from scipy.stats import t as student

from animeid.metrics.figures import FigureSet
from animeid.metrics.leaving_out import jackknife_error
from animeid.metrics.sums import GroupSums
from animeid.predictions import row_blocks

LEVEL = 0.95
RESAMPLES = 1000
SEED = 0
MIN_GROUPS = 5
LEAST_SPREAD = 1e-9
CHUNK_ENTRIES = 4_000_000
"""Draws of groups, or sums of classes, that are worked on at once."""

Values = Callable[[np.ndarray], np.ndarray]
"""Figures `[..., F]` of sums `[..., width]`."""


def draws(groups: int, step: int, resamples: int = RESAMPLES, seed: int = SEED) -> Iterator[np.ndarray]:
    """Blocks `[step, groups]` float64 of how often each of so many groups is drawn, as many with replacement.

    The same, however large the blocks.
    """
    generator = np.random.default_rng(seed)
    for start in range(0, resamples, step):
        size = min(step, resamples - start)
        counts = np.empty((groups, size))
        # One resample after the other: the counts of all together would not stay in the processor's cache.
        for place, drawn in enumerate(generator.integers(groups, size=(size, groups))):
            counts[:, place] = np.bincount(drawn, minlength=groups)
        yield counts.T


def resampled(
    several: Sequence[tuple[GroupSums, Values]], resamples: int = RESAMPLES, seed: int = SEED
) -> list[np.ndarray]:
    """`[resamples, F]` float64 each: figures of as many groups as there are, drawn with replacement (Efron 1979).

    The classes of a resample are those that were drawn.

    Args:
        several: sums over the same G groups, and the figures of each; all see the same draws.
    """
    step = max(1, CHUNK_ENTRIES // max(max(sums.table.shape) for sums, _ in several))
    found = [np.empty((resamples, len(values(sums.total)))) for sums, values in several]
    done = 0
    for weights in draws(several[0][0].num_groups, step, resamples, seed):
        for (sums, values), rows in zip(several, found, strict=True):
            rows[done : done + len(weights)] = values(sums.weighted(weights))
        done += len(weights)
    return found


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
    def of(cls, point: np.ndarray, drawn: np.ndarray, error: np.ndarray) -> Resampling:
        """Of the figures of R resamples, `drawn` `[R, F]`."""
        ordered = np.sort(np.asfortranarray(drawn), axis=0)
        return cls(point, ordered, *_mean_and_spread(ordered), error)

    @property
    def differs(self) -> np.ndarray:
        """`[F]` bool: whether the figure exists, and the resamples are not all alike."""
        return ~np.isnan(self.point) & (self.spread > LEAST_SPREAD)

    def widening(self, groups: np.ndarray) -> np.ndarray:
        """`[F]`: see `widening`; `groups` `[F]` stand behind each figure."""
        return widening(groups, np.where(self.differs, self.spread, 1), self.error)


def intervals(sums: GroupSums, figures: FigureSet) -> np.ndarray:
    """95 % intervals `[F, 2]` of the figures of a part; NaN where one cannot be had honestly.

    Percentiles of the resampled figures, at levels widened for few groups, moved by the resamples' bias so that they
    stand around the figure and not beside it: resampling lowers a macro F1 and raises a calibration error. But for that
    of a calibration error, an interval holds its figure even where nearly all resamples agree. There is none under 5
    groups, nor where the resamples do not differ (all right, or all wrong, says little about the rest).
    """
    return intervals_of_several([(sums, figures)])[0]


def intervals_of_several(several: Sequence[tuple[GroupSums, FigureSet]]) -> list[np.ndarray]:
    """`intervals` of sums over the same groups, from the same draws."""
    if several[0][0].num_groups < MIN_GROUPS:
        return [np.full((len(figures.moves()), 2), np.nan) for _, figures in several]
    found = resampled([(sums, figures.values) for sums, figures in several])
    return [_ends(sums, figures, drawn) for (sums, figures), drawn in zip(several, found, strict=True)]


def _ends(sums: GroupSums, figures: FigureSet, drawn: np.ndarray) -> np.ndarray:
    """`[F, 2]`, some figures at a time: their resamples `drawn` `[R, F]` are the largest thing that there is."""
    facts = (figures.values(sums.total), jackknife_error(sums, figures), figures.groups(sums), figures.moves())
    blocks = []
    for columns in row_blocks(drawn.shape[1], 8 * len(drawn)):
        point, error, groups, moves = (fact[columns] for fact in facts)
        blocks.append(ends(Resampling.of(point, drawn[:, columns], error), groups, moves))
    return np.concatenate(blocks)


def ends(found: Resampling, groups: np.ndarray, moves: np.ndarray) -> np.ndarray:
    """The intervals `[F, 2]` of a resampling; see `intervals`.

    Args:
        groups: `[F]`, the groups behind each figure.
        moves: `[F]`, how many times the bias is taken off.
    """
    tails = norm.sf(norm.ppf((1 + LEVEL) / 2) * found.widening(groups))
    quantiles = np.stack([_quantiles(found.ordered, tails), _quantiles(found.ordered, 1 - tails)], axis=1)
    moved = quantiles - (moves * (found.mean - found.point))[:, None]
    around = np.stack([np.fmin(moved[:, 0], found.point), np.fmax(moved[:, 1], found.point)], axis=1)
    usable = (groups >= MIN_GROUPS) & found.differs
    return np.where(usable[:, None], np.where(moves[:, None] > 1, moved, around), np.nan)
