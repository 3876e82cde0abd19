"""The one LightningModule: model, loss and optimiser in a training step, figures in a validation step."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from lightning.pytorch import LightningModule
from torch import Tensor, nn
from torchmetrics import MeanMetric, MetricCollection

from animeid.engine.normalise import Normalise
from animeid.errors import InputError
from animeid.models.deep_supervision import AUXILIARY
from animeid.optim.groups import parameter_groups
from animeid.optim.schedules import Schedule
from animeid.types import UNKNOWN_TARGET, Batch, Loss, ModelOutput

OptimizerFactory = Callable[[Iterable[dict[str, Any]]], torch.optim.Optimizer]


class CharacterModule(LightningModule):
    """Trains a classifier of characters.

    Args:
        model: answers float pictures `[B, 3, H, W]` with a ModelOutput.
        loss: terms `[B]` each; an nn.Module, so that its buffers follow the device.
        term_weights: the weight of each named term; a term that is not named weighs 1.
        optimizer: makes an optimiser of parameter groups.
        schedule: the learning rate over the run.
        weight_decay: for parameters that are neither norms nor biases.
        total_steps, steps_per_epoch: optimiser steps.
        metrics: the figures of validation, updated with `(logits, target)`.
        aux_weights: of the main classifier's terms, then of each auxiliary classifier's; where there are no auxiliary
            logits, as in validation, the main classifier's count alone and as they are.
        record: plain values that travel in every checkpoint (labels, configuration).
    """

    def __init__(
        self,
        *,
        model: nn.Module,
        loss: Loss,
        normalise: Normalise,
        optimizer: OptimizerFactory,
        schedule: Schedule,
        weight_decay: float,
        total_steps: int,
        steps_per_epoch: int,
        metrics: MetricCollection,
        record: Mapping[str, Any],
        term_weights: Mapping[str, float] | None = None,
        aux_weights: Sequence[float] = (),
    ) -> None:
        super().__init__()
        self.model = model
        self.loss = loss
        self.normalise = normalise
        self.optimizer_factory = optimizer
        self.schedule = schedule
        self.weight_decay = weight_decay
        self.total_steps = total_steps
        self.steps_per_epoch = steps_per_epoch
        self.metrics = metrics
        self.val_loss = MeanMetric()
        self.record = dict(record)
        self.term_weights = dict(term_weights or {})
        self.aux_weights = tuple(aux_weights)

    def forward(self, image: Tensor) -> ModelOutput:
        """Answers uint8 pictures `[B, 3, H, W]`."""
        return self.model(self.normalise(image))

    def on_after_batch_transfer(self, batch: Batch, dataloader_idx: int) -> Batch:
        batch["image"] = self.normalise(batch["image"])
        return batch

    def losses(self, output: ModelOutput, batch: Batch) -> Tensor:
        """The weighted sum of the loss's terms, `[B]`, and of those of each auxiliary classifier's logits."""
        if not (self.aux_weights and output.aux_logits):
            return self._loss(output, batch)
        outputs = [output, *(replace(output, logits=logits) for logits in output.aux_logits)]
        values = [self._loss(replace(one, aux_logits=[]), batch) for one in outputs]
        return sum_weighted(values, self.aux_weights)

    def _loss(self, output: ModelOutput, batch: Batch) -> Tensor:
        terms = self.loss(output, batch)
        return sum_weighted(list(terms.values()), [self.term_weights.get(name, 1.0) for name in terms])

    def on_train_epoch_start(self) -> None:
        set_progress = getattr(self.loss, "set_progress", None)
        if set_progress is not None:
            set_progress(self.current_epoch, self.global_step, self.total_steps)

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        value = self.losses(self.model(batch["image"]), batch).mean()
        self.log("train/loss", value, on_step=True, on_epoch=True, prog_bar=True, batch_size=len(batch["row"]))
        return value

    def on_train_epoch_end(self) -> None:
        value = self.trainer.callback_metrics.get("train/loss_epoch")
        if value is not None and not torch.isfinite(value):
            raise InputError(
                f"the training loss became {value.item()} in epoch {self.current_epoch}: "
                "lower optimizer.lr, or set trainer.gradient_clip_val=1"
            )

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        output = self.model(batch["image"])
        known = batch["target"] != UNKNOWN_TARGET
        self.val_loss.update(self.losses(output, batch)[known])
        self.metrics.update(output.logits, batch["target"])

    def on_validation_epoch_end(self) -> None:
        figures: dict[str, Any] = {f"val/{name}": value for name, value in self.metrics.compute().items()}
        figures["val/loss"] = self.val_loss.compute()
        self.log_dict(figures, prog_bar=True)
        self.metrics.reset()
        self.val_loss.reset()

    def configure_optimizers(self) -> Any:
        groups = parameter_groups(self.model, weight_decay=self.weight_decay)
        optimizer = self.optimizer_factory(groups)
        scheduler = self.schedule.build(optimizer, total_steps=self.total_steps, steps_per_epoch=self.steps_per_epoch)
        return {"optimizer": optimizer, "lr_scheduler": scheduler}

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        checkpoint["hyper_parameters"] = self.record
        if "optimizer_states" not in checkpoint:
            # Weights to answer with; auxiliary classifiers are of use to a run that goes on only.
            state, left_out = checkpoint["state_dict"], f"model.{AUXILIARY}"
            checkpoint["state_dict"] = {name: state[name] for name in state if not name.startswith(left_out)}

    def drop_auxiliary(self) -> None:
        """Leaves the model that is kept, without the auxiliary classifiers of its training."""
        self.model.auxiliary = None  # type: ignore[assignment]


def sum_weighted(values: Sequence[Tensor], weights: Sequence[float]) -> Tensor:
    """`sum_i weight_i value_i` of `[B]` each."""
    return torch.stack([weight * value for value, weight in zip(values, weights, strict=True)]).sum(0)


def record(labels: Sequence[str], plan: Mapping[str, Any]) -> dict[str, Any]:
    """What a checkpoint must say of itself to be loaded without its folder: plain containers only (weights_only)."""
    return {"labels": list(labels), "plan": dict(plan)}
