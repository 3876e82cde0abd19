"""A model's answers for all pictures of a loader."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader

from animeid.engine.module import CharacterModule
from animeid.engine.views import Views
from animeid.predictions import Predictions
from animeid.system.progress import progress
from animeid.terms import UNKNOWN_TARGET
from animeid.types import ModelOutput


def output_of(
    module: CharacterModule, image: Tensor, precision: torch.dtype, views: Views | None = None
) -> ModelOutput:
    """The module's answer for uint8 pictures `[B, 3, H, W]` on its device, under autocast unless float32."""
    with torch.autocast(module.device.type, dtype=precision, enabled=precision != torch.float32):
        return module(image) if views is None else views.answer(module, image)


def _parts(
    module: CharacterModule, batch: dict[str, Tensor], precision: torch.dtype, views: Views | None
) -> tuple[Tensor, ...]:
    device = module.device
    moved = {name: value.to(device, non_blocking=True) for name, value in batch.items()}
    output = output_of(module, moved["image"], precision, views)
    losses = module.losses(output, moved)  # type: ignore[arg-type]
    losses = losses.masked_fill(moved["target"] == UNKNOWN_TARGET, float("nan"))
    return batch["row"], output.logits.float().cpu(), output.embedding.float().cpu(), losses.float().cpu()


@torch.inference_mode()
def predict_all(
    module: CharacterModule,
    loader: DataLoader,
    what: str,
    precision: torch.dtype = torch.float32,
    views: Views | None = None,
) -> Predictions:
    """Answers every picture once, with progress; the module stays where it is and in evaluation mode.

    Args:
        views: what each picture is seen in; None as it is.
    """
    module.eval()
    parts = [_parts(module, batch, precision, views) for batch in progress(loader, len(loader), what)]
    if not parts:  # a process may have no share of a small part
        nothing = np.zeros((0, 0), np.float32)
        return Predictions(np.zeros(0, np.int64), nothing, nothing, nothing.ravel())
    rows, logits, embeddings, losses = (torch.cat(part).numpy() for part in zip(*parts, strict=True))
    return Predictions(rows, logits, embeddings, losses)
