"""The training module of a plan, and what stands beside it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lightning.pytorch.loggers import Logger

from animeid.assembly.model import embedding_size
from animeid.assembly.plan import FinalPlan, Plan, processes_of, whole
from animeid.config import gateway
from animeid.config.second_stage import learns
from animeid.engine.averaging.averager import Averager
from animeid.engine.callbacks.contract import Feedback
from animeid.engine.module import CharacterModule, record
from animeid.engine.objective import LossWeights
from animeid.engine.transforms import BatchTransforms
from animeid.errors import InputError
from animeid.losses.contract import EmbeddingTerm
from animeid.metrics.collection import build_collection
from animeid.models.class_means import ClassMeans
from animeid.models.classifier import Classifier
from animeid.models.completed import completed
from animeid.models.freezing import Freezing
from animeid.models.inference import InferenceModel
from animeid.models.probe import FittedHead
from animeid.models.stage_contract import Stage
from animeid.optim.optimisation import Optimisation
from animeid.runs.folder import RunFolder
from animeid.types import LabelStats


def build_loggers(request: Mapping[str, Any], folder: RunFolder) -> list[Logger]:
    """The loggers of a request, which may have none or several, writing into the run's folder."""
    card = request["logger"]
    if not card:
        return []
    found = gateway.build(card, "logger", save_dir=folder.path)
    return found if isinstance(found, list) else [found]


def freeze(plan: Plan, model: Classifier) -> tuple[Freezing | None, tuple[str, ...]]:
    """Freezes what the plan's card says, and tells so where anything is trained."""
    card = plan["freezing"]
    if not card:
        return None, ()
    freezing = completed(gateway.build(card, "freezing"), Freezing)
    freezing.apply(model.backbone)
    if not learns(plan.get("stage")):
        return freezing, ()
    notes = [freezing.note(model.backbone, whole(plan.trainer.max_epochs))]
    if model.backbone.weights_source == "random":
        notes.append(
            f"WARNING: {freezing.of_random(model.backbone)}, which is nearly always a mistake: load some with "
            "model.weights or from_run, or take freezing=none"
        )
    return freezing, tuple(notes)


def build_stage(plan: Mapping[str, Any]) -> Stage:
    """The second stage of a plan; one that does nothing where the plan is of a run of its own."""
    card = plan.get("stage")
    return completed(gateway.build(card, "stage"), Stage) if card else Stage()


def build_head_init(plan: Plan, model: Classifier) -> FittedHead | None:
    """What fits the head of a plan's model before training; None where it begins as it is.

    Raises:
        InputError: the head is none that can be fitted, or nothing is trained after it.
    """
    card = plan.get("head_init")
    if not card:
        return None
    if plan.get("stage"):
        raise InputError("head_init=fitted is for a training of its own: leave it out, or stage")
    method = gateway.build(card, "head_init")
    method.check(model)
    return method


def build_head_end(plan: Plan, model: Classifier) -> ClassMeans | None:
    """What changes the head of a plan's model after training; None where it stays as it was trained.

    Raises:
        InputError: the head is none that can be changed so, or the run is not trained in one process on its own.
    """
    card = plan.get("head_end")
    if not card:
        return None
    if plan.get("stage"):
        raise InputError("head_end=class_means is for a training of its own: leave it out, or stage")
    if processes_of(plan) > 1:
        raise InputError("head_end=class_means embeds the training pictures in one process: take trainer.devices=1")
    method = gateway.build(card, "head_end")
    method.check(model)
    return method


def build_contrast(plan: Plan, model: Classifier, num_classes: int) -> EmbeddingTerm | None:
    """The term of a plan beside its loss, for embeddings as the model gives them."""
    card = plan.get("contrastive")
    if not card:
        return None
    return gateway.build(card, "contrastive", in_features=embedding_size(plan, model), num_classes=num_classes)


def build_feature_mixing(plan: Plan, model: Classifier) -> tuple[Feedback, ...]:
    """What mixes the feature maps of a plan's model in training; nothing where the plan has no such card."""
    card = plan.get("feature_mixing")
    if not card:
        return ()
    return (gateway.build(card, "feature_mixing", seed=plan["seed"], backbone=model.backbone),)


def build_module(
    plan: FinalPlan,
    stats: LabelStats,
    model: Classifier,
    *trained: Freezing | Stage | None,
) -> CharacterModule:
    """The module of a final plan.

    Args:
        trained: freezing and stage, which may have put weights into the model that are not kept as they are.
    """
    inference = InferenceModel.of(model)
    schedule, averager = gateway.build(plan["scheduler"], "scheduler"), None
    if plan["averaging"]:
        policy = gateway.build(plan["averaging"], "averaging")
        schedule, averager = policy.schedule(schedule, highest=plan["optimizer"]["lr"]), Averager(policy)
    return CharacterModule(
        model=inference.classifier,
        loss=gateway.build(plan["loss"], "loss", stats=stats),
        normalise=inference.normalise,
        optimisation=Optimisation(
            optimizer=gateway.build(plan["optimizer"], "optimizer"),
            schedule=schedule,
            total_steps=plan.facts.total_steps,
            steps_per_epoch=plan.facts.steps_per_epoch,
            weight_decay=plan["optimizer"].get("weight_decay", 0.0),
            layer_decay=plan["optimizer"].get("layer_decay"),
            head_lr_scale=plan["optimizer"].get("head_lr_scale"),
        ),
        metrics=build_collection(stats.num_classes),
        record=record(stats.names, plan.as_dict()),
        seed=plan["seed"],
        averager=averager,
        transforms=BatchTransforms(
            resize=gateway.build(plan.get("resizing"), "resizing"),
            restyle=gateway.build(plan.get("restyling"), "restyling", seed=plan["seed"]),
            mixing=gateway.build(plan["mixing"], "mixing", num_classes=stats.num_classes, seed=plan["seed"]),
        ),
        loss_weights=LossWeights(classifiers=model.auxiliary.weights if model.auxiliary is not None else ()),
        contrast=build_contrast(plan, model, stats.num_classes),
        portable=[part.portable for part in trained if part is not None],
    )
