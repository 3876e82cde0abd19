"""From plan to objects, and from a run's folder to its model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from lightning.pytorch.loggers import Logger
from torch import nn

from animeid.config import gateway
from animeid.config.check import target_of
from animeid.config.freeze import read_plan
from animeid.config.second_stage import trains
from animeid.config.signatures import signature
from animeid.data.cache.home import cache_home
from animeid.data.cache.pixels import FilePixels, Pixels
from animeid.data.cache.segments import CacheFull, open_cache
from animeid.data.datamodule import CharacterDataModule
from animeid.data.manifest import Manifest
from animeid.data.prepare import Prepared
from animeid.data.shards.settings import SHUFFLE_BUFFER
from animeid.engine.averaging.averager import Averager
from animeid.engine.devices import DTYPES, choose_precision
from animeid.engine.module import CharacterModule, record
from animeid.engine.normalise import Normalise
from animeid.engine.sharding import sharded_precision
from animeid.engine.views import Views
from animeid.errors import InputError
from animeid.imaging.geometry import working_side
from animeid.losses.contrast import SupervisedContrast
from animeid.metrics.collection import build_collection
from animeid.models.backbone import TimmBackbone
from animeid.models.checkpoint import read_torch
from animeid.models.classifier import Classifier
from animeid.models.freezing import Freezing
from animeid.models.soup import GreedySoup
from animeid.models.weights import load_classifier
from animeid.optim.optimizers import default_learning_rate
from animeid.optim.steps import optimizer_steps_per_epoch
from animeid.plan import label_stats, processes_of, views_of
from animeid.runs.folder import RunFolder
from animeid.runs.leaks import check_leaks
from animeid.shown import shown_prior
from animeid.soup import cook
from animeid.stage import start_stage
from animeid.system.console import say
from animeid.transfer import Transfer, earlier_run, take_over
from animeid.types import LabelStats, Sampler

Plan = dict[str, Any]

LOSS = "loss."
"""Where a state dict has what the loss has learnt."""

SWA_SHARE = 0.1
"""The rate of stochastic weight averaging as a share of the highest rate."""


def as_size(image_size: Any) -> tuple[int, int]:
    """`96` and `[60, 80]` both become `(H, W)`."""
    return (image_size, image_size) if isinstance(image_size, int) else (int(image_size[0]), int(image_size[1]))


def build_model(plan: Plan, num_classes: int) -> Classifier:
    backbone = gateway.build(plan["model"], "model", image_size=as_size(plan["data"]["image_size"]))
    return Classifier(backbone, build_head(plan["head"], backbone, num_classes))


def build_head(card: Mapping[str, Any], backbone: TimmBackbone, num_classes: int) -> nn.Module:
    """The head of a card; one whose constructor takes `tap_channels` gets feature maps."""
    facts: dict[str, Any] = {"in_features": backbone.num_features, "num_classes": num_classes}
    found = signature(target_of(card, "head"))
    if found is not None and "tap_channels" in found.parameters:
        facts["tap_channels"] = backbone.tap_channels
    return gateway.build(card, "head", **facts)


def add_auxiliary(plan: Plan, model: Classifier, num_classes: int) -> None:
    """Gives a model that is to be trained the auxiliary classifiers of the plan; one that only answers needs none."""
    if plan["deep_supervision"]:
        channels = model.backbone.tap_channels
        card = plan["deep_supervision"]
        model.auxiliary = gateway.build(card, "deep_supervision", tap_channels=channels, num_classes=num_classes)


def build_pixels(data: dict[str, Any], manifest: Manifest) -> tuple[Pixels, tuple[str, ...]]:
    """The working pictures of a plan's data; its cache becomes `off` where an `auto` one has no room."""
    files = FilePixels(manifest, data["max_pixels"], working_side(as_size(data["image_size"])))
    chosen = data.get("cache", "off")  # runs of versions without a cache
    home = cache_home(chosen)
    if home is None:
        return files, ()
    try:
        return open_cache(home / "pixels", manifest, files), ()
    except CacheFull as error:
        if chosen != "auto":
            raise
        data["cache"] = "off"
        return files, (f"WARNING: every epoch decodes all pictures anew: {error}",)


