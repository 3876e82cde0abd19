"""From plan to objects, and from a run's folder to its model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import yaml

from animeid.config import gateway
from animeid.data.datamodule import CharacterDataModule
from animeid.data.prepare import Prepared
from animeid.engine.module import CharacterModule, record
from animeid.engine.normalise import Normalise
from animeid.engine.trainer import Device
from animeid.folder import RunFolder
from animeid.metrics.collection import build_collection
from animeid.models.classifier import Classifier
from animeid.models.weights import load_classifier
from animeid.optim.optimizers import default_learning_rate
from animeid.optim.steps import optimizer_steps_per_epoch
from animeid.plan import label_stats, train_targets
from animeid.types import LabelStats, Sampler

Plan = dict[str, Any]


def as_size(image_size: Any) -> tuple[int, int]:
    """`96` and `[60, 80]` both become `(H, W)`."""
    return (image_size, image_size) if isinstance(image_size, int) else (int(image_size[0]), int(image_size[1]))


def build_model(plan: Plan, num_classes: int) -> Classifier:
    backbone = gateway.build(plan["model"], image_size=as_size(plan["data"]["image_size"]))
    head = gateway.build(plan["head"], in_features=backbone.num_features, num_classes=num_classes)
    return Classifier(backbone, head)


def build_sampler(plan: Plan, prepared: Prepared) -> Sampler:
    rows, targets = train_targets(prepared)
    return gateway.build(plan["sampler"], rows=rows, targets=targets, num_classes=len(prepared.labels))


def build_data(plan: Plan, prepared: Prepared, sampler: Sampler, device: Device) -> CharacterDataModule:
    data = plan["data"]
    size = as_size(data["image_size"])
    return CharacterDataModule(
        manifest=prepared.manifest,
        image_size=size,
        crop_pct=data["crop_pct"],
        batch_size=data["batch_size"],
        num_workers=data["num_workers"],
        augmentation=gateway.build(plan["augment"], image_size=size),
        sampler=sampler,
        seed=plan["seed"],
        max_pixels=data["max_pixels"],
        pin_memory=device.accelerator == "cuda",
    )


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
    loss = gateway.build(plan["loss"], stats=stats)
    channels_last = model.backbone.prefers_channels_last
    if channels_last:
        model = model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimizer = dict(plan["optimizer"])
    weight_decay = optimizer.get("weight_decay", 0.0)
    return CharacterModule(
        model=model,
        loss=loss,
        normalise=Normalise(model.backbone.mean, model.backbone.std, channels_last),
        optimizer=gateway.build(optimizer),
        schedule=gateway.build(plan["scheduler"]),
        weight_decay=weight_decay,
        total_steps=facts["total_steps"],
        steps_per_epoch=facts["steps_per_epoch"],
        metrics=build_collection(stats.num_classes),
        record=record(stats.names, plan),
    )


def build(plan: Plan, prepared: Prepared, device: Device) -> Built:
    """Builds data, model and module, and completes the plan with what became known on the way."""
    sampler = build_sampler(plan, prepared)
    data = build_data(plan, prepared, sampler, device)
    model = build_model(plan, len(prepared.labels))
    loaded = model.backbone.weights_source != "random"
    if plan["optimizer"]["lr"] == "auto":
        plan["optimizer"]["lr"] = default_learning_rate(
            plan["optimizer"]["_target_"], loaded, plan["data"]["batch_size"]
        )
    plan["facts"] = _facts(plan, prepared, sampler, data, model)
    stats = label_stats(plan["facts"], prepared.labels, plan["data"])
    return Built(plan, stats, build_module(plan, stats, model), data)


def _facts(
    plan: Plan, prepared: Prepared, sampler: Sampler, data: CharacterDataModule, model: Classifier
) -> dict[str, Any]:
    _, targets = train_targets(prepared)
    trainer = plan["trainer"]
    steps = optimizer_steps_per_epoch(data.batches_per_epoch, trainer["accumulate_grad_batches"])
    return {
        "classes": len(prepared.labels),
        "counts": np.bincount(targets, minlength=len(prepared.labels)).tolist(),
        "prior": sampler.prior().tolist(),
        "steps_per_epoch": steps,
        "total_steps": steps * trainer["max_epochs"],
        "weights": {"source": model.backbone.weights_source, "note": model.backbone.weights_note},
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
    }


def read_plan(folder: RunFolder) -> Plan:
    return yaml.safe_load(folder.config.read_text(encoding="utf-8"))


def load_run(folder: RunFolder) -> tuple[Plan, LabelStats, CharacterModule]:
    """The plan, the classes and the best model of a finished run; no weights are fetched from anywhere else."""
    plan = read_plan(folder)
    labels = folder.read_labels()
    stats = label_stats(plan["facts"], labels, plan["data"])
    model = build_model(without_weights(plan), len(labels))
    load_classifier(model, folder.best, labels)
    return plan, stats, build_module(plan, stats, model).eval()


def without_weights(plan: Mapping[str, Any]) -> Plan:
    """A plan whose model starts from random weights, for a checkpoint to be loaded into."""
    return {**plan, "model": {**plan["model"], "pretrained": False, "weights": None}}
