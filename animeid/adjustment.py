"""Post-hoc logit adjustment: a finished run answers as if its classes had been equally frequent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import pandas as pd
from torch import Tensor, nn

from animeid.engine.module import CharacterModule
from animeid.errors import InputError
from animeid.folder import RunFolder
from animeid.judge import read_answers
from animeid.losses.logit_adjustment import LogitAdjustmentLoss
from animeid.metrics.adjustment import choose_tau
from animeid.types import LabelStats
from animeid.values import Tau


def adjust_logits(
    run: RunFolder, plan: Mapping[str, Any], stats: LabelStats, module: CharacterModule, tau: Tau
) -> tuple[str, ...]:
    """Has the module answer `z - tau log prior`, with the prior that its sampler showed; returns what there is to say.

    Args:
        tau: `auto` is that of the best `f1_macro` on the validation answers that the run saved.

    Raises:
        InputError: the run's loss has adjusted already, a class was never shown, or `auto` has no validation part.
    """
    if tau == 0:
        return ()
    if plan["loss"]["_target_"].endswith(LogitAdjustmentLoss.__name__) and plan["loss"]["tau"]:
        raise InputError(
            f"logit_adjustment={tau} would adjust the logits of {run.path} twice, for its loss has done so in "
            "training: leave it out"
        )
    if (stats.prior == 0).any():
        raise InputError(f"logit_adjustment={tau} needs training pictures of every class of {run.path}: leave it out")
    chosen = choice(run, stats) if tau == "auto" else tau
    offset = chosen * stats.log_prior

    def shifted(head: nn.Module, inputs: tuple[Tensor], logits: Tensor) -> Tensor:  # noqa: ARG001
        return logits - offset.to(logits.device, logits.dtype)

    cast(nn.Module, module.model.head).register_forward_hook(shifted)
    how = ", which is best on validation" if tau == "auto" else ""
    return (f"logits are adjusted by the training prior, tau {chosen:g}{how}",)


def choice(run: RunFolder, stats: LabelStats) -> float:
    """The tau that is best on the run's own validation part."""
    splits = pd.read_parquet(run.predictions, columns=["split", "target"])
    targets = splits["target"][splits["split"] == "val"].to_numpy()
    if not (targets >= 0).any():
        raise InputError(f"logit_adjustment=auto chooses on validation, and {run.path} has no such part: give a number")
    return choose_tau(read_answers(run, "val").logits, targets, stats.log_prior.numpy())
