"""`lr` in the loggers: the learning rate of the steps whose loss they show."""

from __future__ import annotations

from lightning.pytorch import Callback, LightningModule, Trainer

from animeid.engine.callbacks.history import highest_rate


class LearningRate(Callback):
    """Logs the rate that `history.csv` shows, under the same name."""

    def on_train_batch_start(self, trainer: Trainer, pl_module: LightningModule, batch, batch_idx: int) -> None:  # type: ignore[no-untyped-def]
        if batch_idx % trainer.log_every_n_steps:  # type: ignore[attr-defined]
            return
        rate = highest_rate(trainer.optimizers[0])
        for logger in trainer.loggers:
            logger.log_metrics({"lr": rate}, step=trainer.global_step)
