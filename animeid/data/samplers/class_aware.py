"""All classes in turn, and within a class all pictures in turn."""

from __future__ import annotations

import numpy as np

from animeid.data.samplers.stateless import Stateless, class_counts

WORDS = 4
"""Random numbers that one step of a Philox counter gives."""


class ClassAware(Stateless):
    """Class-aware sampling (Shen 2016, arXiv 1512.05830, section 3.3).

    The list of classes is gone through in a new order each time; each visit of a class takes the next of its pictures,
    in an order that is new after all have been shown. Both lists go on from one epoch to the next, so that over a run
    no two classes, and no two pictures of a class, differ by more than one in how often they were shown. An epoch has
    as many draws as there are training pictures. Pictures of no class are never drawn.

    Args:
        rows: `[N]` int64 manifest rows of the training part.
        targets: `[N]` int64, the class of each of these rows.
        num_classes: C.
    """

    def __init__(self, rows: np.ndarray, targets: np.ndarray, num_classes: int) -> None:
        self.draws = len(rows)
        self.counts = class_counts(targets, num_classes)
        self.pictures = {int(label): rows[targets == label] for label in np.flatnonzero(self.counts)}

    def stream(self, seed: int, epoch: int) -> np.ndarray:
        """`[N]` int64 manifest rows in the order of their draws."""
        start = epoch * self.draws
        # Each round visits every class once, so that a class has been visited as often as there were rounds.
        first, skipped = divmod(start, len(self.pictures))
        last = (start + self.draws - 1) // len(self.pictures)
        order = _orders(seed, 0, len(self.pictures), first, last)
        visits = np.arange(first, last + 1)
        columns = [
            rows[_positions(seed, label + 1, len(rows), visits)] for label, rows in self.pictures.items()
        ]  # each: the picture that every round shows of the class
        shown = np.take_along_axis(np.stack(columns, axis=1), order, axis=1)
        return shown.ravel()[skipped : skipped + self.draws]

    def prior(self) -> np.ndarray:
        """`[C]` float64: the same for every class that has pictures."""
        return (self.counts > 0) / len(self.pictures)


def _orders(seed: int, key: int, length: int, first: int, last: int) -> np.ndarray:
    """`[last - first + 1, length]`: one random order of `length` things for each round from `first` to `last`.

    A counter-based generator reaches any round at once, so that an epoch needs none of those before it.
    """
    steps = -(-length // WORDS)
    words = np.random.SeedSequence([seed, key]).generate_state(2, np.uint64)
    generator = np.random.Philox(key=words, counter=first * steps)
    numbers = generator.random_raw((last - first + 1) * steps * WORDS)
    return numbers.reshape(last - first + 1, -1)[:, :length].argsort(axis=1)


def _positions(seed: int, key: int, length: int, visits: np.ndarray) -> np.ndarray:
    """Which of a class's `length` pictures each visit takes; `visits` follow one another."""
    first = visits[0] // length
    orders = _orders(seed, key, length, int(first), int(visits[-1] // length))
    return orders[visits // length - first, visits % length]
