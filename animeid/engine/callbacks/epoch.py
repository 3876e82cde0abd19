"""The moment at which an epoch begins."""

from __future__ import annotations

from lightning.pytorch import Callback, LightningModule, Trainer


class EpochStart(Callback):
    """A callback that is told of each epoch, also where a run goes on in the middle of one.

    Lightning leaves out `on_train_epoch_start` there.
    """

    def begin_epoch(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Called at least once as `trainer.current_epoch` begins or goes on, before its first batch."""
        raise NotImplementedError

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.begin_epoch(trainer, pl_module)

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.begin_epoch(trainer, pl_module)
