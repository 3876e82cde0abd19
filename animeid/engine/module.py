"""The one LightningModule: model, loss and optimiser in a training step, figures in a validation step."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from lightning.pytorch import LightningModule
from lightning.pytorch.strategies import ModelParallelStrategy
from torch import Tensor, nn
from torch.optim.lr_scheduler import ReduceLROnPlateau
from torchmetrics import MeanMetric, MetricCollection

from animeid.engine.averaging.averager import Averager
from animeid.engine.objective import LossWeights, objective
from animeid.engine.position import position, weight_among_ranks
from animeid.engine.sharding import shard
from animeid.engine.step import StepOutput, without_gradients
from animeid.engine.teacher import Teacher
from animeid.engine.tiny_maps import TinyMaps
from animeid.engine.transforms import BatchTransforms
from animeid.losses.contract import DistillationTerm, EmbeddingTerm
from animeid.metrics.picture_mean import PictureMean
from animeid.models.deep_supervision import AUXILIARY
from animeid.models.inference import InferenceModel
from animeid.models.normalise import Normalise
from animeid.optim.optimisation import Optimisation
from animeid.terms import UNKNOWN_TARGET
from animeid.types import Batch, Loss, ModelOutput

BESIDE = ("contrast.", "distillation.")
"""Where a state dict has the weights of the terms beside the loss."""

LOSS_SO_FAR = "train_loss"
"""Where a checkpoint in the middle of an epoch keeps the sum of its losses so far, and their number."""


class CharacterModule(LightningModule):
    """Trains a classifier of characters.

    What loss, sampler and augmentation are told on the way is the matter of `animeid.engine.callbacks.feedback`.

    Args:
        model: answers float pictures `[B, 3, H, W]` with a ModelOutput.
        loss: terms `[B]` each; an nn.Module, so that its buffers follow the device.
        normalise: pixels to what the model expects.
        optimisation: optimiser and schedule.
        metrics: the figures of validation, updated with `(logits, target)`.
        record: plain values that travel in every checkpoint (labels, configuration).
        seed: of the run; dropout and the like depend on it, the epoch and the batch alone, so that a run that goes on
            in the middle of an epoch draws what the straight run draws.
        averager: has an average of the weights saved in their place.
        transforms: change training batches on the device.
        loss_weights: of the loss's terms and of auxiliary classifiers.
        contrast: a term beside the loss, of embeddings; in training only.
        portable: each turns a state dict into one that is nearer to what a checkpoint of weights alone holds.
    """

    def __init__(
        self,
        *,
        model: nn.Module,
        loss: Loss,
        normalise: Normalise,
        optimisation: Optimisation,
        metrics: MetricCollection,
        record: Mapping[str, Any],
        seed: int,
        averager: Averager | None = None,
        transforms: BatchTransforms | None = None,
        loss_weights: LossWeights | None = None,
        contrast: EmbeddingTerm | None = None,
        portable: Sequence[Callable[[dict[str, Tensor]], dict[str, Tensor]]] = (),
    ) -> None:
        super().__init__()
        self.model = model
        self.loss = loss
        self.normalise = normalise
        self.optimisation = optimisation
        self.metrics = metrics
        self.val_loss = MeanMetric()
        self.train_loss = PictureMean()
        self.record = dict(record)
        self.seed = seed
        self.averager = averager
        self.transforms = transforms or BatchTransforms()
        self.loss_weights = loss_weights or LossWeights()
        self.contrast = contrast
        self.teacher: Teacher | None = None  # no module of this one: it is neither trained nor saved
        self.distillation: DistillationTerm | None = None
        self.portable = tuple(portable)
        self.tiny_maps = TinyMaps(model)
        self.returns_plain_logits = False  # a callback that reads them asks: a head with a margin passes twice

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
        return self.transforms(batch, self.current_epoch) if self.trainer.training else batch

    def taught_by(self, teacher: Teacher | None, distillation: DistillationTerm | None) -> None:
        """Has training compare with a teacher, by a term beside the loss."""
        self.teacher, self.distillation = teacher, distillation

    def losses(self, output: ModelOutput, batch: Batch) -> Tensor:
        """The weighted sum of the loss's terms, `[B]`."""
        return objective(self.loss, output, batch, self.loss_weights)

    def on_fit_start(self) -> None:
        if self.teacher is not None:
            self.teacher.to(self.device)

    def on_train_batch_start(self, batch: Batch, batch_idx: int) -> None:
        sequence = np.random.SeedSequence([self.seed, self.current_epoch, batch_idx, self.global_rank])
        torch.manual_seed(int(sequence.generate_state(1, np.uint64)[0]))

    def training_step(self, batch: Batch, batch_idx: int) -> StepOutput:
        pictures = len(batch["row"])
        with self.tiny_maps.exact(batch["image"]):
            output = self.model(batch["image"], batch["target"])
        value = self.losses(output, batch).mean()
        if self.contrast is not None:
            value = value + self.contrast.weight * self.contrast(output.embedding, batch).mean()
        if self.distillation is not None:
            value = value + self.distillation.weight * self.distillation(output, self._taught(batch)).mean()
        # Two names by hand: one log call for both would call the steps' figure train/loss_step.
        self.log("train/loss", value, prog_bar=True, batch_size=pictures)
        self.train_loss.update(value.detach(), pictures)
        self.log("train/loss_epoch", self.train_loss, on_step=False, on_epoch=True)
        loss = value * weight_among_ranks(self.trainer, pictures, self.device)
        told = StepOutput(loss=loss, output=without_gradients(output))
        if self.returns_plain_logits:  # before the optimiser's step, after which the head is another one
            told["plain_logits"] = self.model.plain_logits(output)  # type: ignore[operator]
        return told

    def _taught(self, batch: Batch) -> Batch:
        """The batch with its teacher's answers for the very pixels that the student has seen (Beyer 2022, "Knowledge
        distillation: A good teacher is patient and consistent", arXiv 2106.05237)."""
        assert self.teacher is not None
        return {**batch, "teacher": self.teacher(self.normalise.pixels(batch["image"]), batch["row"])}

    def validation_step(self, batch: Batch, batch_idx: int) -> StepOutput:
        output = self.model(batch["image"])
        self.val_loss.update(self.losses(output, batch)[batch["target"] != UNKNOWN_TARGET])
        self.metrics.update(output.logits, batch["target"])
        return {"output": output}

    def on_validation_epoch_end(self) -> None:
        figures: dict[str, Any] = {f"val/{name}": value for name, value in self.metrics.compute().items()}
        figures["val/loss"] = self.val_loss.compute()
        self.log_dict(figures, prog_bar=True)
        self.metrics.reset()
        self.val_loss.reset()
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
        terms = [term for term in (self.contrast, self.distillation) if term is not None and list(term.parameters())]
        return self.optimisation.build(self.model, *terms)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        checkpoint["hyper_parameters"] = self.record
        checkpoint["position"] = position(self.trainer)
        if checkpoint["position"]["batches"]:
            checkpoint[LOSS_SO_FAR] = [self.train_loss.total.clone(), self.train_loss.pictures.clone()]
        if self.averager is not None:
            self.averager.into_checkpoint(checkpoint)
        # One that has the optimiser's state is there to go on from: it keeps the weights as they are trained.
        if "optimizer_states" not in checkpoint:
            self._leave_weights_alone(checkpoint)

    def _leave_weights_alone(self, checkpoint: dict[str, Any]) -> None:
        """Takes out what is of use in training only; callbacks put in what they do into the others."""
        for callback in self.trainer.callbacks:  # type: ignore[attr-defined]
            callback.on_save_checkpoint(self.trainer, self, checkpoint)
        left_out = (f"model.{AUXILIARY}", *BESIDE)
        kept = {name: tensor for name, tensor in checkpoint["state_dict"].items() if not name.startswith(left_out)}
        for portable in self.portable:
            kept = portable(kept)
        checkpoint["state_dict"] = kept

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        if LOSS_SO_FAR in checkpoint:
            self.train_loss.total, self.train_loss.pictures = (sums.to(self.device) for sums in checkpoint[LOSS_SO_FAR])
        if self.averager is not None:
            self.averager.from_checkpoint(checkpoint)

    def drop_auxiliary(self) -> None:
        """Leaves the model that is kept, without what was of use in training only."""
        self.model.auxiliary = None  # type: ignore[assignment]
        self.contrast = self.distillation = self.teacher = None


def record(labels: Sequence[str], plan: Mapping[str, Any]) -> dict[str, Any]:
    """What a checkpoint must say of itself to be loaded without its folder: plain containers only (weights_only)."""
    return {"labels": list(labels), "plan": dict(plan)}
