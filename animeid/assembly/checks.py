"""Checks of a plan's network before training."""

from __future__ import annotations

from copy import deepcopy

import torch

from animeid.assembly.model import as_size
from animeid.assembly.plan import Plan
from animeid.config import gateway
from animeid.errors import InputError
from animeid.models.classifier import Classifier


def check_batch_size(plan: Plan, model: Classifier) -> None:
    """Tries a picture alone, which batch norm cannot train on where it is a single value a channel."""
    if plan.data.batch_size != 1:
        return
    try:
        deepcopy(model).train()(torch.zeros((1, 3, *as_size(plan.data.image_size))))
    except ValueError as error:
        raise InputError(
            f"{model.backbone.name} has batch norm, which cannot be trained on data.batch_size=1 at this image size: "
            "take 2 or more, and trainer.accumulate_grad_batches for more still"
        ) from error


def check_first_size(plan: Plan, model: Classifier) -> None:
    """Tries the smallest pictures that training will show."""
    resizing = gateway.build(plan["resizing"], "resizing")
    if resizing is None:
        return
    sides = [resizing.side(full, 0) for full in as_size(plan.data.image_size)]
    try:
        with torch.no_grad():
            deepcopy(model).eval()(torch.zeros((1, 3, *sides)))
    except (AssertionError, RuntimeError, ValueError) as error:
        raise InputError(
            f"{model.backbone.name} takes pictures of data.image_size only, and resizing=progressive begins with "
            f"{sides[0]} px: take resizing=none, or a network without position embeddings of a fixed size"
        ) from error
