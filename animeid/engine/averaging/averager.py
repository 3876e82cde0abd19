"""Keeps an average of the weights beside those in training, and has it judged and saved in their place."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from lightning.pytorch import Callback, Trainer
from torch import Tensor, nn

from animeid.engine.averaging.policy import Averaging
from animeid.models.batch_norms import counting_norms, renew_statistics
from animeid.system.progress import progress

PREFIX = "model."
CURRENT = "weights_in_training"
"""Where a checkpoint keeps the plain weights; its `state_dict` holds the average, which is what others load."""


class Averager(Callback):
    """Averages `module.model`, buffers included; what counts (whole numbers) is copied, as an average would cut it.

    Before the first update the plain weights are judged and saved.

    Args:
        policy: when and how far the average moves.
    """

    def __init__(self, policy: Averaging) -> None:
        self.policy = policy
        self.average: dict[str, Tensor] = {}
        self.updates = 0
        self.steps_seen = 0
        self.is_swapped = False

    @torch.no_grad()
    def update(self, model: nn.Module, share: float) -> None:
        """Moves the average by `share` of the way to the weights of `model`."""
        state = model.state_dict()
        if not self.average:
            self.average = {name: tensor.clone() for name, tensor in state.items()}
        for name, tensor in state.items():
            if tensor.is_floating_point():
                self.average[name].lerp_(tensor, share)
            else:
                self.average[name].copy_(tensor)
        self.updates += 1

    @torch.no_grad()
    def swap(self, model: nn.Module) -> None:
        """Exchanges the weights of `model` and the average."""
        for name, tensor in model.state_dict().items():
            kept = tensor.clone()
            tensor.copy_(self.average[name])
            self.average[name].copy_(kept)
        self.is_swapped = not self.is_swapped

    def has_begun(self) -> bool:
        """Whether there is an average; until then the weights in training are judged."""
        return self.updates > 0

    def on_train_start(self, trainer: Trainer, pl_module: Any) -> None:
        self.average = {name: tensor.to(pl_module.device) for name, tensor in self.average.items()}

    def on_train_batch_end(self, trainer: Trainer, pl_module: Any, outputs, batch, batch_idx) -> None:  # type: ignore[no-untyped-def]
        if trainer.global_step == self.steps_seen:
            return  # gradients were accumulated only
        self.steps_seen = trainer.global_step
        share = self.policy.share(
            epoch=trainer.current_epoch, updates=self.updates, ends_epoch=bool(trainer.is_last_batch)
        )
        if share is not None:
            self.update(pl_module.model, share)
            if self.policy.renews_statistics:
                self._renew_statistics(trainer, pl_module)

    def on_validation_start(self, trainer: Trainer, pl_module: Any) -> None:
        if self.updates:
            self.swap(pl_module.model)

    def on_validation_end(self, trainer: Trainer, pl_module: Any) -> None:
        self._restore(pl_module)

    def on_exception(self, trainer: Trainer, pl_module: Any, exception: BaseException) -> None:
        self._restore(pl_module)

    def _restore(self, pl_module: Any) -> None:
        if self.is_swapped:
            self.swap(pl_module.model)

    def _renew_statistics(self, trainer: Trainer, pl_module: Any) -> None:
        """Batch norm's statistics of the averaged weights, from one pass over the training part as it is augmented."""
        model = pl_module.model
        # What is frozen, or kept so, stands in evaluation mode and keeps its statistics.
        norms: list[Any] = [norm for norm in counting_norms(model) if norm.training]
        if not norms:
            return
        self.swap(model)
        loader = trainer.datamodule.fresh_train_dataloader()  # type: ignore[attr-defined]
        images = (pl_module.normalise(batch["image"].to(pl_module.device)) for batch in loader)
        renew_statistics(model, norms, progress(images, len(loader), "batch norm of the average"))
        average_over_ranks(trainer, [tensor for norm in norms for tensor in (norm.running_mean, norm.running_var)])
        self.swap(model)

    def into_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Puts the average in the place of the weights; a checkpoint to go on from keeps those too."""
        if not self.updates:
            return
        state = checkpoint["state_dict"]
        if "optimizer_states" in checkpoint:
            checkpoint[CURRENT] = {PREFIX + name: state[PREFIX + name] for name in self.average}
        checkpoint["state_dict"] = state | {PREFIX + name: tensor for name, tensor in self.average.items()}

    def from_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Takes the average out of a checkpoint to go on from, and puts the weights in training back."""
        if CURRENT in checkpoint:
            names = checkpoint[CURRENT]
            self.average = {name.removeprefix(PREFIX): checkpoint["state_dict"][name].clone() for name in names}
            checkpoint["state_dict"] = checkpoint["state_dict"] | names

    def state_dict(self) -> dict[str, Any]:
        return {"updates": self.updates, "steps_seen": self.steps_seen}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.updates, self.steps_seen = state_dict["updates"], state_dict["steps_seen"]


def average_over_ranks(trainer: Trainer, tensors: Iterable[Tensor]) -> None:
    """Replaces each tensor by its mean over the processes."""
    if trainer.world_size > 1:
        for tensor in tensors:
            torch.distributed.all_reduce(tensor)
            tensor.div_(trainer.world_size)
