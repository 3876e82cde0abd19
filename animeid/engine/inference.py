"""A model's answers for all pictures of a loader."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader

from animeid.engine.views import Views
from animeid.models.inference import InferenceModel
from animeid.predictions import Predictions
from animeid.system.progress import progress
from animeid.terms import UNKNOWN_TARGET
from animeid.types import Batch, ModelOutput

Losses = Callable[[ModelOutput, Batch], Tensor]
"""Answers and their batch, on one device, to the loss of each picture, `[B]`."""


def output_of(model: InferenceModel, image: Tensor, precision: torch.dtype, views: Views | None = None) -> ModelOutput:
    """The model's answer for uint8 pictures `[B, 3, H, W]` on its device, under autocast unless float32."""
    with torch.autocast(model.device.type, dtype=precision, enabled=precision != torch.float32):
        return model(image) if views is None else views.answer(model, image)


@torch.inference_mode()
def predict_batches(
    model: InferenceModel, loader: DataLoader, what: str, precision: torch.dtype, views: Views | None = None
) -> Iterator[tuple[dict[str, Any], ModelOutput]]:
    """Each batch of a loader as it comes, and the model's answer for its `image`; both are on the model's device."""
    for batch in progress(loader, len(loader), what):
        image = batch["image"].to(model.device, non_blocking=True)
        yield {**batch, "image": image}, output_of(model, image, precision, views)


@torch.inference_mode()
def predict_each(
    model: InferenceModel,
    loader: DataLoader,
    what: str,
    precision: torch.dtype = torch.float32,
    views: Views | None = None,
    losses: Losses | None = None,
) -> Iterator[Predictions]:
    """Answers every picture once, a batch at a time, with progress; the model stays where it is, in evaluation mode.

    Args:
        views: what each picture is seen in; None as it is.
        losses: tells the loss of each picture; without it all are NaN, as is that of a picture of no class.
    """
    model.eval()
    for batch, output in predict_batches(model, loader, what, precision, views):
        yield as_predictions(batch["row"], output, None if losses is None else _known(losses, output, batch))


def _known(losses: Losses, output: ModelOutput, batch: dict[str, Tensor]) -> Tensor:
    """`[B]` losses, NaN where the target is no class."""
    moved = {name: value.to(output.logits.device, non_blocking=True) for name, value in batch.items()}
    return losses(output, moved).masked_fill(moved["target"] == UNKNOWN_TARGET, float("nan"))  # type: ignore[arg-type]


def as_predictions(rows: Tensor, output: ModelOutput, losses: Tensor | None = None) -> Predictions:
    """One batch on the host, in float32; without losses they are NaN."""
    if losses is None:
        losses = torch.full((len(rows),), float("nan"))
    parts = (output.logits, output.embedding, losses)
    return Predictions(rows.numpy(), *(part.float().cpu().numpy() for part in parts))
