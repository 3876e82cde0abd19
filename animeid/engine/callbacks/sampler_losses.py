"""Tells a sampler the losses of the pictures that it drew."""

from __future__ import annotations

from typing import Any

import torch
from lightning.pytorch import LightningModule, Trainer
from torch import Tensor

from animeid.engine.callbacks.contract import Feedback
from animeid.engine.step import StepOutput
from animeid.losses.functional import cross_entropy
from animeid.types import Batch, Sampler


class SamplerLosses(Feedback):
    """Calls `observe` of the sampler after each step, in every process with the pictures of all.

    What a sampler has learnt is saved with the run's data.

    Args:
        sampler: of the run, which learns from losses.
    """

    def __init__(self, sampler: Sampler) -> None:
        self.sampler = sampler

    def on_train_batch_end(  # type: ignore[override]
        self, trainer: Trainer, pl_module: LightningModule, outputs: StepOutput, batch: Batch, batch_idx: int
    ) -> None:
        losses = cross_entropy(outputs["output"].logits, batch["target"])
        self.sampler.observe(*of_all_ranks(trainer.world_size, batch["row"], losses))


def of_all_ranks(world_size: int, rows: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
    """`[B]` rows and values of every process's batch, on the host, in the order of the processes."""
    own = (rows.cpu(), values.float().cpu())
    if world_size == 1:
        return own
    shares: list[Any] = [None] * world_size
    torch.distributed.all_gather_object(shares, own)
    return torch.cat([share[0] for share in shares]), torch.cat([share[1] for share in shares])
