"""From request to plan: every `auto` that data and device decide is filled in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from animeid.assembly.plan import Plan, views_of
from animeid.data.prepare import Prepared
from animeid.engine.devices import default_workers
from animeid.errors import InputError
from animeid.system.launcher import ProcessRank, own_rank

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


def filled(card: Mapping[str, Any], **values: Any) -> dict[str, Any]:
    """The card with these values in the place of `auto`."""
    return {**card, **{name: value for name, value in values.items() if card.get(name) == "auto"}}


def make_plan(request: Mapping[str, Any], prepared: Prepared, accelerator: str) -> Plan:
    """The plan of a request; what depends on the model is left to `completion.complete`."""
    return plan_for(request, int((prepared.manifest.table["split"] == "train").sum()), accelerator)


def plan_for(request: Mapping[str, Any], pictures: int, accelerator: str) -> Plan:
    """The plan for so many training pictures, which are all that it takes from the data."""
    views = views_of(request)
    data = filled(
        request["data"],
        image_size=IMAGE_SIZE,
        batch_size=default_batch_size(pictures, views),
        num_workers=default_workers(accelerator),
        refit=False,
    )
    _refuse_separate_views(data["batch_size"], views)
    trainer = {**filled(request["trainer"], max_epochs=MAX_EPOCHS), "accelerator": accelerator}
    trainer = place_processes(trainer, accelerator, own_rank())
    timed = _timed(request, trainer["max_epochs"])
    return Plan.from_dict({**request, "data": data, "trainer": trainer, **timed})


def _timed(request: Mapping[str, Any], epochs: int) -> dict[str, Any]:
    """The cards that depend on how long training is; None where the request has none."""
    if request["contrastive"] and request["mixing"]:
        raise InputError(
            "contrastive compares pictures, each of one class and style, and mixed ones are of two: take mixing=none "
            "or contrastive=none"
        )
    asked = {
        "sampler": {"epochs": epochs},
        "resizing": {"epochs": epochs},
        "mixing": {"off_epoch": max(9 * epochs // 10, 1)},
        "averaging": {"start_epoch": 3 * epochs // 4},
    }
    timed = {name: filled(request[name], **values) if request[name] else None for name, values in asked.items()}
    if timed["averaging"]:
        _refuse_late_average(timed["averaging"]["start_epoch"], epochs)
    return timed


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


def place_processes(trainer: Mapping[str, Any], accelerator: str, place: ProcessRank) -> dict[str, Any]:
    """The trainer's card with `devices` and `num_nodes`: a launcher has decided both, without one there is one node.

    Raises:
        InputError: they are given as something else than what was started, or a process has no device of its own.
    """
    cards = torch.cuda.device_count() if accelerator == "cuda" else 0
    if place.size == 1:
        alone = filled(trainer, devices=1, num_nodes=1)
        if alone["num_nodes"] > 1:
            raise InputError(
                f"trainer.num_nodes={alone['num_nodes']} needs a process on every node, and this is one process "
                "alone: start the same command on each by torchrun or srun (see docs/machines.md)"
            )
        return {**alone, "devices": max(cards, 1)} if alone["devices"] == "all" else alone
    devices = place.local_size if trainer["devices"] in ("auto", "all") else trainer["devices"]
    placed = {**filled(trainer, num_nodes=place.nodes), "devices": devices}
    if (devices, placed["num_nodes"]) != (place.local_size, place.nodes):
        raise InputError(
            f"trainer.devices={devices} trainer.num_nodes={placed['num_nodes']} was asked for, and "
            f"{place.local_size} processes on each of {place.nodes} nodes were started: give the numbers that were "
            "started, or leave both out"
        )
    if accelerator == "cuda" and cards < place.local_size:
        raise InputError(
            f"{place.local_size} processes were started on this node, and each sees {cards} GPUs: start as many as "
            "there are, and let each see all of them (SLURM: --gpus-per-node, not --gpus-per-task)"
        )
    return placed
