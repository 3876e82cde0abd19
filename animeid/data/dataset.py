"""Manifest rows to batch elements."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from animeid.data.images import UnreadableImage, decode
from animeid.data.manifest import Manifest
from animeid.data.stream import Draw
from animeid.errors import InputError
from animeid.types import UNKNOWN_TARGET, Batch

Transform = Callable[[np.ndarray, int], np.ndarray]
"""`(picture [h, w, 3] uint8, seed) -> [H, W, 3] uint8`."""


class PictureTable:
    """Where the pictures lie and what is known of them, in a few arrays.

    Loader workers are forks that share these arrays with the main process. A Python list of paths would be copied bit
    by bit into every worker, since reading an element writes its reference count; reading from a NumPy string array
    makes a new string and leaves the shared pages alone.

    paths: `[N]` strings relative to root. targets: `[N]` int64. attributes: `[N, A]` float32 with NaN, or None.
    """

    def __init__(self, manifest: Manifest) -> None:
        table = manifest.table
        self.root = manifest.root
        self.paths = np.asarray(table["path"].tolist(), dtype=np.dtypes.StringDType())
        known = "target" in table.columns
        self.targets = table["target"].to_numpy(np.int64) if known else np.full(len(table), UNKNOWN_TARGET)
        names = list(manifest.attributes)
        self.attributes = table[names].to_numpy(np.float32) if names else None

    def __len__(self) -> int:
        return len(self.paths)

    def path(self, row: int) -> Path:
        return self.root / str(self.paths[row])


class PictureDataset(Dataset[Batch]):
    """Decodes and transforms one picture for each `(row, draw)`.

    The transform's seed is made of the run's seed, the epoch and the draw: a picture that is drawn twice in an epoch
    is changed in two ways, and the result depends neither on the worker nor on where the epoch was resumed.

    Args:
        table: of the whole manifest.
        transform: `(picture, seed) -> picture` of the final size.
        max_pixels: larger pictures are refused.
        short_side: the pixels that the transform needs of a picture's short side (see `images.decode`).
        seed: of the run.
        epoch: the shared counter (see `animeid.data.stream.shared_epoch`).
    """

    def __init__(
        self,
        table: PictureTable,
        transform: Transform,
        *,
        max_pixels: int,
        short_side: int,
        seed: int,
        epoch: Tensor,
    ) -> None:
        self.table = table
        self.transform = transform
        self.max_pixels = max_pixels
        self.short_side = short_side
        self.seed = seed
        self.epoch = epoch

    def __len__(self) -> int:
        return len(self.table)

    def __getitem__(self, item: Draw) -> Batch:
        """A batch element, without the batch dimension; the image's memory is laid out as `[H, W, 3]`.

        Raises:
            InputError: the picture cannot be read any more.
        """
        row, draw = item
        image = self.transform(self._decode(row), draw_seed(self.seed, int(self.epoch), draw))
        element: Batch = {
            "image": torch.from_numpy(image).permute(2, 0, 1),
            "target": torch.tensor(self.table.targets[row]),
            "row": torch.tensor(row),
            "draw": torch.tensor(draw),
        }
        if self.table.attributes is not None:
            element["attributes"] = torch.tensor(self.table.attributes[row])
        return element

    def _decode(self, row: int) -> np.ndarray:
        path = self.table.path(row)
        try:
            return decode(path, self.max_pixels, self.short_side)
        except UnreadableImage as error:
            raise InputError(
                f"the picture {path} could be read when the run began and cannot be read now ({error}): "
                "put it back, or start a new run, which leaves it out"
            ) from error


def draw_seed(seed: int, epoch: int, draw: int) -> int:
    """64 well mixed bits from the three numbers (NumPy's SeedSequence)."""
    return int(np.random.SeedSequence([seed, epoch, draw]).generate_state(1, np.uint64)[0])


def collate(elements: Sequence[Batch]) -> Batch:
    """Stacks elements to a batch.

    The image is `[B, 3, H, W]` in channels_last layout, which is how decoders write and convolutions like to read.
    """
    images = torch.stack([element["image"].permute(1, 2, 0) for element in elements])
    batch: Batch = {
        "image": images.permute(0, 3, 1, 2),
        "target": torch.stack([element["target"] for element in elements]),
        "row": torch.stack([element["row"] for element in elements]),
        "draw": torch.stack([element["draw"] for element in elements]),
    }
    if "attributes" in elements[0]:
        batch["attributes"] = torch.stack([element["attributes"] for element in elements])
    return batch


def prepare_worker(worker: int = 0) -> None:  # noqa: ARG001
    """One thread for OpenCV: parallel work comes from the number of workers, and threads on top slow them all down."""
    cv2.setNumThreads(0)
