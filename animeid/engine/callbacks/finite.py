"""Ends a training that has left the numbers, before its weights take the place of good ones."""

from __future__ import annotations

import torch
from lightning.pytorch import Callback, LightningModule, Trainer

from animeid.errors import InputError

CHECK_EVERY = 50
"""Batches; reading the device after each would make the processor wait for it."""


class Finite(Callback):
    """Looks at the losses now and then, and at losses and weights before validation and before a checkpoint.

    Raises:
        InputError: there is one that is infinite or not a number.
    """

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.losses_are_finite = torch.ones((), dtype=torch.bool, device=pl_module.device)

    def on_train_batch_end(self, trainer: Trainer, pl_module: LightningModule, outputs, batch, batch_idx) -> None:  # type: ignore[no-untyped-def]
        self.losses_are_finite &= outputs["loss"].isfinite()
        if trainer.is_last_batch:
            self.check(trainer, pl_module)
        elif (batch_idx + 1) % CHECK_EVERY == 0:
            self._refuse(trainer, "loss", bool(self.losses_are_finite))

    def check(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """The same for all processes, at the same step."""
        self._refuse(trainer, "loss", bool(self.losses_are_finite))
        self._refuse(trainer, "weights", has_finite_weights(pl_module))

    def _refuse(self, trainer: Trainer, what: str, is_finite: bool) -> None:
        if trainer.strategy.reduce_boolean_decision(not is_finite, all=False):
            batch = trainer.fit_loop.batch_idx + 1
            raise InputError(
                f"the training {what} became infinite or nan in epoch {trainer.current_epoch + 1} by batch {batch}: "
                "lower optimizer.lr, or set trainer.gradient_clip_val=1"
            )


def has_finite_weights(module: LightningModule) -> bool:
    """Whether all parameters and statistics of the model are finite; one read of the device."""
    state = module.model.state_dict().values()  # type: ignore[union-attr]
    found = [tensor.isfinite().all() for tensor in state if tensor.is_floating_point()]
    return bool(torch.stack(found).all())
