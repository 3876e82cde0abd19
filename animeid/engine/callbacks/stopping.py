"""Stopping early."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import EarlyStopping

from animeid.engine.callbacks.best import loss_of
from animeid.metrics.ranking import standing


class Stopping(EarlyStopping):
    """Lightning's early stopping, which counts the epochs that count, and does not forget that it has stopped.

    An epoch that becomes the best one by its loss, at the same figure, is an improvement, as in `Best`; not so where
    `min_delta` asks for more.

    Args:
        counts: as in `Best`.
    """

    def __init__(self, *, counts: Callable[[], bool], **settings: Any) -> None:
        super().__init__(**settings)
        self.counts = counts
        self.best_loss: float | None = None

    def state_dict(self) -> dict[str, Any]:
        return {**super().state_dict(), "best_loss": self.best_loss}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        super().load_state_dict(state_dict)
        self.best_loss = state_dict.get("best_loss")  # versions before did not look at it

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        # A run that stopped and was cut off before its figures were written has nothing left to train.
        if self.wait_count >= self.patience:
            trainer.should_stop = True

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if not self.counts():
            return
        figure, loss = float(trainer.callback_metrics[self.monitor]), loss_of(trainer)
        before = standing(float(self.best_score), self.best_loss, self.mode)  # type: ignore[arg-type]
        now = standing(figure, loss, self.mode)  # type: ignore[arg-type]
        if now > before:
            self.best_loss = loss
            if now[0] == before[0] and self.min_delta == 0:
                self.wait_count = -1  # which Lightning, to whom the figure is no better, makes 0
        super().on_validation_end(trainer, pl_module)
