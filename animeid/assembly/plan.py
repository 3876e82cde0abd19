"""From request to plan: every `auto` that depends on data or device is filled in."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import TYPE_CHECKING, Any

import torch

from animeid.engine.devices import default_workers
from animeid.errors import InputError
from animeid.system.launcher import ProcessRank, own_place
from animeid.types import LabelStats

if TYPE_CHECKING:
    from animeid.data.prepare import Prepared

Plan = dict[str, Any]

# Chosen on validation parts by experiments/defaults.
IMAGE_SIZE = 64
MAX_EPOCHS = 10
BATCH_SIZE = 32


def default_batch_size(pictures: int, views: int = 1) -> int:
    """Halved until an epoch has ten optimiser steps: with fewer, small folders are hardly trained at all.

    Args:
        pictures: in the training part.
        views: of each picture in a batch, which is made of whole pictures and two at least.
    """
    size = BATCH_SIZE
    while size > 4 and pictures < 10 * size:
        size //= 2
    return size if views == 1 else max(size // views, 2) * views


def _replace_auto(section: dict[str, Any], **values: Any) -> None:
    for key, value in values.items():
        if section.get(key) == "auto":
            section[key] = value


def make_plan(request: Mapping[str, Any], prepared: Prepared, accelerator: str) -> dict[str, Any]:
    """The request with data's and device's `auto` filled in; what depends on the model is left to `build`."""
    return plan_for(request, int((prepared.manifest.table["split"] == "train").sum()), accelerator)


def plan_for(request: Mapping[str, Any], pictures: int, accelerator: str) -> dict[str, Any]:
    """The plan for so many training pictures, which are all that it takes from the data."""
    plan = deepcopy(dict(request))
    views = views_of(plan)
    _replace_auto(
        plan["data"],
        image_size=IMAGE_SIZE,
        batch_size=default_batch_size(pictures, views),
        num_workers=default_workers(accelerator),
    )
    _refuse_separate_views(plan["data"]["batch_size"], views)
    plan["trainer"]["accelerator"] = accelerator
    _replace_auto(plan["trainer"], max_epochs=MAX_EPOCHS)
    place_processes(plan["trainer"], accelerator, own_place())
    _replace_auto(plan["sampler"], epochs=plan["trainer"]["max_epochs"])
    if plan["resizing"]:
        _replace_auto(plan["resizing"], epochs=plan["trainer"]["max_epochs"])
    if plan["contrastive"] and plan["mixing"]:
        raise InputError(
            "contrastive draws pictures of one class together, and mixed ones are of two: take mixing=none or "
            "contrastive=none"
        )
    if plan["mixing"]:
        _replace_auto(plan["mixing"], off_epoch=max(9 * plan["trainer"]["max_epochs"] // 10, 1))
    if plan["averaging"]:
        _replace_auto(plan["averaging"], start_epoch=3 * plan["trainer"]["max_epochs"] // 4)
        _refuse_late_average(plan["averaging"]["start_epoch"], plan["trainer"]["max_epochs"])
    return plan


def views_of(plan: Mapping[str, Any]) -> int:
    """How often each drawn picture stands in a training batch."""
    return int((plan.get("contrastive") or {}).get("views", 1))


def _refuse_separate_views(batch_size: int, views: int) -> None:
    if views > 1 and (batch_size % views or batch_size == views):
        raise InputError(
            f"data.batch_size={batch_size} does not hold the contrastive.views={views} of two or more whole pictures: "
            f"take a multiple of {views} from {2 * views} on, or contrastive=none"
        )


def _refuse_late_average(start_epoch: int, max_epochs: int) -> None:
    if start_epoch >= max_epochs:
        raise InputError(
            f"averaging.start_epoch={start_epoch} comes after the last of trainer.max_epochs={max_epochs} epochs (the "
            "first is 0): start earlier, train longer, or take averaging=none"
        )


def place_processes(trainer: dict[str, Any], accelerator: str, place: ProcessRank) -> None:
    """Fills in `devices` and `num_nodes`: a launcher has decided both, without one there is one node.

    Raises:
        InputError: they are given as something else than what was started, or a process has no device of its own.
    """
    cards = torch.cuda.device_count() if accelerator == "cuda" else 0
    if place.size == 1:
        _replace_auto(trainer, devices=1, num_nodes=1)
        if trainer["num_nodes"] > 1:
            raise InputError(
                f"trainer.num_nodes={trainer['num_nodes']} needs a process on every node, and this is one process "
                "alone: start the same command on each by torchrun or srun (see the README)"
            )
        if trainer["devices"] == "all":
            trainer["devices"] = max(cards, 1)
        return
    if trainer["devices"] in ("auto", "all"):
        trainer["devices"] = place.local_size
    _replace_auto(trainer, num_nodes=place.nodes)
    if (trainer["devices"], trainer["num_nodes"]) != (place.local_size, place.nodes):
        raise InputError(
            f"trainer.devices={trainer['devices']} trainer.num_nodes={trainer['num_nodes']} was asked for, and "
            f"{place.local_size} processes on each of {place.nodes} nodes were started: give the numbers that were "
            "started, or leave both out"
        )
    if accelerator == "cuda" and cards < place.local_size:
        raise InputError(
            f"{place.local_size} processes were started on this node, and each sees {cards} GPUs: start as many as "
            "there are, and let each see all of them (SLURM: --gpus-per-node, not --gpus-per-task)"
        )


def processes_of(plan: Mapping[str, Any]) -> int:
    """How many processes a final plan has, on all nodes."""
    trainer = plan["trainer"]
    return trainer["devices"] * trainer.get("num_nodes", 1)


def label_stats(facts: Mapping[str, Any], labels: tuple[str, ...], data: Mapping[str, Any]) -> LabelStats:
    """The statistics that a plan recorded."""
    return LabelStats(
        labels,
        torch.tensor(facts["counts"]),
        torch.tensor(facts["prior"], dtype=torch.float64),
        many_above=data["many_above"],
        few_below=data["few_below"],
    )
