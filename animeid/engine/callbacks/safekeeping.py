"""Saves the middle of an epoch: now and then, and when a signal or an error between two steps ends the process."""

from __future__ import annotations

import signal
import threading
import time
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer

from animeid.engine.callbacks.finite import Finite, has_finite_weights
from animeid.errors import Interrupted

SAVE_EVERY_S = 600.0

SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Safekeeping(Callback):
    """Writes `last.ckpt` every ten minutes and at SIGTERM or Ctrl-C, between two optimiser steps.

    A signal is obeyed after the step under way; one that comes at an epoch's end or in validation is obeyed when the
    next epoch would begin or training ends, since the checkpoint is there by then. A second one ends the process at
    once. An error between two steps, as when a picture has vanished, is saved before too, in a run of one process; one
    in the middle of a step leaves the checkpoint that is there, since weights and counters may disagree.

    Args:
        last: the checkpoint.
        finite: refuses weights that are not worth saving.
    """

    def __init__(self, last: Path, finite: Finite) -> None:
        self.last = last
        self.finite = finite
        self.is_between_steps = False
        self.signum: int | None = None
        self.before: dict[int, Any] = {}

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.steps_seen = trainer.global_step
        self.saved_at = time.monotonic()
        # Lightning has installed its own by now, which would end the epoch first and leave with status 0.
        if threading.current_thread() is threading.main_thread():
            self.before = {signum: signal.signal(signum, self._note) for signum in SIGNALS}

    def _note(self, signum: int, frame: FrameType | None) -> None:
        if self.signum is not None:
            raise Interrupted(signum)
        self.signum = signum

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if self._is_asked_to_end(trainer):
            raise Interrupted(self.signum or signal.SIGTERM)

    def on_train_batch_start(self, trainer: Trainer, pl_module: LightningModule, batch, batch_idx) -> None:  # type: ignore[no-untyped-def]
        self.is_between_steps = False

    def on_train_batch_end(self, trainer: Trainer, pl_module: LightningModule, outputs, batch, batch_idx) -> None:  # type: ignore[no-untyped-def]
        # Gradients that are being accumulated are in no checkpoint.
        has_stepped, self.steps_seen = trainer.global_step > self.steps_seen, trainer.global_step
        if not has_stepped or trainer.is_last_batch:
            return
        is_due = time.monotonic() - self.saved_at > SAVE_EVERY_S
        if trainer.strategy.reduce_boolean_decision(is_due or self.signum is not None, all=False):
            self.finite.check(trainer, pl_module)
            trainer.save_checkpoint(self.last)
            self.saved_at = time.monotonic()
            if self._is_asked_to_end(trainer):
                raise Interrupted(self.signum or signal.SIGTERM)
        self.is_between_steps = True

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._give_back()
        if self._is_asked_to_end(trainer):
            raise Interrupted(self.signum or signal.SIGTERM)

    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        self._give_back()
        if self.is_between_steps and trainer.world_size == 1 and self._is_worth_saving(trainer, pl_module):
            with suppress(OSError):  # a full disk may be what is being told
                trainer.save_checkpoint(self.last)

    def _is_worth_saving(self, trainer: Trainer, pl_module: LightningModule) -> bool:
        """Whether the counters stand where the weights do, between two batches of an epoch."""
        batches = trainer.fit_loop.epoch_loop.batch_progress
        is_even = batches.current.ready == batches.current.processed  # type: ignore[attr-defined]
        return is_even and not batches.is_last_batch and has_finite_weights(pl_module)

    def _is_asked_to_end(self, trainer: Trainer) -> bool:
        """Whether any process was: all must leave at the same step."""
        return trainer.strategy.reduce_boolean_decision(self.signum is not None, all=False)

    def _give_back(self) -> None:
        for signum, handler in self.before.items():
            signal.signal(signum, handler)
        self.before = {}
