"""Cutting a trial short whose validation curve lies below that of the others."""

from __future__ import annotations

from lightning.pytorch import Callback, LightningModule, Trainer
from optuna import TrialPruned
from optuna.trial import Trial

from animeid.errors import InputError

MONITORED = "val/f1_macro"
NO_VALIDATION = "a search ranks by the validation part, and this data has none: add pictures to it"


class Reporting(Callback):
    """Tells a trial the figure of each epoch, and ends training where the trial's pruner says so.

    Args:
        trial: of a study.
        reported: epochs whose figure the trial has already, from before a kill.
    """

    def __init__(self, trial: Trial, reported: frozenset[int] = frozenset()) -> None:
        self.trial, self.reported = trial, reported

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:  # noqa: ARG002
        """Raises:
        InputError: there are no pictures to rank by.
        """
        if not len(trainer.datamodule.rows("val")):  # type: ignore[attr-defined]
            raise InputError(NO_VALIDATION)

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:  # noqa: ARG002
        """Raises:
        TrialPruned: the trial is not worth going on with.
        """
        if trainer.sanity_checking or MONITORED not in trainer.callback_metrics:
            return
        if trainer.current_epoch not in self.reported:
            self.trial.report(float(trainer.callback_metrics[MONITORED]), trainer.current_epoch)
        if self.trial.should_prune():
            raise TrialPruned(f"cut short after epoch {trainer.current_epoch + 1}")
