"""Post-hoc logit adjustment: a finished run answers as if its classes had been equally frequent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from animeid.assembly.adjusted import losses_of
from animeid.assembly.effective_prior import effective_prior
from animeid.config import gateway
from animeid.errors import InputError
from animeid.losses.contract import adjusts_by_prior, lifts_rare_classes
from animeid.metrics.adjustment import choose_tau
from animeid.runs.finished import FinishedRun
from animeid.runs.folder import RunFolder
from animeid.types import LabelStats
from animeid.values import Tau


def logit_offset(
    run: RunFolder, plan: Mapping[str, Any], stats: LabelStats, tau: Tau
) -> tuple[Tensor | None, tuple[str, ...]]:
    """`tau log prior` `[C]`, which is taken off the logits, with the prior that the run's sampler showed.

    Where a sampler's epochs differ, it is that of the epoch whose weights are kept.

    Args:
        tau: `auto` is that of the best `f1_macro` on the validation answers that the run saved.

    Returns:
        The offset, and what there is to say; None for `auto` where the run's loss has adjusted in training, so that
        nothing is left to do.

    Raises:
        InputError: the run's loss has adjusted already and a number is given, a class was never shown, the prior is not
            known, or `auto` has no validation part.
    """
    parts = [(gateway.part_class(part, "loss"), part) for part in losses_of(plan["loss"])]
    if any(adjusts_by_prior(loss) and part.get("tau") != 0 for loss, part in parts):
        if tau == "auto":
            return None, (f"logits are left as they are: the loss of {run.path} has adjusted them in training already",)
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
    how = ", which is best on validation" if tau == "auto" else ""
    told = [f"logits are adjusted by the training prior, tau {chosen:g}{how}"]
    lifted = [loss.__name__ for loss, _ in parts if lifts_rare_classes(loss)]
    if lifted:
        told.append(f"{lifted[0]} has lifted rare classes in training already: this lifts them again")
    return chosen * stats.log_prior, tuple(told)


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
    return choose_tau(run.predictions_at(positions).logits, run.targets[positions], stats.log_prior.numpy())
