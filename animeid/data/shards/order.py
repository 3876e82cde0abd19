"""The order of a training epoch that reads shards one after the other, and not all of them at once."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from animeid.data.samplers.contract import choice_of
from animeid.data.samplers.wrapped import WrappedSampler
from animeid.data.shards.layout import Index
from animeid.errors import InputError
from animeid.types import Sampler

ONE_PASS = 0


class ShardOrder(WrappedSampler):
    """A sampler whose choice of classes is kept, and whose pictures come shard by shard.

    The sampler says how often each class is shown, and when; which picture of it that is, the class's shards say: in a
    new order of shards each pass, shuffled as by a buffer, every picture before one repeats. Each rank gets a stretch
    of its own of that sequence, so that it reads other shards than the others do, but for those at the borders. Where
    shards hold all classes, the same is done with all pictures as one class.

    The stream is pure, and does not depend on the number of workers; on the number of ranks it does.

    Args:
        sampler: what the run asked for.
        rows: `[N]` int64 manifest rows of the training part.
        kinds: `[N]` int64: the class of each, or 0 for all where shards hold all classes.
        shards: `[N]` int64: the number of its shard; within one, pictures lie in the order of `rows`.
        ranks: processes that share an epoch.
        buffer: pictures among which the order of shards is shuffled.
    """

    def __init__(
        self, sampler: Sampler, rows: np.ndarray, kinds: np.ndarray, shards: np.ndarray, *, ranks: int, buffer: int
    ) -> None:
        super().__init__(sampler)
        self.ranks = ranks
        self.pictures: dict[int, tuple[np.ndarray, np.ndarray]] = {
            int(kind): (rows[kinds == kind], shards[kinds == kind]) for kind in np.unique(kinds)
        }
        # Classes are read side by side, and share the buffer.
        self.buffer = max(buffer // len(self.pictures), 1)
        self.rows = rows
        self.kind_of_row = np.zeros(int(rows.max()) + 1, dtype=np.int64)
        self.kind_of_row[rows] = kinds

    def stream(self, seed: int, epoch: int) -> np.ndarray:
        """`[N]` int64 manifest rows in the order of their draws."""
        kinds = self.kind_of_row[self.sampler.stream(seed, epoch)]
        rows = np.empty_like(kinds)
        ranks = np.arange(len(kinds)) % self.ranks
        for kind in self.pictures:
            draws = np.flatnonzero(kinds == kind)
            # By rank, then by draw: what a rank takes of the sequence is one stretch of it.
            draws = draws[np.argsort(ranks[draws], kind="stable")]
            rows[draws] = self._shuffled(
                self._sequence(seed, epoch, kind, len(draws)), ranks[draws], (seed, epoch, kind)
            )
        return rows

    def _sequence(self, seed: int, epoch: int, kind: int, length: int) -> np.ndarray:
        """The first `length` pictures of a kind, shard after shard, pass after pass."""
        passes: list[np.ndarray] = []
        while sum(map(len, passes)) < length:
            passes.append(self._one_pass(seed, epoch, kind, len(passes)))
        return np.concatenate(passes)[:length] if passes else np.empty(0, dtype=np.int64)

    def _one_pass(self, seed: int, epoch: int, kind: int, number: int) -> np.ndarray:
        rows, shards = self.pictures[kind]
        generator = np.random.default_rng([seed, epoch, kind, number])
        places = generator.permutation(int(shards.max()) + 1)[shards]
        return rows[np.argsort(places, kind="stable")]

    def _shuffled(self, sequence: np.ndarray, ranks: np.ndarray, key: tuple[int, ...]) -> np.ndarray:
        """The sequence with every picture moved by less than the buffer's length, and never to another rank.

        Sorting by place plus a random number below the buffer's length is what a buffer does: a picture waits at most
        that long.
        """
        generator = np.random.default_rng([*key, 1])
        places = np.arange(len(sequence)) + generator.uniform(0, self.buffer, len(sequence))
        return sequence[np.lexsort((places, ranks))]


def in_order_of_shards(
    sampler: Sampler, index: Index, paths: np.ndarray, rows: np.ndarray, targets: np.ndarray, *, ranks: int, buffer: int
) -> ShardOrder:
    """The sampler of a run, going through shards.

    Args:
        index: of the folder.
        paths: `[N]` strings, the manifest's paths of `rows`, which begin with the name of a shard.
        rows, targets: of the training part.

    Raises:
        InputError: the sampler chooses classes and the shards hold all, or it chooses among the pictures of a class.
    """
    chooses = choice_of(sampler)
    if chooses == "pictures":
        raise InputError(
            f"sampler={type(sampler).__name__} chooses among a class's pictures, by what the run learnt of them or "
            "by their styles, and shards are read in an order of their own: train from files, or take another sampler"
        )
    if chooses == "classes" and not index.by_class:
        raise InputError(
            f"the sampler {type(sampler).__name__} chooses classes, and these shards hold all classes: write them "
            "again with python -m animeid.shard by_class=true, or take sampler=natural"
        )
    number = {shard.name: place for place, shard in enumerate(index.shards)}
    shards = np.fromiter((number[name] for name in _shard_names(paths)), np.int64, len(paths))
    kinds = targets if index.by_class else np.full_like(targets, ONE_PASS)
    return ShardOrder(sampler, rows, kinds, shards, ranks=ranks, buffer=buffer)


def _shard_names(paths: np.ndarray) -> Iterator[str]:
    return (str(path).partition("/")[0] for path in paths)
