"""Optimisation of a run: optimiser, rate, decay."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from animeid.optim.groups import parameter_groups
from animeid.optim.schedules import Schedule

OptimizerFactory = Callable[[Iterable[dict[str, Any]]], torch.optim.Optimizer]


@dataclass(frozen=True, kw_only=True)
class Optimisation:
    """Optimiser and schedule of a run.

    optimizer: makes an optimiser of parameter groups.
    schedule: the learning rate over the run.
    total_steps, steps_per_epoch: optimiser steps.
    weight_decay: for parameters that are neither norms nor biases.
    layer_decay: the ratio of a layer's rate to that of the layer above it; None is one rate for all.
    head_lr_scale: the rate of the head, and of what is trained beside the model, over the backbone's; None is 1.
    """

    optimizer: OptimizerFactory
    schedule: Schedule
    total_steps: int
    steps_per_epoch: int
    weight_decay: float = 0.0
    layer_decay: float | None = None
    head_lr_scale: float | None = None

    @property
    def epochs(self) -> int:
        return self.total_steps // self.steps_per_epoch

    def build(self, model: nn.Module, *beside: nn.Module) -> dict[str, Any]:
        """Lightning's `optimizer` and `lr_scheduler` for a model, and for what is trained beside it."""
        decay, scale = self.weight_decay, self.head_lr_scale
        groups = parameter_groups(model, weight_decay=decay, layer_decay=self.layer_decay, head_lr_scale=scale)
        for term in beside:
            groups += [{"lr_scale": scale or 1.0, **group} for group in parameter_groups(term, weight_decay=decay)]
        optimizer = self.optimizer(groups)
        scheduler = self.schedule.build(optimizer, total_steps=self.total_steps, steps_per_epoch=self.steps_per_epoch)
        return {"optimizer": optimizer, "lr_scheduler": scheduler}
