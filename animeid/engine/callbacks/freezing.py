"""Callbacks of freezing: unfreezing by epoch, and taking adapters out at the end."""

from __future__ import annotations

from lightning.pytorch import Callback, LightningModule, Trainer

from animeid.models.freezing import Freezing


class Unfreezing(Callback):
    """Asks a freezing which layers are trained, whenever an epoch begins or goes on after a resume.

    Args:
        freezing: of the run.
    """

    def __init__(self, freezing: Freezing) -> None:
        self.freezing = freezing
        self.epoch: int | None = None

    def on_train_batch_start(self, trainer: Trainer, pl_module: LightningModule, batch, batch_idx) -> None:  # type: ignore[no-untyped-def]
        # Lightning calls no hook of an epoch's start when it goes on in the middle of one.
        if trainer.current_epoch != self.epoch:
            self.epoch = trainer.current_epoch
            self.freezing.at_epoch(pl_module.model.backbone, self.epoch)  # type: ignore[union-attr, arg-type]


class RemoveAdapters(Callback):
    """Leaves a network without adapters when training is over, into which the best checkpoint's plain weights fit.

    Args:
        freezing: of the run.
    """

    def __init__(self, freezing: Freezing) -> None:
        self.freezing = freezing

    def on_fit_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.freezing.remove(pl_module.model.backbone)  # type: ignore[union-attr, arg-type]


def freezing_callbacks(freezing: Freezing | None) -> list[Callback]:
    """The callbacks that a freezing needs; none for None."""
    return [] if freezing is None else [Unfreezing(freezing), RemoveAdapters(freezing)]
