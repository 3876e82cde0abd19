"""Mixing of early feature maps' statistics in training."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import numpy as np
import torch
from annotated_types import Gt, Interval
from lightning.pytorch import LightningModule, Trainer
from torch import Tensor, nn

from animeid.engine.callbacks.contract import Feedback
from animeid.models.backbone import TimmBackbone
from animeid.models.mix_style import StyleMix, mix_style, partners_across
from animeid.models.stage_modules import stage_modules
from animeid.models.taps import Stages
from animeid.types import Batch

STREAM = 2
"""Keeps these random numbers apart from those of augmentation and mixing, which come from seed, epoch and draw too."""


class MixStyle(Feedback):
    """Mixes means and deviations of feature maps between the pictures of a training batch (see `mix_style`).

    It hangs on the backbone while training lasts, and acts between a training batch's beginning and its gradients only:
    validation, statistics of averages and every answer see the network alone. It has no parameters and no state: what
    is drawn comes from seed, epoch and the batch's first draw, so that a run that goes on mixes as the straight run.

    Args:
        seed: of the run.
        backbone: whose maps are mixed.
        probability: of mixing after a stage, drawn for each batch.
        alpha: of the Beta(alpha, alpha) that shares are drawn from.
        stages: after which maps are mixed, counted from 0, -1 being the last; null takes those with strides 4 and 8,
            the first two groups of blocks of a ResNet, as in the paper.
        across_styles: whether the partner of a picture is of another style, where the batch has one; else the batch is
            shuffled.

    Raises:
        InputError: the network has no such stages, or their outputs are no maps of channels.
    """

    def __init__(
        self,
        seed: int,
        backbone: TimmBackbone,
        *,
        probability: Annotated[float, Interval(ge=0, le=1)] = 0.5,
        alpha: Annotated[float, Gt(0)] = 0.1,
        stages: Stages | None = None,
        across_styles: bool = False,
    ) -> None:
        self.seed, self.probability, self.alpha = seed, probability, alpha
        self.backbone = backbone
        self.layers = stage_modules(backbone, stages, "feature_mixing")
        self.uses_styles = across_styles
        self.mixes: list[StyleMix] | None = None
        self.handles: list[torch.utils.hooks.RemovableHandle] = []

    def take_styles(self, number: int) -> None:
        """Needs no number of styles."""

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.handles = [layer.register_forward_hook(self._after(place)) for place, layer in enumerate(self.layers)]

    def on_fit_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        for handle in self.handles:
            handle.remove()

    def on_train_batch_start(self, trainer: Trainer, pl_module: LightningModule, batch: Batch, batch_idx: int) -> None:
        key = [self.seed, trainer.current_epoch, int(batch["draw"][0])]
        random = np.random.default_rng(np.random.SeedSequence(key, spawn_key=(STREAM,)))
        self.mixes = [self._drawn(batch, random) for _ in self.layers]

    def on_after_backward(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.mixes = None

    def _drawn(self, batch: Batch, random: np.random.Generator) -> StyleMix:
        partners, device = self._partners(batch, random), batch["image"].device
        return StyleMix.drawn(random, partners, probability=self.probability, alpha=self.alpha, device=device)

    def _partners(self, batch: Batch, random: np.random.Generator) -> np.ndarray:
        if self.uses_styles:
            return partners_across(batch["style"].cpu().numpy(), random)
        return random.permutation(len(batch["image"]))

    def _after(self, place: int) -> Callable[[nn.Module, Any, Tensor], Tensor]:
        def mixed(_: nn.Module, __: Any, features: Tensor) -> Tensor:
            # In evaluation nothing is mixed, also where a network is asked something in the middle of a step.
            if self.mixes is None or not self.backbone.training:
                return features
            return mix_style(features, self.mixes[place])

        return mixed
