"""Cutting a trial short whose validation curve lies below that of the others."""

from __future__ import annotations

from lightning.pytorch import Callback, LightningModule, Trainer
from optuna import TrialPruned
from optuna.trial import Trial

MONITORED = "val/f1_macro"


class Reporting(Callback):
    """Tells a trial the figure of each epoch, and ends training where the trial's pruner says so.

    Args:
        trial: of a study.
    """

    def __init__(self, trial: Trial) -> None:
        self.trial = trial

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:  # noqa: ARG002
        """Raises:
        TrialPruned: the trial is not worth going on with.
        """
        if trainer.sanity_checking or MONITORED not in trainer.callback_metrics:
            return
        self.trial.report(float(trainer.callback_metrics[MONITORED]), trainer.current_epoch)
        if self.trial.should_prune():
            raise TrialPruned(f"cut short after epoch {trainer.current_epoch + 1}")
