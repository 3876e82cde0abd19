"""Tells a loss how far training is."""

from __future__ import annotations

from lightning.pytorch import LightningModule, Trainer

from animeid.engine.callbacks.contract import Feedback
from animeid.losses.contract import FollowsProgress, parts_with
from animeid.optim.optimisation import Optimisation


class LossProgress(Feedback):
    """Calls `set_progress` of the loss, of the losses within it and of the term beside it, as each epoch begins."""

    def begin_epoch(self, trainer: Trainer, pl_module: LightningModule) -> None:
        run: Optimisation = pl_module.optimisation  # type: ignore[assignment]
        # Steps at the epoch's start: a run that goes on in its middle must not begin a phase there.
        step = trainer.current_epoch * run.steps_per_epoch
        losses = (pl_module.loss, pl_module.contrast)
        for part in (part for loss in losses for part in parts_with(loss, FollowsProgress)):  # type: ignore[arg-type]
            part.set_progress(trainer.current_epoch, step, run.total_steps, run.epochs)
