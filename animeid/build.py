"""From plan to objects, and from a run's folder to its model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from lightning.pytorch.loggers import Logger
from torch import nn

from animeid.config import gateway
from animeid.config.check import target_of
from animeid.config.freeze import read_yaml
from animeid.config.signatures import signature
from animeid.data.datamodule import CharacterDataModule
from animeid.data.manifest import Manifest
from animeid.data.prepare import Prepared
from animeid.engine.devices import DTYPES, choose_precision
from animeid.engine.module import CharacterModule, record
from animeid.engine.normalise import Normalise
from animeid.folder import RunFolder
from animeid.metrics.collection import build_collection
from animeid.models.backbone import TimmBackbone
from animeid.models.classifier import Classifier
from animeid.models.weights import load_classifier
from animeid.optim.optimizers import default_learning_rate
from animeid.optim.steps import optimizer_steps_per_epoch
from animeid.plan import label_stats
from animeid.types import LabelStats, Sampler

Plan = dict[str, Any]


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


def build_data(
    plan: Plan, manifest: Manifest, labels: tuple[str, ...], sampler: Callable[..., Sampler]
) -> CharacterDataModule:
    data = plan["data"]
    return CharacterDataModule(
        manifest,
        labels=labels,
        image_size=as_size(data["image_size"]),
        crop_pct=data["crop_pct"],
        batch_size=data["batch_size"],
        num_workers=data["num_workers"],
        augmentation=gateway.build(plan["augment"], "augment"),
        sampler=sampler,
        seed=plan["seed"],
        max_pixels=data["max_pixels"],
    )


def build_loggers(plan: Plan, folder: RunFolder) -> list[Logger]:
    """The logger of the plan, if it has one, writing into the run's folder."""
    card = plan["logger"]
    return [gateway.build(card, "logger", save_dir=folder.path)] if card else []


@dataclass(frozen=True)
class Built:
    """Everything that a run needs, and the plan as it became final while building."""

    plan: Plan
    stats: LabelStats
    module: CharacterModule
    data: CharacterDataModule


def build_module(plan: Plan, stats: LabelStats, model: Classifier) -> CharacterModule:
    """The module of a final plan, one whose facts are recorded."""
    facts = plan["facts"]
    channels_last = model.backbone.prefers_channels_last
    if channels_last:
        model = model.to(memory_format=torch.channels_last)
    return CharacterModule(
        model=model,
        loss=gateway.build(plan["loss"], "loss", stats=stats),
        normalise=Normalise(model.backbone.mean, model.backbone.std, channels_last),
        optimizer=gateway.build(plan["optimizer"], "optimizer"),
        schedule=gateway.build(plan["scheduler"], "scheduler"),
        weight_decay=plan["optimizer"].get("weight_decay", 0.0),
        total_steps=facts["total_steps"],
        steps_per_epoch=facts["steps_per_epoch"],
        metrics=build_collection(stats.num_classes),
        record=record(stats.names, plan),
        aux_weights=model.auxiliary.weights if model.auxiliary is not None else (),
    )


def build(plan: Plan, prepared: Prepared) -> Built:
    """Builds data, model and module, and completes the plan with what became known on the way."""
    data = build_data(plan, prepared.manifest, prepared.labels, gateway.build(plan["sampler"], "sampler"))
    model = build_model(plan, len(prepared.labels))
    if plan["trainer"]["precision"] == "auto":
        plan["trainer"]["precision"] = choose_precision(plan["trainer"]["accelerator"], model.backbone.has_depthwise)
    if plan["optimizer"]["lr"] == "auto":
        loaded = model.backbone.weights_source != "random"
        pictures = plan["data"]["batch_size"] * plan["trainer"]["accumulate_grad_batches"]
        plan["optimizer"]["lr"] = default_learning_rate(plan["optimizer"]["_target_"], loaded, pictures)
    plan["facts"] = _facts(plan, prepared, data, model)
    # After the facts, which are those of the model that is kept, and after its weights are drawn.
    add_auxiliary(plan, model, len(prepared.labels))
    stats = label_stats(plan["facts"], prepared.labels, plan["data"])
    return Built(plan, stats, build_module(plan, stats, model), data)


def answering_precision(plan: Plan, module: CharacterModule, accelerator: str, asked: str = "auto") -> torch.dtype:
    """The precision in which a finished run answers: its own on the accelerator that it was trained on."""
    if asked == "auto":
        is_own = accelerator == plan["trainer"]["accelerator"]
        depthwise = module.model.backbone.has_depthwise  # type: ignore[union-attr]
        asked = plan["trainer"]["precision"] if is_own else choose_precision(accelerator, bool(depthwise))
    return DTYPES[asked]


def _facts(plan: Plan, prepared: Prepared, data: CharacterDataModule, model: Classifier) -> dict[str, Any]:
    """What the plan could not know before data and model were there."""
    targets = data.table.targets[data.rows("train")]
    trainer = plan["trainer"]
    steps = optimizer_steps_per_epoch(data.batches_per_epoch, trainer["accumulate_grad_batches"])
    return {
        "classes": len(prepared.labels),
        "counts": np.bincount(targets, minlength=len(prepared.labels)).tolist(),
        "prior": data.sampler.prior().tolist(),
        "steps_per_epoch": steps,
        "total_steps": steps * trainer["max_epochs"],
        "weights": {"source": model.backbone.weights_source, "note": model.backbone.weights_note},
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
    }


def load_run(folder: RunFolder) -> tuple[Plan, LabelStats, CharacterModule]:
    """The plan, the classes and the best model of a finished run; no weights are fetched from anywhere else."""
    plan = read_yaml(folder.config)
    labels = folder.read_labels()
    stats = label_stats(plan["facts"], labels, plan["data"])
    model = build_model(without_weights(plan), len(labels))
    load_classifier(model, folder.best, labels)
    return plan, stats, build_module(plan, stats, model).eval()


def without_weights(plan: Mapping[str, Any]) -> Plan:
    """A plan whose model starts from random weights, for a checkpoint to be loaded into."""
    return {**plan, "model": {**plan["model"], "pretrained": False, "weights": None}}
