"""The one LightningModule: model, loss and optimiser in a training step, figures in a validation step."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from lightning.pytorch import LightningModule
from lightning.pytorch.strategies import ModelParallelStrategy
from torch import Tensor, nn
from torch.optim.lr_scheduler import ReduceLROnPlateau
from torchmetrics import MeanMetric, MetricCollection

from animeid.engine.averaging.averager import Averager
from animeid.engine.following import ConfidenceTracker
from animeid.engine.phases import parts_with
from animeid.engine.sharding import shard
from animeid.losses.contrast import SupervisedContrast
from animeid.losses.functional import cross_entropy
from animeid.metrics.collection import ClassRecall
from animeid.metrics.picture_mean import PictureMean
from animeid.models.deep_supervision import AUXILIARY
from animeid.models.inference import InferenceModel
from animeid.models.normalise import Normalise
from animeid.optim.groups import parameter_groups
from animeid.optim.schedules import Schedule
from animeid.terms import UNKNOWN_TARGET
from animeid.types import Batch, Loss, ModelOutput

OptimizerFactory = Callable[[Iterable[dict[str, Any]]], torch.optim.Optimizer]
Mix = Callable[[Batch, int], Batch]
"""`(normalised batch, epoch) -> batch` with other pictures and targets `[B, C]`, or the same."""

CONTRAST = "contrast."
"""Where a state dict has the weights of the contrastive term."""

Resize = Callable[[Tensor, int], Tensor]
"""`(pictures, epoch) -> pictures`, both `[B, 3, H, W]` float."""

LOSS_SO_FAR = "train_loss"
"""Where a checkpoint in the middle of an epoch keeps the sum of its losses so far, and their number."""

FIT_SO_FAR = "train_fit"
"""Where a checkpoint keeps how sure the epoch under way is of each class's pictures."""

SHOWN = "shown"
"""Where a checkpoint keeps the class distribution `[C]` that its epoch showed, if epochs differ."""


