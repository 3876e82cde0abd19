"""From a sampler's global stream to the batches of one process."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Sampler as TorchSampler

from animeid.errors import InputError
from animeid.types import Sampler

Draw = tuple[int, int]
"""A manifest row, and the position of the draw in the epoch's global stream."""


def shared_epoch() -> Tensor:
    """An epoch counter that loader workers see change although they were started earlier; `[]` int64."""
    return torch.zeros((), dtype=torch.int64).share_memory_()


class ShardedStream(TorchSampler[Draw]):
    """One rank's share of the training stream, as `(row, draw)` pairs.

    Rank r of W takes the draws r, r + W, r + 2W, ..., so that the k-th batches of all ranks together are what one
    process would see as its k-th batch of W times the size. Where each picture is drawn several times in a row, its
    draws count as one in this. Every draw is used: some ranks may have a picture more than others, and
    `TrainingBatches` makes equally many batches of them.

    Lightning calls `set_epoch` before each epoch. Epochs are equally long.

    Args:
        sampler: gives the global stream.
        seed: moves the stream.
        epoch: the counter that the data set reads too (see `shared_epoch`).
        rank, world_size: which share.
        views: draws of each picture in a row.

    Raises:
        InputError: there are fewer pictures than ranks.
    """

    def __init__(
        self, sampler: Sampler, *, seed: int, epoch: Tensor, rank: int = 0, world_size: int = 1, views: int = 1
    ) -> None:
        self.stream_of = sampler
        self.seed = seed
        self.epoch = epoch
        self.rank = rank
        self.world_size = world_size
        self.views = views
        total = len(sampler.stream(seed, int(epoch))) // views
        if total < world_size:
            raise InputError(
                f"an epoch of {total} training pictures cannot be shared by {world_size} processes: take fewer"
            )
        self.length = len(range(rank, total, world_size)) * views
        self.common_length = total // world_size * views
        self.resumed_epoch = 0
        self.resumed_draws = 0

    def set_epoch(self, epoch: int) -> None:
        self.epoch.fill_(epoch)

    def resume_at(self, epoch: int, start: int, batch_size: int) -> None:
        """Leaves out the first `start` batches of `epoch`, and only of that epoch: they were trained on already."""
        self.set_epoch(epoch)
        self.resumed_epoch = epoch
        self.resumed_draws = start * batch_size

    def __iter__(self) -> Iterator[Draw]:
        rows = self.stream_of.stream(self.seed, int(self.epoch))
        first = self.rank + self.done // self.views * self.world_size
        for picture in range(first, len(rows) // self.views, self.world_size):
            for draw in range(picture * self.views, (picture + 1) * self.views):
                yield int(rows[draw]), draw

    @property
    def done(self) -> int:
        """Draws of this rank in the epoch under way that were trained on before."""
        return self.resumed_draws if int(self.epoch) == self.resumed_epoch else 0

    def __len__(self) -> int:
        """Draws of this rank in a whole epoch, also where a resumed one is shorter."""
        return self.length


class EvaluationOrder(TorchSampler[Draw]):
    """One rank's share of an evaluation part: every row exactly once over all ranks, never padded.

    Ranks may hold one picture more or less than others. Each has a stretch of its own, so that pictures that lie
    together are read by one.

    Args:
        rows: `[N]` int64 manifest rows.
        rank, world_size: which share.
    """

    def __init__(self, rows: np.ndarray, *, rank: int = 0, world_size: int = 1) -> None:
        self.rows = rows
        self.draws = range(rank * len(rows) // world_size, (rank + 1) * len(rows) // world_size)

    def __iter__(self) -> Iterator[Draw]:
        for draw in self.draws:
            yield int(self.rows[draw]), draw

    def __len__(self) -> int:
        return len(self.draws)


class TrainingBatches(TorchSampler[list[Draw]]):
    """Batches that use every draw and never leave a last batch of one picture, which batch norm cannot train on.

    The last batch may be smaller than the others; a single picture that would be left over joins the batch before it,
    which then has `batch_size + 1`, or one picture's views more. An epoch of one picture, or a batch size of 1, stays
    as it is. Views of a picture share a batch where its size is a multiple of their number.

    Every rank makes as many batches as the rank with the fewest draws: the last one takes what another has more.
    """

    def __init__(self, sampler: ShardedStream, batch_size: int) -> None:
        self.sampler = sampler
        self.batch_size = batch_size

    def __iter__(self) -> Iterator[list[Draw]]:
        draws = iter(self.sampler)
        for _ in range(self.sampler.done // self.batch_size, len(self) - 1):
            yield list(islice(draws, self.batch_size))
        yield list(draws)

    def __len__(self) -> int:
        full, rest = divmod(self.sampler.common_length, self.batch_size)
        joins = rest == self.sampler.views and full > 0
        return full + (rest > 0 and not joins)
