"""What training will choose where it is left to choose, told by the functions that choose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from animeid.build import build_model, without_weights
from animeid.engine.devices import choose_precision
from animeid.models.catalogue import hub_repository
from animeid.models.initial import unavailable
from animeid.models.published import cached_file
from animeid.plan import BATCH_SIZE, plan_for

FEW_CLASSES = 2
"""A model needs some number of classes to be built; its backbone, which decides, does not depend on it."""


def plan_without_data(request: Mapping[str, Any], accelerator: str) -> dict[str, Any]:
    """The plan for a folder that is large enough for whole batches."""
    plan = plan_for(request, 10 * BATCH_SIZE, accelerator)
    model = build_model(without_weights(plan), FEW_CLASSES)
    if plan["trainer"]["precision"] == "auto":
        plan["trainer"]["precision"] = choose_precision(accelerator, bool(model.backbone.has_depthwise))
    return plan


@dataclass(frozen=True)
class Weights:
    """What a model will start from: whether the weights are random, and a sentence."""

    is_random: bool
    note: str


def initial_weights(request: Mapping[str, Any], hub: str | None) -> Weights:
    """What the weights will be, without downloading them.

    Args:
        request: of training.
        hub: why the hub cannot be used; None where it can.

    Raises:
        InputError: published weights are insisted on and cannot be had.
    """
    card = request["model"]
    name, pretrained = card["name"], card["pretrained"]
    if request["from_run"] is not None:
        return Weights(False, f"those of the run {request['from_run']}")
    if card["weights"] is not None:
        return Weights(False, f"those of {card['weights']}")
    if pretrained is False:
        return Weights(True, "random, as model.pretrained=false asks")
    repository = hub_repository(name)
    if repository and cached_file(repository):
        return Weights(False, f"the published ones {repository}, from the cache")
    if repository and hub is None:
        return Weights(False, f"the published ones {repository}, which training downloads first")
    reason = hub if repository else "timm names none on the Hugging Face hub"
    if pretrained is True:
        raise unavailable(name, reason)
    return Weights(True, f"RANDOM, since published ones of {name} cannot be had ({reason})")
