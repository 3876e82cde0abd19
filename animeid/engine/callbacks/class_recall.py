"""Tells a loss the recall of each class."""

from __future__ import annotations

from typing import Any

from lightning.pytorch import LightningModule, Trainer

from animeid.engine.callbacks.contract import Feedback
from animeid.engine.step import StepOutput
from animeid.losses.contract import FollowsRecall, parts_with
from animeid.metrics.collection import ClassRecall
from animeid.types import Batch


class RecallFeedback(Feedback):
    """Calls `observe_recall` of the loss, and of the losses within it, after each validation.

    What a loss has learnt is saved with its buffers.

    Args:
        num_classes: C.
    """

    needs_validation = "this loss follows the recall of validation"

    def __init__(self, num_classes: int) -> None:
        self.recall = ClassRecall(num_classes)

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.recall.to(pl_module.device)

    def on_validation_batch_end(  # type: ignore[override]
        self, trainer: Trainer, pl_module: LightningModule, outputs: StepOutput, batch: Batch, *place: Any
    ) -> None:
        self.recall.update(outputs["output"].logits, batch["target"])

    def on_validation_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        recall = self.recall.compute()
        for part in parts_with(pl_module.loss, FollowsRecall):  # type: ignore[arg-type]
            part.observe_recall(recall)
        self.recall.reset()
