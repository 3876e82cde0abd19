"""Post-hoc logit adjustment: a finished run answers as if its classes had been equally frequent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast

from torch import Tensor, nn

from animeid.assembly.effective_prior import effective_prior
from animeid.engine.module import CharacterModule
from animeid.errors import InputError
from animeid.losses.logit_adjustment import LogitAdjustmentLoss
from animeid.metrics.adjustment import choose_tau
from animeid.runs.finished import FinishedRun
from animeid.runs.folder import RunFolder
from animeid.types import LabelStats
from animeid.values import Tau

LIFT = (
    "ClassBalanced",
    "ClassBalancedLoss",
    "ClassBalancedFocalLoss",
    "LDAMLoss",
    "OnlineClassBalanceLoss",
    "SeesawLoss",
)
"""Losses that favour rare classes by other means than the prior."""


def adjust_logits(
    run: RunFolder, plan: Mapping[str, Any], stats: LabelStats, module: CharacterModule, tau: Tau
) -> tuple[str, ...]:
    """Has the module answer `z - tau log prior`, with the prior that its sampler showed; returns what there is to say.

    Where a sampler's epochs differ, it is that of the epoch whose weights are kept.

    Args:
        tau: `auto` is that of the best `f1_macro` on the validation answers that the run saved.

    Raises:
        InputError: the run's loss has adjusted already, a class was never shown, the prior is not known, or `auto` has
            no validation part.
    """
    if tau == 0:
        return ()
    parts = list(losses_of(plan["loss"]))
    if any(part["_target_"].endswith(f".{LogitAdjustmentLoss.__name__}") and part["tau"] for part in parts):
        raise InputError(
            f"logit_adjustment={tau} would adjust the logits of {run.path} twice, for its loss has done so in "
            "training: leave it out"
        )
    prior = effective_prior(run, plan)
    if prior is None:
        raise InputError(
            f"logit_adjustment={tau} needs the prior of the epoch that {run.path} keeps, which the run does not tell, "
            "and its sampler's epochs differ: leave it out, or train again"
        )
    stats = stats.showing(prior)
    if (stats.prior == 0).any():
        raise InputError(f"logit_adjustment={tau} needs training pictures of every class of {run.path}: leave it out")
    chosen = choice(FinishedRun(run), stats) if tau == "auto" else tau
    offset = chosen * stats.log_prior

    def shifted(head: nn.Module, inputs: tuple[Tensor], logits: Tensor) -> Tensor:  # noqa: ARG001
        return logits - offset.to(logits.device, logits.dtype)

    cast(nn.Module, module.model.head).register_forward_hook(shifted)
    how = ", which is best on validation" if tau == "auto" else ""
    told = [f"logits are adjusted by the training prior, tau {chosen:g}{how}"]
    lifted = [name for part in parts if (name := part["_target_"].rpartition(".")[2]) in LIFT]
    if lifted:
        told.append(f"{lifted[0]} has lifted rare classes in training already: this lifts them again")
    return tuple(told)


def losses_of(loss: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """A plan's loss and those that it stands on, the outermost first."""
    yield loss
    for value in loss.values():
        if isinstance(value, Mapping) and "_target_" in value:
            yield from losses_of(value)


def choice(run: FinishedRun, stats: LabelStats) -> float:
    """The tau that is best on the run's own validation part.

    Raises:
        InputError: the run has no such part, or has not finished.
    """
    positions = run.positions_in("val")
    if not len(positions):
        raise InputError(
            f"logit_adjustment=auto chooses on validation, and {run.folder.path} has no such part: give a number"
        )
    return choose_tau(run.logits[positions], run.targets[positions], stats.log_prior.numpy())
