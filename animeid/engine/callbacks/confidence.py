"""Tells an augmentation how sure training is of its pictures, and of others."""

from __future__ import annotations

from typing import Any

from lightning.pytorch import LightningModule, Trainer

from animeid.data.augmentation import FollowsConfidence
from animeid.engine.callbacks.contract import Feedback
from animeid.engine.confidence_tracker import ConfidenceTracker
from animeid.engine.step import StepOutput
from animeid.types import Batch

FIT_SO_FAR = "train_fit"
"""Where a checkpoint keeps how sure the epoch under way is of each class's pictures."""


class ConfidenceFeedback(Feedback):
    """Calls `follow` of the augmentation as each epoch begins, with the confidences of the one before.

    Args:
        augmentation: of the run, which follows them.
        num_classes: C.
    """

    needs_validation = "this augmentation follows the confidence of validation"

    def __init__(self, augmentation: FollowsConfidence, num_classes: int) -> None:
        self.tracker = ConfidenceTracker(num_classes, augmentation.follow)

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.tracker.to(pl_module.device)
        pl_module.returns_plain_logits = True  # type: ignore[assignment]

    def begin_epoch(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.tracker.begin(trainer.current_epoch)

    def on_train_batch_end(  # type: ignore[override]
        self, trainer: Trainer, pl_module: LightningModule, outputs: StepOutput, batch: Batch, batch_idx: int
    ) -> None:
        self.tracker.fitted.update(outputs["plain_logits"], batch["target"])

    def on_validation_batch_end(  # type: ignore[override]
        self, trainer: Trainer, pl_module: LightningModule, outputs: StepOutput, batch: Batch, *place: Any
    ) -> None:
        self.tracker.held_out.update(outputs["output"].logits, batch["target"])

    def on_save_checkpoint(self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]) -> None:
        checkpoint[FIT_SO_FAR] = self.tracker.state()

    def on_load_checkpoint(self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]) -> None:
        if FIT_SO_FAR in checkpoint:
            self.tracker.load(checkpoint[FIT_SO_FAR], is_first=trainer.is_global_zero)
