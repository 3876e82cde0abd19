"""Each class as often as it is, and all of its styles alike."""

from __future__ import annotations

import numpy as np

from animeid.data.samplers.contract import Choice
from animeid.data.samplers.stateless import Stateless, class_counts
from animeid.terms import UNKNOWN_STYLE, UNKNOWN_TARGET


class StyleBalanced(Stateless):
    """Draws of each class as many as it has pictures, divided evenly among its styles.

    What a class's styles have unequal shares of, a network can take for the class; balancing groups of class and
    attribute is a strong baseline for worst groups (Idrissi 2022, arXiv 2110.14503). In an epoch the draws of two
    styles of a class differ by one at most, chosen by chance, and those of two pictures of one style too. Pictures of
    unknown style are one style more; without styles each picture comes once. Pictures of no class are never drawn.

    Args:
        rows: `[N]` int64 manifest rows of the training part.
        targets: `[N]` int64, the class of each of these rows.
        num_classes: C.
    """

    chooses: Choice = "pictures"

    def __init__(self, rows: np.ndarray, targets: np.ndarray, num_classes: int) -> None:
        self.rows, self.targets = rows, targets
        self.counts = class_counts(targets, num_classes)
        self.look_at_styles(np.full_like(targets, UNKNOWN_STYLE))

    def look_at_styles(self, styles: np.ndarray) -> None:
        """Takes in the style of each row, `[N]` int64, -1 where it is not known."""
        known = self.targets != UNKNOWN_TARGET
        order = np.lexsort((styles[known], self.targets[known]))
        rows, targets, styles = (values[known][order] for values in (self.rows, self.targets, styles))
        borders = np.flatnonzero(np.diff(targets) | np.diff(styles)) + 1
        self.pictures: dict[int, list[np.ndarray]] = {}
        for target, own in zip(targets[np.r_[0, borders]], np.split(rows, borders), strict=True):
            self.pictures.setdefault(int(target), []).append(own)

    def stream(self, seed: int, epoch: int) -> np.ndarray:
        """`[N]` int64 manifest rows in the order of their draws."""
        random = np.random.default_rng([seed, epoch])
        return random.permutation(np.concatenate([_shared(styles, random) for styles in self.pictures.values()]))

    def prior(self) -> np.ndarray:
        """`[C]` float64: the share of each class in training."""
        return self.counts / self.counts.sum()


def _shared(styles: list[np.ndarray], random: np.random.Generator) -> np.ndarray:
    """As many draws as the styles have rows together, evenly from each."""
    each, left = divmod(sum(map(len, styles)), len(styles))
    more = random.permutation(len(styles)) < left
    return np.concatenate([_drawn(rows, each + int(one), random) for rows, one in zip(styles, more, strict=True)])


def _drawn(rows: np.ndarray, number: int, random: np.random.Generator) -> np.ndarray:
    """So many draws, every row before one repeats."""
    whole, rest = divmod(number, len(rows))
    return np.concatenate([np.tile(rows, whole), random.choice(rows, rest, replace=False)])
