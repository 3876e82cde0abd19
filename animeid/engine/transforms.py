"""Transforms of training batches on the device."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from animeid.types import Batch

Mix = Callable[[Batch, int], Batch]
"""`(normalised batch, epoch) -> batch` with other pictures and targets `[B, C]`, or the same."""

Resize = Callable[[Tensor, int], Tensor]
"""`(pictures, epoch) -> pictures`, both `[B, 3, H, W]` float."""


@dataclass(frozen=True)
class BatchTransforms:
    """Gives training pictures the size of the epoch, then styles of one another, then mixes them; None leaves out."""

    resize: Resize | None = None
    restyle: Mix | None = None
    mixing: Mix | None = None

    def __call__(self, batch: Batch, epoch: int) -> Batch:
        """The batch of `epoch` (from 0), its `image [B, 3, H, W]` normalised, as it is trained on."""
        if self.resize is not None:
            batch["image"] = self.resize(batch["image"], epoch)
        if self.restyle is not None:
            batch = self.restyle(batch, epoch)
        return batch if self.mixing is None else self.mixing(batch, epoch)
