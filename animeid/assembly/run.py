"""From plan to objects, and from a run's folder to its model."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from animeid.assembly.data import build_data, build_pixels
from animeid.assembly.effective_prior import effective_prior
from animeid.assembly.model import add_auxiliary, as_size, build_model, without_weights
from animeid.assembly.module import attach_stage, build_module, freeze
from animeid.assembly.plan import Plan, label_stats, processes_of
from animeid.assembly.second_stage import start_stage
from animeid.assembly.soup import cook
from animeid.assembly.transfer import Transfer, earlier_run, take_over
from animeid.config import gateway
from animeid.config.freeze import read_plan
from animeid.config.second_stage import trains
from animeid.data.datamodule import CharacterDataModule
from animeid.data.prepare import Prepared
from animeid.engine.devices import check_precision, choose_precision
from animeid.engine.module import CharacterModule
from animeid.engine.sharding import sharded_precision
from animeid.errors import InputError
from animeid.models.classifier import Classifier
from animeid.models.freezing import Freezing
from animeid.models.soup import GreedySoup
from animeid.optim.optimizers import default_learning_rate
from animeid.optim.steps import optimizer_steps_per_epoch
from animeid.runs.leaks import check_leaks
from animeid.types import LabelStats

SWA_SHARE = 0.1
"""The rate of stochastic weight averaging as a share of the highest rate."""


@dataclass(frozen=True)
class Components:
    """Everything that a run needs, and the plan as it became final while building.

    notes: sentences for the user about what the model starts from. transfer: what came from an earlier run. stage: what
    is done to its head.
    """

    plan: Plan
    stats: LabelStats
    module: CharacterModule
    data: CharacterDataModule
    notes: tuple[str, ...] = ()
    freezing: Freezing | None = None
    transfer: Transfer | None = None
    stage: Any = None


def start_model(plan: Plan, prepared: Prepared) -> tuple[Classifier, Transfer | None]:
    """The model with the weights that it starts from: those of an earlier run where `from_run` names one, as its second
    stage changes them.

    Raises:
        InputError: the earlier run does not fit.
    """
    earlier = earlier_run(plan)
    if earlier is None:
        return build_model(plan, len(prepared.labels)), None
    model = build_model(earlier.without_own_weights(plan), len(prepared.labels))
    transfer = take_over(earlier, model, prepared.labels)
    notes = start_stage(plan, earlier, model, prepared.labels)
    return model, replace(transfer, notes=(*transfer.notes, *notes))


def build(plan: Plan, prepared: Prepared) -> Components:
    """Builds data, model and module, and completes the plan with what became known on the way.

    Raises:
        InputError: the parts do not fit, or a run that they start from was trained on this one's test pictures.
    """
    check_precision(plan["trainer"]["accelerator"], plan["trainer"]["precision"])
    leaks = check_leaks(plan, prepared.manifest)
    pixels, pixel_notes = build_pixels(plan["data"], prepared.manifest)
    sampler = gateway.build(plan["sampler"], "sampler")
    data = build_data(plan, prepared.manifest, prepared.labels, sampler, pixels)
    model, transfer = start_model(plan, prepared)
    if plan["trainer"]["precision"] == "auto":
        precision = choose_precision(plan["trainer"]["accelerator"], model.backbone.has_depthwise)
        is_sharded = plan["trainer"]["strategy"] == "fsdp"
        plan["trainer"]["precision"] = sharded_precision(precision) if is_sharded else precision
    if plan["optimizer"]["lr"] == "auto":
        loaded = model.backbone.weights_source != "random"
        trainer = plan["trainer"]
        pictures = plan["data"]["batch_size"] * trainer["accumulate_grad_batches"] * processes_of(plan)
        plan["optimizer"]["lr"] = default_learning_rate(plan["optimizer"]["_target_"], loaded, pictures)
    if plan["averaging"] and plan["averaging"].get("lr") == "auto":
        plan["averaging"]["lr"] = SWA_SHARE * plan["optimizer"]["lr"]
    freezing, freezing_notes = freeze(plan, model)
    _check_batch_size(plan["data"], model)
    _check_first_size(plan, model)
    plan["facts"] = _facts(plan, prepared, data, model)
    plan["facts"]["weights"] |= (transfer.facts if transfer else {}) | ({"seen": leaks.counts} if leaks else {})
    # After the facts, which are those of the model that is kept, and after its weights are drawn.
    add_auxiliary(plan, model, len(prepared.labels))
    stage = attach_stage(plan, model)
    stats = label_stats(plan["facts"], prepared.labels, plan["data"])
    module = build_module(plan, stats, model, freezing, stage, data=data)
    cooked = take_weights(plan, stage, module, data)
    taken = (*(transfer.notes if transfer else ()), *(leaks.notes if leaks else ()))
    notes = (*pixel_notes, model.backbone.weights_note, *taken, *freezing_notes, *cooked)
    return Components(plan, stats, module, data, notes, freezing, transfer, stage)


def take_weights(plan: Plan, stage: Any, module: CharacterModule, data: CharacterDataModule) -> tuple[str, ...]:
    """Where the stage trains nothing, has the module's checkpoint say what those who did were shown.

    Fills the module with the mean of several runs where the stage is a soup; what that took stands in the plan's facts
    then.

    Returns:
        What to say.
    """
    earlier = earlier_run(plan)
    if earlier is None or trains(plan.get("stage")):
        return ()
    if not isinstance(stage, GreedySoup):
        module.shown = effective_prior(earlier.folder, read_plan(earlier.folder.config))
        return ()
    cooked = cook(stage, earlier, module, data, plan["trainer"])
    module.shown = cooked.shown
    plan["facts"].setdefault("soup", {"seconds": cooked.seconds, "earlier_s": cooked.earlier_s})
    return (cooked.note,)


def _check_batch_size(data: Mapping[str, Any], model: Classifier) -> None:
    """Tries a picture alone, which batch norm cannot train on where it is a single value a channel."""
    if data["batch_size"] > 1:
        return
    try:
        deepcopy(model).train()(torch.zeros((1, 3, *as_size(data["image_size"]))))
    except ValueError as error:
        raise InputError(
            f"{model.backbone.name} has batch norm, which cannot be trained on data.batch_size=1 at this image size: "
            "take 2 or more, and trainer.accumulate_grad_batches for more still"
        ) from error


def _check_first_size(plan: Plan, model: Classifier) -> None:
    """Tries the smallest pictures that training will show."""
    resizing = gateway.build(plan["resizing"], "resizing")
    if resizing is None:
        return
    sides = [resizing.side(full, 0) for full in as_size(plan["data"]["image_size"])]
    try:
        with torch.no_grad():
            deepcopy(model).eval()(torch.zeros((1, 3, *sides)))
    except (AssertionError, RuntimeError, ValueError) as error:
        raise InputError(
            f"{model.backbone.name} takes pictures of data.image_size only, and resizing=progressive begins with "
            f"{sides[0]} px: take resizing=none, or a network without position embeddings of a fixed size"
        ) from error


def rebuild(plan: Plan, prepared: Prepared, *, from_scratch: bool) -> Components:
    """The objects of a final plan, for a run that goes on.

    Args:
        from_scratch: whether the weights that the plan starts from are needed, since no checkpoint will replace them.
    """
    stats = label_stats(plan["facts"], prepared.labels, plan["data"])
    pixels, _ = build_pixels(plan["data"], prepared.manifest)
    sampler = gateway.build(plan["sampler"], "sampler")
    data = build_data(plan, prepared.manifest, prepared.labels, sampler, pixels)
    if from_scratch:
        model, _ = start_model(plan, prepared)
    else:
        model = build_model(without_weights(plan), stats.num_classes)
    freezing, _ = freeze(plan, model)
    add_auxiliary(plan, model, stats.num_classes)
    stage = attach_stage(plan, model)
    module = build_module(plan, stats, model, freezing, stage, data=data)
    if from_scratch:
        take_weights(plan, stage, module, data)
    return Components(plan, stats, module, data, freezing=freezing, stage=stage)


def _facts(plan: Plan, prepared: Prepared, data: CharacterDataModule, model: Classifier) -> dict[str, Any]:
    """What the plan could not know before data and model were there."""
    targets = data.table.targets[data.rows("train")]
    trainer = plan["trainer"]
    steps = optimizer_steps_per_epoch(data.batches_per_epoch, trainer["accumulate_grad_batches"])
    return {
        "classes": len(prepared.labels),
        "counts": np.bincount(targets, minlength=len(prepared.labels)).tolist(),
        "prior": _prior(plan, data),
        "steps_per_epoch": steps,
        "total_steps": steps * trainer["max_epochs"],
        "weights": {"source": model.backbone.weights_source, "note": model.backbone.weights_note},
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "trainable": sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad),
    }


def _prior(plan: Plan, data: CharacterDataModule) -> list[float]:
    """`[C]`: what the sampler shows, or has shown to the run whose weights are taken where nothing is trained."""
    earlier = earlier_run(plan)
    if earlier is None or trains(plan.get("stage")):
        return data.sampler.prior().tolist()
    return list(read_plan(earlier.folder.config)["facts"]["prior"])
