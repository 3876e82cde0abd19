"""Origin of initial weights, told without a download."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from animeid.config.freeze import read_plan
from animeid.config.second_stage import trains
from animeid.models.catalogue import hub_repository
from animeid.models.initial import unavailable, with_package
from animeid.models.packages import installed_file, package_of
from animeid.models.published import cached_file
from animeid.runs.folder import RunFolder
from animeid.system.hub import why_unreachable


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
    if at_hand := _at_hand(name):
        return Weights(False, f"the published ones {at_hand}")
    repository = hub_repository(name)
    if repository and hub is None:
        return Weights(False, f"the published ones {repository}, which training downloads first")
    reason = with_package(str(hub), package_of(name)) if repository else "timm names none on the Hugging Face hub"
    if pretrained is True:
        raise unavailable(name, reason)
    return Weights(True, f"RANDOM, since published ones of {name} cannot be had ({reason})")


def is_at_hand(name: str) -> bool:
    """Whether published weights of a network can be had without network."""
    return _at_hand(name) is not None


def _at_hand(name: str) -> str | None:
    """Published weights that need no network, and where they are."""
    repository, package = hub_repository(name), package_of(name)
    if repository and cached_file(repository):
        return f"{repository}, from the cache"
    if package and installed_file(package):
        return f"in the package {package.distribution}"
    return None


@dataclass(frozen=True)
class Beginning:
    """What training begins with.

    is_random: random weights. is_published: a network as it was published, or as a file has it; a head may be fitted.
    has_new_head: loaded weights under a random head.
    keeps_statistics: those of a run that left the statistics of batch norms as they were.
    """

    is_random: bool
    is_published: bool = False
    has_new_head: bool = False
    keeps_statistics: bool = False


def beginning_of(request: Mapping[str, Any]) -> Beginning:
    """What training by this request begins with.

    Raises:
        InputError: published weights are insisted on and cannot be had.
    """
    if starts_from_random(request):
        return Beginning(True)
    if request["from_run"] is None:
        return Beginning(False, is_published=True, has_new_head=True)
    first = read_plan(RunFolder.open(request["from_run"]).config)
    return Beginning(
        False,
        is_published=_is_probe(first),
        has_new_head=request["from_run_parts"] == "backbone",
        keeps_statistics=(first.get("freezing") or {}).get("affine") is True,
    )


def _is_probe(first: Mapping[str, Any]) -> bool:
    """Whether a run of this plan fitted a head to published weights, and trained nothing."""
    return not trains(first.get("stage")) and first["facts"]["weights"]["source"] not in ("random", "run")


def starts_from_random(request: Mapping[str, Any]) -> bool:
    """Whether training by this request begins with random weights; the hub is asked only where that decides.

    Raises:
        InputError: published weights are insisted on and cannot be had.
    """
    has_own = request["from_run"] is not None or request["model"]["weights"] is not None
    if has_own or request["model"]["pretrained"] is False:
        return not has_own
    if _at_hand(request["model"]["name"]):
        return False
    return initial_weights(request, why_unreachable()).is_random
