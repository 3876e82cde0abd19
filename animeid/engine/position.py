"""Position of training in its epoch; weight of a batch among ranks."""

from __future__ import annotations

import torch
from lightning.pytorch import Trainer
from torch import Tensor


def position(trainer: Trainer) -> dict[str, int]:
    """Where training goes on: the epoch, and the batches of it that are done."""
    batches = trainer.fit_loop.epoch_loop.batch_progress
    if batches.is_last_batch:
        return {"epoch": trainer.current_epoch + 1, "batches": 0}
    return {"epoch": trainer.current_epoch, "batches": batches.current.processed}  # type: ignore[attr-defined]


def weight_among_ranks(trainer: Trainer, pictures: int, device: torch.device) -> Tensor | float:
    """What makes the mean over processes the mean over pictures: their last batches may differ in size.

    Args:
        pictures: of this process's batch.
    """
    if trainer.world_size == 1 or not trainer.is_last_batch:
        return 1.0
    total = torch.tensor(float(pictures), device=device)
    torch.distributed.all_reduce(total)
    return pictures * trainer.world_size / total
