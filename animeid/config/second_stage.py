"""The request of a second stage: what it works on is the first stage's, how it works is its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import TYPE_CHECKING, Any

from animeid.config import gateway
from animeid.config.arguments import keys_of
from animeid.config.earlier_data import earlier_data, with_own_values
from animeid.config.freeze import read_plan
from animeid.errors import InputError
from animeid.runs.folder import RunFolder

if TYPE_CHECKING:
    from animeid.models.stage_contract import Stage

INHERITED = ("data", "augment", "model", "head")
"""The nodes that come from the first stage's plan."""

LEARNT_BY = ("loss", "sampler")
"""Those that come from it as well where the stage trains nothing, since its weights were learnt by them."""


def inherit(request: Mapping[str, Any], overrides: Sequence[str]) -> dict[str, Any]:
    """A training request with the first stage's data and network, but for what the command line sets itself.

    Args:
        request: as composed, with a stage.
        overrides: of the command line, `key=value` each.

    Raises:
        InputError: there is no such run, or the command line says how to train where nothing is trained.
    """
    if request["from_run"] is None:
        if _stage(request["stage"]).fits_head:
            return dict(request)
        raise InputError("a second stage mends the head of a finished run: write from_run=RUN, its folder")
    run = RunFolder.open(request["from_run"])
    first, keys = read_plan(run.config), keys_of(overrides)
    if first["data"].get("refit") is True:
        raise InputError(
            f"{run.path} was trained on train and val, and a second stage chooses on a val part that its run has not "
            f"seen: take from_run={run.twin.path}, or train the first stage with data.refit=false"
        )
    if request["data"].get("refit") is True:
        raise InputError("a second stage has no refit, since its run has learnt from train alone: leave out data.refit")
    names = INHERITED if learns(request["stage"]) else (*INHERITED, *LEARNT_BY)
    _refuse_training_by(names, keys)
    own = {name: deepcopy(first[name]) for name in names if name not in keys}
    if "model" in own:
        own["model"] |= {"pretrained": False, "weights": None}  # they are those of the run
    if "data" in own:
        own["data"] = earlier_data(run, own["data"], request["data"])
    for name, node in own.items():
        with_own_values(node, request[name], name, keys)
    return {**request, **own}


def _refuse_training_by(names: Sequence[str], keys: Sequence[str]) -> None:
    given = next((key for key in keys if key.partition(".")[0] in LEARNT_BY and key.partition(".")[0] in names), None)
    if given is not None:
        raise InputError(f"this stage trains nothing, so that {given} is that of the run in from_run: leave it out")


def learns(stage: Mapping[str, Any] | None) -> bool:
    """Whether a run with the stage of this card learns from pictures; some only change the weights that are there."""
    if not stage:
        return True
    found = _stage(stage)
    return found.trains or found.fits_head


def trains(stage: Mapping[str, Any] | None) -> bool:
    """Whether a run with the stage of this card trains the network, and does not only fit or change what is there."""
    return not stage or _stage(stage).trains


def _stage(card: Mapping[str, Any]) -> Stage:
    from animeid.models.completed import completed
    from animeid.models.stage_contract import Stage

    return completed(gateway.build(card, "stage"), Stage)
