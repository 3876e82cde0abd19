"""Class prior that a finished run was trained with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from animeid.config import gateway
from animeid.data.samplers.contract import varies_by_epoch
from animeid.engine.callbacks.shown_prior import SHOWN
from animeid.models.checkpoint import read_torch
from animeid.runs.folder import RunFolder


def effective_prior(run: RunFolder, plan: Mapping[str, Any]) -> Tensor | None:
    """`[C]` float64: the class distribution of the epoch whose weights a run keeps.

    Of averaged weights it is that of the epoch after which they were saved.

    Args:
        plan: the run's.

    Returns:
        None where epochs differ and the run does not say what each showed, as versions before did not.
    """
    saved: Tensor | None = read_torch(run.best, mmap=True).get(SHOWN)
    if saved is not None:
        return saved.clone()
    if varies_by_epoch(gateway.part_class(plan["sampler"], "sampler")):
        return None
    return torch.tensor(plan["facts"]["prior"], dtype=torch.float64)
