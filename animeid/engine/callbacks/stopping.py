"""Stopping early."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import EarlyStopping


class Stopping(EarlyStopping):
    """Lightning's early stopping, which counts the epochs that count, and does not forget that it has stopped.

    Args:
        counts: as in `Best`.
    """

    def __init__(self, *, counts: Callable[[], bool], **settings: Any) -> None:
        super().__init__(**settings)
        self.counts = counts

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        # A run that stopped and was cut off before its figures were written has nothing left to train.
        if self.wait_count >= self.patience:
            trainer.should_stop = True

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if self.counts():
            super().on_validation_end(trainer, pl_module)