def build_data(
    plan: Plan, manifest: Manifest, labels: tuple[str, ...], sampler: Callable[..., Sampler], pixels: Pixels
) -> CharacterDataModule:
    data = plan["data"]
    return CharacterDataModule(
        manifest,
        pixels,
        labels=labels,
        image_size=as_size(data["image_size"]),
        crop_pct=data["crop_pct"],
        batch_size=data["batch_size"],
        num_workers=data["num_workers"],
        augmentation=gateway.build(plan["augment"], "augment"),
        sampler=sampler,
        seed=plan["seed"],
        processes=processes_of(plan),
        views=views_of(plan),
        shuffle_buffer=data.get("shuffle_buffer", SHUFFLE_BUFFER),
    )


def build_views(asked: Any, plan: Plan) -> Views | None:
    """The views of a card; `own` are those of a finished run's plan."""
    return gateway.build(plan.get("tta") if asked == "own" else asked, "tta")


def build_loggers(plan: Plan, folder: RunFolder) -> list[Logger]:
    """The loggers of the plan, which may have none or several, writing into the run's folder."""
    card = plan["logger"]
    if not card:
        return []
    found = gateway.build(card, "logger", save_dir=folder.path)
    return found if isinstance(found, list) else [found]


@dataclass(frozen=True)
class Built:
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


def freeze(plan: Plan, model: Classifier) -> tuple[Freezing | None, tuple[str, ...]]:
    """Freezes what the plan's card says, and tells so where anything is trained."""
    freezing = gateway.build(plan["freezing"], "freezing")
    if freezing is None:
        return None, ()
    freezing.apply(model.backbone)
    if not trains(plan.get("stage")):
        return freezing, ()
    notes = [freezing.note(model.backbone, plan["trainer"]["max_epochs"])]
    if model.backbone.weights_source == "random":
        notes.append(
            f"WARNING: the frozen weights of {model.backbone.name} are RANDOM, so that its features are too, which is "
            "nearly always a mistake: load some with model.weights or from_run, or take freezing=none"
        )
    return freezing, tuple(notes)


def attach_stage(plan: Plan, model: Classifier) -> Any:
    """The stage of the plan, None without one, with what it trains put into the model."""
    stage = gateway.build(plan.get("stage"), "stage")
    if hasattr(stage, "attach"):
        stage.attach(model)
    return stage


def build_contrast(plan: Plan, model: Classifier, num_classes: int) -> SupervisedContrast | None:
    """The contrastive term of a plan, for embeddings as the model gives them."""
    card = plan.get("contrastive")
    if not card:
        return None
    was_training = model.training
    with torch.no_grad():
        size = model.eval()(torch.zeros((1, 3, *as_size(plan["data"]["image_size"])))).embedding.shape[1]
    model.train(was_training)
    return gateway.build(card, "contrastive", in_features=size, num_classes=num_classes)


def build_module(
    plan: Plan,
    stats: LabelStats,
    model: Classifier,
    *trained: Any,
    data: CharacterDataModule | None = None,
) -> CharacterModule:
    """The module of a final plan, one whose facts are recorded.

    Args:
        trained: freezing and stage, which may have put weights into the model that are not kept as they are.
        data: what it is to be trained on; None for one that only answers.
    """
    facts = plan["facts"]
    channels_last = model.backbone.prefers_channels_last
    if channels_last:
        model = model.to(memory_format=torch.channels_last)
    schedule, averager = gateway.build(plan["scheduler"], "scheduler"), None
    if plan["averaging"]:
        policy = gateway.build(plan["averaging"], "averaging")
        schedule, averager = policy.schedule(schedule, highest=plan["optimizer"]["lr"]), Averager(policy)
    return CharacterModule(
        model=model,
        loss=gateway.build(plan["loss"], "loss", stats=stats),
        normalise=Normalise(model.backbone.mean, model.backbone.std, channels_last),
        optimizer=gateway.build(plan["optimizer"], "optimizer"),
        schedule=schedule,
        weight_decay=plan["optimizer"].get("weight_decay", 0.0),
        layer_decay=plan["optimizer"].get("layer_decay"),
        total_steps=facts["total_steps"],
        steps_per_epoch=facts["steps_per_epoch"],
        metrics=build_collection(stats.num_classes),
        record=record(stats.names, plan),
        seed=plan["seed"],
        averager=averager,
        aux_weights=model.auxiliary.weights if model.auxiliary is not None else (),
        mixing=gateway.build(plan["mixing"], "mixing", num_classes=stats.num_classes, seed=plan["seed"]),
        resize=gateway.build(plan.get("resizing"), "resizing"),
        observe=data.observe if data else None,
        follow=data.follow if data else None,
        prior_of=data.prior_of if data else None,
        contrast=build_contrast(plan, model, stats.num_classes),
        portable=[part.portable for part in trained if hasattr(part, "portable")],
    )


