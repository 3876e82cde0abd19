"""The loss of a finished run, as its training left it."""

from __future__ import annotations

import torch
from torch import Tensor

from animeid.assembly.plan import Plan
from animeid.config import gateway
from animeid.engine.inference import Losses
from animeid.models.checkpoint import read_torch
from animeid.runs.folder import RunFolder
from animeid.types import Batch, LabelStats, ModelOutput

LOSS = "loss."
"""Where a state dict has what the loss has learnt."""


def load_losses(folder: RunFolder, plan: Plan, stats: LabelStats, device: torch.device) -> Losses:
    """What tells the loss of each picture, with what the run's loss has learnt, such as class weights."""
    loss = gateway.build(plan["loss"], "loss", stats=stats)
    state = read_torch(folder.best, mmap=True)["state_dict"]
    own = {name.removeprefix(LOSS): tensor for name, tensor in state.items() if name.startswith(LOSS)}
    loss.load_state_dict(own, strict=False)
    loss.to(device).eval()

    def losses(output: ModelOutput, batch: Batch) -> Tensor:
        return torch.stack(list(loss(output, batch).values())).sum(0)

    return losses
