"""Progress for terminals: a bar an epoch."""

from __future__ import annotations

from typing import Any

from lightning.pytorch import Trainer
from lightning.pytorch.callbacks import TQDMProgressBar


class Bar(TQDMProgressBar):
    """Lightning's bar, with epochs as people count them: Lightning calls the first one 0."""

    def __init__(self) -> None:
        super().__init__(leave=False)

    def on_train_epoch_start(self, trainer: Trainer, *rest: Any) -> None:
        # In the place of Lightning's own, which would write the other number before.
        bar = self.train_progress_bar
        bar.set_description(f"epoch {trainer.current_epoch + 1} of {trainer.max_epochs}", refresh=False)
        bar.initial = 0
        bar.reset(total=self.total_train_batches)