def build(plan: Plan, prepared: Prepared) -> Built:
    """Builds data, model and module, and completes the plan with what became known on the way.

    Raises:
        InputError: the parts do not fit, or a run that they start from was trained on this one's test pictures.
    """
    _check_precision(plan["trainer"]["accelerator"], plan["trainer"]["precision"])
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
    return Built(plan, stats, module, data, notes, freezing, transfer, stage)


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
        module.shown = shown_prior(earlier.folder, read_plan(earlier.folder.config))
        return ()
    cooked = cook(stage, earlier, module, data, plan["trainer"])
    module.shown = cooked.shown
    plan["facts"].setdefault("soup", {"seconds": cooked.seconds, "earlier_s": cooked.earlier_s})
    return (cooked.note,)


def _check_precision(accelerator: str, precision: str) -> None:
    """Refuses float16 on the processor, where Lightning would compute in bf16 instead."""
    if accelerator == "cpu" and precision == "16-mixed":
        raise InputError(
            "trainer.precision=16-mixed is for GPUs, and this run computes on the CPU: take bf16-mixed, 32-true or auto"
        )


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


def answering_precision(plan: Plan, module: CharacterModule, accelerator: str, asked: str = "auto") -> torch.dtype:
    """The precision in which a finished run answers: its own on the accelerator that it was trained on."""
    _check_precision(accelerator, asked)
    if asked == "auto":
        is_own = accelerator == plan["trainer"]["accelerator"]
        depthwise = module.model.backbone.has_depthwise  # type: ignore[union-attr]
        asked = plan["trainer"]["precision"] if is_own else choose_precision(accelerator, bool(depthwise))
    return DTYPES[asked]


def rebuild(plan: Plan, prepared: Prepared, *, from_scratch: bool) -> Built:
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
    return Built(plan, stats, module, data, freezing=freezing, stage=stage)


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


def load_run(folder: RunFolder) -> tuple[Plan, LabelStats, CharacterModule]:
    """The plan, the classes and the best model of a finished run; no weights are fetched from anywhere else."""
    if folder.unfinished_note:
        say(folder.unfinished_note)
    plan = read_plan(folder.config)
    labels = folder.read_labels()
    stats = label_stats(plan["facts"], labels, plan["data"])
    model = build_model(without_weights(plan), len(labels))
    load_classifier(model, folder.best, labels)
    module = build_module(plan, stats, model)
    load_loss(module, folder)
    return plan, stats, module.eval()


def load_loss(module: CharacterModule, folder: RunFolder) -> None:
    """Gives the module's loss what it has learnt in a run, such as class weights."""
    state = read_torch(folder.best, mmap=True)["state_dict"]
    own = {name.removeprefix(LOSS): tensor for name, tensor in state.items() if name.startswith(LOSS)}
    if isinstance(module.loss, nn.Module):
        module.loss.load_state_dict(own, strict=False)


def without_weights(plan: Mapping[str, Any]) -> Plan:
    """A plan whose model starts from random weights, for a checkpoint to be loaded into."""
    return {**plan, "model": {**plan["model"], "pretrained": False, "weights": None}}
