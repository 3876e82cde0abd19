"""Class prior of each epoch, saved and told to the loss."""

from __future__ import annotations

from typing import Any

import torch
from lightning.pytorch import LightningModule, Trainer
from torch import Tensor

from animeid.data.samplers.contract import VariesByEpoch
from animeid.engine.callbacks.contract import Feedback
from animeid.losses.contract import FollowsPrior, parts_with

SHOWN = "shown"
"""Where a checkpoint keeps the class distribution `[C]` that its epoch showed, if epochs differ."""


class ShownPrior(Feedback):
    """Keeps in every checkpoint what those weights were shown that nothing trains any further.

    Args:
        shown: the class distribution `[C]` float64; None where it is not known.
    """

    def __init__(self, shown: Tensor | None = None) -> None:
        self.shown = shown

    def on_save_checkpoint(self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]) -> None:
        if self.shown is not None:
            checkpoint[SHOWN] = self.shown.clone()

    def on_load_checkpoint(self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]) -> None:
        self.shown = checkpoint.get(SHOWN)


class EpochPrior(ShownPrior):
    """Keeps what the epoch shows, and tells it to the loss as the epoch begins.

    Validation judges all epochs by the distribution of the run, which the loss was built with, so that they compare.

    Args:
        sampler: of the run, whose epochs differ.
    """

    def __init__(self, sampler: VariesByEpoch) -> None:
        super().__init__()
        self.sampler = sampler

    def begin_epoch(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.shown = torch.from_numpy(self.sampler.prior_of(trainer.current_epoch))
        tell(pl_module, self.shown)

    def on_validation_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        tell(pl_module, None)

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        tell(pl_module, None)


def tell(pl_module: LightningModule, prior: Tensor | None) -> None:
    """Calls `set_prior` of the loss, and of the losses within it."""
    for part in parts_with(pl_module.loss, FollowsPrior):  # type: ignore[arg-type]
        part.set_prior(prior)
