"""The checked request of a command."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from omegaconf import DictConfig

from animeid.config.check import accept, check, complete
from animeid.config.defaults import default_request, fixed_keys
from animeid.config.earlier_data import with_earlier_data, with_earlier_network
from animeid.config.freeze import freeze
from animeid.config.gateway import try_transforms
from animeid.config.own_code import KEY, allow
from animeid.config.paths import with_paths
from animeid.config.pruned import check_pruned
from animeid.config.roots import request_target
from animeid.config.second_stage import inherit
from animeid.errors import InputError


def checked(root: str, config: DictConfig, overrides: Sequence[str]) -> dict[str, Any]:
    """The request that a composed configuration makes: checked, with nothing heavy imported.

    Args:
        root: the command.
        config: as composed.
        overrides: what the command line set, `key=value` each.

    Raises:
        InputError: the first thing that is wrong with it.
    """
    request = freeze(config)
    allow(request.get(KEY), overrides)
    request = with_paths(request, overrides, request_target(root))
    accept(request_target(root), check(request), "", is_partial=False)
    if request.get("stage"):
        request = inherit(request, overrides)
        check(request)
    elif request.get("from_run"):
        request = with_earlier_data(request, overrides)
        request = with_earlier_network(request, default_request(root), overrides)
    check_budget(request)
    check_weights(request)
    check_taught(request)
    check_pruned(request)
    return request


def tried(root: str, request: dict[str, Any], overrides: Sequence[str]) -> dict[str, Any]:
    """The checked request as the command works on it, what takes longer to check included.

    The recipe is told what the command line fixes, for which the root is composed once more; transforms are built once,
    for which albumentations is imported.

    Raises:
        InputError: a transform refuses its arguments.
    """
    if request.get("recipe"):
        request = {**request, "recipe": {**request["recipe"], "fixed": fixed_keys(root, request, overrides)}}
    try_transforms(request)
    return complete(request)


def check_budget(request: Mapping[str, Any]) -> None:
    """Raises:
    InputError: a budget is given where epochs are not chosen by one.
    """
    if request.get("budget") is None:
        return
    if not request["recipe"]:
        raise InputError(
            f"budget={request['budget']} is what recipe=auto chooses the epochs by: take recipe=auto, or leave it out"
        )
    if request["trainer"]["max_epochs"] != "auto":
        raise InputError(
            f"budget={request['budget']} and trainer.max_epochs={request['trainer']['max_epochs']} both say how long "
            "to train: leave one out"
        )


def check_taught(request: Mapping[str, Any]) -> None:
    """Raises:
    InputError: a teacher has no way to teach, or a way no teacher, or nothing learns that could be taught.
    """
    teacher, distill = request.get("teacher"), request.get("distill")
    if teacher is None and distill is None:
        return
    if distill is None:
        raise InputError(
            f"teacher={teacher} needs a way to teach: add distill=logits, distill=dist or distill=embedding"
        )
    if teacher is None:
        raise InputError(
            "distill compares with a teacher: add teacher=RUN, the folder of a finished run, or leave it out"
        )
    if (request.get("effort") or {}).get("runs", 1) > 1:
        raise InputError("effort=best trains several runs that start from one another: leave out teacher and distill")
    if request.get("stage"):
        raise InputError("a teacher is for a training of its own: leave out teacher and distill, or stage")


def check_weights(request: Mapping[str, Any]) -> None:
    """Raises:
    InputError: weights are to come from an earlier run and from elsewhere as well, or its pictures without it.
    """
    if request.get("from_run") is None:
        if (request.get("data") or {}).get("replay"):
            raise InputError(
                "data.replay trains on the pictures of an earlier run as well: add from_run=RUN, its folder, or leave "
                "it out"
            )
        return
    model = request["model"]
    if model.get("weights") is not None or model.get("pretrained") is True:
        other = "model.pretrained=true" if model.get("pretrained") is True else "model.weights"
        raise InputError(f"from_run and {other} both say where weights come from: leave one out")