class CharacterModule(LightningModule):
    """Trains a classifier of characters.

    Args:
        model: answers float pictures `[B, 3, H, W]` with a ModelOutput.
        loss: terms `[B]` each; an nn.Module, so that its buffers follow the device.
        term_weights: the weight of each named term; a term that is not named weighs 1.
        optimizer: makes an optimiser of parameter groups.
        schedule: the learning rate over the run.
        weight_decay: for parameters that are neither norms nor biases.
        layer_decay: the ratio of a layer's rate to that of the layer above it; None is one rate for all.
        total_steps, steps_per_epoch: optimiser steps.
        metrics: the figures of validation, updated with `(logits, target)`.
        aux_weights: of the main classifier's terms, then of each auxiliary classifier's; where there are no auxiliary
            logits, as in validation, the main classifier's count alone and as they are.
        record: plain values that travel in every checkpoint (labels, configuration).
        seed: of the run; dropout and the like depend on it, the epoch and the batch alone, so that a run that goes on
            in the middle of an epoch draws what the straight run draws.
        averager: has an average of the weights saved in their place.
        mixing: mixes the pictures of training batches.
        resize: gives training pictures the size of the epoch, before they are mixed.
        observe: is told the rows and cross entropies of training pictures, of all processes.
        follow: is told at each epoch's beginning how sure the one before was of each class's training and validation
            pictures.
        prior_of: the class distribution `[C]` of an epoch, where epochs differ: what the loss is told as each begins.
            Validation judges all epochs by that of the run, which the loss was built with, so that they compare.
        contrast: a term beside the loss, of embeddings and targets; in training only.
        portable: each turns a state dict into one that is nearer to what a checkpoint of weights alone holds.
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
        layer_decay: float | None = None,
        total_steps: int,
        steps_per_epoch: int,
        metrics: MetricCollection,
        record: Mapping[str, Any],
        seed: int,
        averager: Averager | None = None,
        mixing: Mix | None = None,
        term_weights: Mapping[str, float] | None = None,
        aux_weights: Sequence[float] = (),
        resize: Resize | None = None,
        observe: Callable[[Tensor, Tensor], None] | None = None,
        follow: Callable[[Tensor, Tensor], None] | None = None,
        prior_of: Callable[[int], np.ndarray] | None = None,
        contrast: SupervisedContrast | None = None,
        portable: Sequence[Callable[[dict[str, Tensor]], dict[str, Tensor]]] = (),
    ) -> None:
        super().__init__()
        self.model = model
        self.loss = loss
        self.normalise = normalise
        self.optimizer_factory = optimizer
        self.schedule = schedule
        self.weight_decay = weight_decay
        self.layer_decay = layer_decay
        self.total_steps = total_steps
        self.steps_per_epoch = steps_per_epoch
        self.metrics = metrics
        self.val_loss = MeanMetric()
        self.train_loss = PictureMean()
        self.record = dict(record)
        self.seed = seed
        self.averager = averager
        self.mixing = mixing
        self.term_weights = dict(term_weights or {})
        self.aux_weights = tuple(aux_weights)
        self.resize = resize
        self.observe = observe
        self.following = ConfidenceTracker(len(self.record["labels"]), follow) if follow is not None else None
        self.prior_of = prior_of
        self.shown: Tensor | None = None
        self.contrast = contrast
        self.class_recall = ClassRecall(len(self.record["labels"])) if self.follows_recall else None
        self.portable = tuple(portable)

    def forward(self, image: Tensor) -> ModelOutput:
        """Answers uint8 pictures `[B, 3, H, W]`."""
        return self.model(self.normalise(image))

    @property
    def inference_model(self) -> InferenceModel:
        """What answers, of the same parts."""
        return InferenceModel(self.normalise, self.model)  # type: ignore[arg-type]

    def transfer_batch_to_device(self, batch: Batch, device: torch.device, dataloader_idx: int) -> Batch:
        # The numbers of the draws decide the mixing: read on the host, they make nobody wait for the device.
        moved: Batch = super().transfer_batch_to_device(batch, device, dataloader_idx)
        moved["draw"] = batch["draw"]
        return moved

    def on_after_batch_transfer(self, batch: Batch, dataloader_idx: int) -> Batch:
        batch["image"] = self.normalise(batch["image"])
        if self.trainer.training:
            if self.resize is not None:
                batch["image"] = self.resize(batch["image"], self.current_epoch)
            if self.mixing is not None:
                batch = self.mixing(batch, self.current_epoch)
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
        self._begin_epoch()

    def on_train_start(self) -> None:
        # Lightning leaves out on_train_epoch_start where it goes on in the middle of an epoch.
        self._begin_epoch()

    def _begin_epoch(self) -> None:
        if self.following is not None:
            self.following.begin(self.current_epoch)
        # Steps at the epoch's start: a run that goes on in its middle must not begin a phase there.
        step, epochs = self.current_epoch * self.steps_per_epoch, self.total_steps // self.steps_per_epoch
        for part in parts_with(self.loss, "set_progress"):
            part.set_progress(self.current_epoch, step, self.total_steps, epochs)
        if self.prior_of is not None:
            self.shown = torch.from_numpy(self.prior_of(self.current_epoch))
            self._set_prior(self.shown)

    def _set_prior(self, prior: Tensor | None) -> None:
        for part in parts_with(self.loss, "set_prior"):
            part.set_prior(prior)

    def on_train_end(self) -> None:
        self._set_prior(None)

    def on_train_batch_start(self, batch: Batch, batch_idx: int) -> None:
        sequence = np.random.SeedSequence([self.seed, self.current_epoch, batch_idx, self.global_rank])
        torch.manual_seed(int(sequence.generate_state(1, np.uint64)[0]))

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        output = self.model(batch["image"], batch["target"])
        value = self.losses(output, batch).mean()
        if self.contrast is not None:
            value = value + self.contrast.weight * self.contrast(output.embedding, batch["target"]).mean()
        if self.observe is not None:
            self.observe(*self._of_all_ranks(batch["row"], cross_entropy(output.logits.detach(), batch["target"])))
        if self.following is not None:
            self.following.fitted.update(self._as_answered(output), batch["target"])
        settings: dict[str, Any] = {"batch_size": len(batch["row"])}
        # Two names by hand: one log call for both would call the steps' figure train/loss_step.
        self.log("train/loss", value, prog_bar=True, **settings)
        self.train_loss.update(value.detach(), len(batch["row"]))
        self.log("train/loss_epoch", self.train_loss, on_step=False, on_epoch=True)
        return value * self._weight_among_ranks(len(batch["row"]))

    @torch.no_grad()
    def _as_answered(self, output: ModelOutput) -> Tensor:
        """The logits `[B, C]` without a margin, which only training has."""
        head: nn.Module = self.model.head  # type: ignore[assignment]
        return head(output.embedding) if hasattr(head, "with_margin") else output.logits.detach()

    def _weight_among_ranks(self, pictures: int) -> Tensor | float:
        """What makes the mean over processes the mean over pictures: their last batches may differ in size."""
        if self.trainer.world_size == 1 or not self.trainer.is_last_batch:
            return 1.0
        total = torch.tensor(float(pictures), device=self.device)
        torch.distributed.all_reduce(total)
        return pictures * self.trainer.world_size / total

    def _of_all_ranks(self, rows: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        """`[B]` rows and values of every process's batch, on the host, in the order of the processes."""
        own = (rows.cpu(), values.float().cpu())
        if self.trainer.world_size == 1:
            return own
        shares: list[Any] = [None] * self.trainer.world_size
        torch.distributed.all_gather_object(shares, own)
        return torch.cat([share[0] for share in shares]), torch.cat([share[1] for share in shares])

    @property
    def follows_recall(self) -> bool:
        """Whether the loss is told the recall of each class after validation."""
        return bool(parts_with(self.loss, "observe_recall"))

    def on_validation_start(self) -> None:
        self._set_prior(None)
        # Each process has its own statistics of batch norm; those of the first are judged, since they are saved.
        if self.trainer.world_size > 1:
            for buffer in self.model.buffers():
                torch.distributed.broadcast(buffer, src=0)

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        output = self.model(batch["image"])
        known = batch["target"] != UNKNOWN_TARGET
        self.val_loss.update(self.losses(output, batch)[known])
        self.metrics.update(output.logits, batch["target"])
        if self.following is not None:
            self.following.held_out.update(output.logits, batch["target"])
        if self.class_recall is not None:
            self.class_recall.update(output.logits, batch["target"])

    def on_validation_epoch_end(self) -> None:
        figures: dict[str, Any] = {f"val/{name}": value for name, value in self.metrics.compute().items()}
        figures["val/loss"] = self.val_loss.compute()
        self.log_dict(figures, prog_bar=True)
        self.metrics.reset()
        self.val_loss.reset()
        if self.class_recall is not None:
            recall = self.class_recall.compute()
            for part in parts_with(self.loss, "observe_recall"):
                part.observe_recall(recall)
            self.class_recall.reset()
        self._step_plateau(figures)

    def _step_plateau(self, figures: Mapping[str, Tensor]) -> None:
        """Lowers the rate before the epoch's checkpoint is written; Lightning would do it after, and a resumed run
        would never see the epoch's figure."""
        for config in self.trainer.lr_scheduler_configs:
            if isinstance(config.scheduler, ReduceLROnPlateau) and config.monitor is not None:
                config.scheduler.step(float(figures[config.monitor]))

    def lr_scheduler_step(self, scheduler: Any, metric: Any) -> None:
        if not isinstance(scheduler, ReduceLROnPlateau):
            super().lr_scheduler_step(scheduler, metric)

    def configure_model(self) -> None:
        if isinstance(self.trainer.strategy, ModelParallelStrategy):
            shard(self.model, self.device_mesh["data_parallel"])  # type: ignore[index]

    def configure_optimizers(self) -> Any:
        groups = parameter_groups(self.model, weight_decay=self.weight_decay, layer_decay=self.layer_decay)
        if self.contrast is not None:
            groups += parameter_groups(self.contrast, weight_decay=self.weight_decay)
        optimizer = self.optimizer_factory(groups)
        scheduler = self.schedule.build(optimizer, total_steps=self.total_steps, steps_per_epoch=self.steps_per_epoch)
        return {"optimizer": optimizer, "lr_scheduler": scheduler}

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        checkpoint["hyper_parameters"] = self.record
        checkpoint["position"] = self._position()
        if checkpoint["position"]["batches"]:
            checkpoint[LOSS_SO_FAR] = [self.train_loss.total.clone(), self.train_loss.pictures.clone()]
        if self.following is not None:
            checkpoint[FIT_SO_FAR] = self.following.state()
        if self.shown is not None:
            checkpoint[SHOWN] = self.shown.clone()
        if self.averager is not None:
            self.averager.into_checkpoint(checkpoint)
        # One that has the optimiser's state is there to go on from: it keeps the weights as they are trained.
        if "optimizer_states" not in checkpoint:
            checkpoint["state_dict"] = self._to_answer_with(checkpoint["state_dict"])

    def _to_answer_with(self, state: dict[str, Tensor]) -> dict[str, Tensor]:
        """The weights without what is of use in training only."""
        left_out = (f"model.{AUXILIARY}", CONTRAST)
        kept = {name: tensor for name, tensor in state.items() if not name.startswith(left_out)}
        for portable in self.portable:
            kept = portable(kept)
        return kept

    def _position(self) -> dict[str, int]:
        """Where training goes on: the epoch, and the batches of it that are done."""
        batches = self.trainer.fit_loop.epoch_loop.batch_progress
        if batches.is_last_batch:
            return {"epoch": self.current_epoch + 1, "batches": 0}
        return {"epoch": self.current_epoch, "batches": batches.current.processed}  # type: ignore[attr-defined]

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        self.shown = checkpoint.get(SHOWN)
        if LOSS_SO_FAR in checkpoint:
            so_far = (tensor.to(self.device) for tensor in checkpoint[LOSS_SO_FAR])
            self.train_loss.total, self.train_loss.pictures = so_far
        if self.following is not None and FIT_SO_FAR in checkpoint:
            self.following.load(checkpoint[FIT_SO_FAR], is_first=self.global_rank == 0)
        if self.averager is not None:
            self.averager.from_checkpoint(checkpoint)

    def drop_auxiliary(self) -> None:
        """Leaves the model that is kept, without what was of use in training only."""
        self.model.auxiliary = None  # type: ignore[assignment]
        self.contrast = None


def sum_weighted(values: Sequence[Tensor], weights: Sequence[float]) -> Tensor:
    """`sum_i weight_i value_i` of `[B]` each."""
    return torch.stack([weight * value for value, weight in zip(values, weights, strict=True)]).sum(0)


def record(labels: Sequence[str], plan: Mapping[str, Any]) -> dict[str, Any]:
    """What a checkpoint must say of itself to be loaded without its folder: plain containers only (weights_only)."""
    return {"labels": list(labels), "plan": dict(plan)}
