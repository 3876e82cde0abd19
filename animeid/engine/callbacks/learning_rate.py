"""`lr` in the loggers: the learning rate of the steps whose loss they show."""

from __future__ import annotations

from lightning.pytorch import Callback, LightningModule, Trainer


class LearningRate(Callback):
    """Logs the first parameter group's rate under the name that `history.csv` has for it."""

    def on_train_batch_start(self, trainer: Trainer, pl_module: LightningModule, batch, batch_idx: int) -> None:  # type: ignore[no-untyped-def]
        if batch_idx % trainer.log_every_n_steps:  # type: ignore[attr-defined]
            return
        rate = trainer.optimizers[0].param_groups[0]["lr"]
        for logger in trainer.loggers:
            logger.log_metrics({"lr": rate}, step=trainer.global_step)
