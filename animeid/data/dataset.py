"""Manifest rows to batches."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset, get_worker_info

from animeid.data.cache.pixels import Pixels
from animeid.data.manifest import Manifest
from animeid.data.stream import Draw
from animeid.system.shared_memory import end_where_full
from animeid.terms import UNKNOWN_TARGET
from animeid.types import Batch

Transform = Callable[[np.ndarray, int, int], np.ndarray]
"""`(working picture [h, w, 3] uint8, seed, target) -> [H, W, 3] uint8`; none writes to what it is given."""


class PictureTable:
    """What is known of the pictures, in a few arrays that loader workers share with the main process.

    targets: `[N]` int64. attributes: `[N, A]` float32 with NaN, or None.
    """

    def __init__(self, manifest: Manifest) -> None:
        table = manifest.table
        known = "target" in table.columns
        self.targets = table["target"].to_numpy(np.int64) if known else np.full(len(table), UNKNOWN_TARGET)
        names = list(manifest.attributes)
        self.attributes = table[names].to_numpy(np.float32) if names else None

    def __len__(self) -> int:
        return len(self.targets)


class PictureDataset(Dataset[Batch]):
    """Reads and transforms whole batches of `(row, draw)`.

    The transform's seed is made of the run's seed, the epoch and the draw: a picture that is drawn twice in an epoch
    is changed in two ways, and the result depends neither on the worker nor on where the epoch was resumed.

    Args:
        table: of the whole manifest.
        pixels: its working pictures.
        transform: `(picture, seed, target) -> picture` of the final size.
        image_size: (H, W), the final size.
        seed: of the run.
        epoch: the shared counter (see `animeid.data.stream.shared_epoch`).
    """

    def __init__(
        self,
        table: PictureTable,
        pixels: Pixels,
        transform: Transform,
        *,
        image_size: tuple[int, int],
        seed: int,
        epoch: Tensor,
    ) -> None:
        self.table = table
        self.pixels = pixels
        self.transform = transform
        self.image_size = image_size
        self.seed = seed
        self.epoch = epoch

    def __len__(self) -> int:
        return len(self.table)

    def __getitems__(self, draws: Sequence[Draw]) -> Batch:
        """A whole batch. The image is `[B, 3, H, W]` uint8 in channels_last layout, as convolutions like to read it.

        Each picture is written to its place in the batch, and the batch is made where the main process will read it.

        Raises:
            InputError: a picture cannot be read any more.
        """
        epoch = int(self.epoch)
        image = torch.empty((len(draws), *self.image_size, 3), dtype=torch.uint8)
        if get_worker_info() is not None:
            image.share_memory_()
        places = image.numpy()
        for index, (row, draw) in enumerate(draws):
            target = int(self.table.targets[row])
            places[index] = self.transform(self.pixels.read(row), draw_seed(self.seed, epoch, draw), target)
        rows = np.array([row for row, _ in draws], dtype=np.int64)
        batch: Batch = {
            "image": image.permute(0, 3, 1, 2),
            "target": torch.from_numpy(self.table.targets[rows]),
            "row": torch.from_numpy(rows),
            "draw": torch.tensor([draw for _, draw in draws]),
        }
        if self.table.attributes is not None:
            batch["attributes"] = torch.from_numpy(self.table.attributes[rows])
        return batch


def draw_seed(seed: int, epoch: int, draw: int) -> int:
    """64 well mixed bits from the three numbers (NumPy's SeedSequence)."""
    return int(np.random.SeedSequence([seed, epoch, draw]).generate_state(1, np.uint64)[0])


def as_it_is(batch: Batch) -> Batch:
    """What the loader collates with: the data set has made the batch already."""
    return batch


def begin_worker(worker: int) -> None:
    """What a loader worker does first."""
    prepare_worker()
    end_where_full(worker)


def prepare_worker() -> None:
    """One thread for OpenCV: parallel work comes from the number of workers, and threads on top slow them all down."""
    cv2.setNumThreads(0)
