"""Validation by the same statistics in all processes."""

from __future__ import annotations

import torch
from lightning.pytorch import Callback, LightningModule, Trainer


class SharedBuffers(Callback):
    """Gives every process the buffers of the first one as validation starts, since those are saved.

    Each process has its own statistics of batch norm. Comes after the averager, which puts those of the average into
    the model.
    """

    def on_validation_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if trainer.world_size > 1:
            for buffer in pl_module.model.buffers():  # type: ignore[union-attr]
                torch.distributed.broadcast(buffer, src=0)
