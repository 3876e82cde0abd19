"""What of the class prior is left in the logits of a run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

from animeid.assembly.effective_prior import effective_prior
from animeid.assembly.module import build_stage
from animeid.assembly.plan import FinalPlan, label_stats
from animeid.config import gateway
from animeid.losses.contract import adjusts_by_prior, lifts_rare_classes
from animeid.runs.folder import RunFolder
from animeid.runs.saved import SavedRun
from animeid.types import LabelStats


def losses_of(loss: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """A plan's loss and those that it stands on, the outermost first."""
    yield loss
    for value in loss.values():
        if isinstance(value, Mapping) and "_target_" in value:
            yield from losses_of(value)


def leftover_prior(plan: Mapping[str, Any], stats: LabelStats) -> Tensor | None:
    """`[C]` float32: the part of the log-prior that stands in the logits by which a run names pictures.

    A network that is trained with cross entropy learns `log p(x|y) + log prior`, with the prior that its sampler shows;
    one whose loss adds `tau log prior` itself (logit adjustment; balanced softmax has tau 1) learns the rest,
    `(1 - tau) log prior`, and a head that was fitted without the prior has nothing of it.

    Distillation compares like with like by this: from a teacher's logits its own leftover is taken off and the
    student's is added, so that a prior is neither learnt twice nor taken off twice, and the student's own loss goes on
    to add what it adds.

    Args:
        plan: of the run. stats: its classes, with the prior that it was shown.

    Returns:
        None where it cannot be told: the loss or the second stage favours rare classes by other means, or there is a
        class that was never shown.
    """
    stage = build_stage(plan)
    if stage.fits_head:
        return torch.zeros(stats.num_classes)
    parts = [(gateway.part_class(part, "loss"), part) for part in losses_of(plan["loss"])]
    taus = [part.get("tau", 1.0) for loss, part in parts if adjusts_by_prior(loss)]
    lifted = any(lifts_rare_classes(loss) for loss, _ in parts) or not (stage.trains or stage.mixture)
    if lifted or (stats.prior == 0).any():
        return None
    return (1.0 - sum(taus)) * stats.log_prior


def leftover_of(folder: RunFolder) -> Tensor | None:
    """`[C]`: what of the prior stands in a finished run's logits; None where that cannot be told."""
    plan = FinalPlan.read(folder.config)
    shown = effective_prior(folder, plan)
    return None if shown is None else leftover_prior(plan, label_stats(plan, SavedRun(folder).labels).showing(shown))
