"""Progress for logs: one line an epoch instead of a bar."""

from __future__ import annotations

import time

from lightning.pytorch import Callback, LightningModule, Trainer

from animeid.system.console import say_beside
from animeid.system.progress import PLAIN_EVERY_S, clock


class PlainProgress(Callback):
    """Prints a line after every epoch, and one every ten seconds within it, each with the time left."""

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.start = self.last = time.monotonic()
        self.began_at_epoch = trainer.current_epoch

    def on_train_batch_end(self, trainer: Trainer, pl_module: LightningModule, outputs, batch, batch_idx) -> None:  # type: ignore[no-untyped-def]
        now = time.monotonic()
        if now - self.last < PLAIN_EVERY_S or not trainer.is_global_zero:
            return
        self.last = now
        done = trainer.current_epoch - self.began_at_epoch + (batch_idx + 1) / trainer.num_training_batches
        self._say(trainer, f"batch {batch_idx + 1} of {trainer.num_training_batches}", done)

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if not trainer.is_global_zero:
            return
        self.last = time.monotonic()
        named = {"train/loss": "train/loss_epoch", "val/loss": "val/loss", "val/f1_macro": "val/f1_macro"}
        figures = [
            f"{name} {float(trainer.callback_metrics[key]):.3f}"
            for name, key in named.items()
            if key in trainer.callback_metrics
        ]
        self._say(trainer, "  ".join(figures), trainer.current_epoch - self.began_at_epoch + 1)

    def _say(self, trainer: Trainer, what: str, epochs_done: float) -> None:
        total = (trainer.max_epochs or 0) - self.began_at_epoch
        left = (time.monotonic() - self.start) / epochs_done * max(total - epochs_done, 0)
        say_beside(f"epoch {trainer.current_epoch + 1} of {trainer.max_epochs}: {what}, {clock(left)} left")
