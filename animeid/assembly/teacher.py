"""The teacher of a plan: finished runs, and the term that compares with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from animeid.assembly.adjusted import leftover_prior
from animeid.assembly.effective_prior import effective_prior
from animeid.assembly.model import as_size, build_model, embedding_size, without_weights
from animeid.assembly.plan import FinalPlan, Plan, label_stats
from animeid.config import gateway
from animeid.data.prepare import Prepared
from animeid.engine.teacher import Member, Networks, Remembering, Teacher
from animeid.errors import InputError
from animeid.losses.contract import DistillationTerm
from animeid.models.classifier import Classifier
from animeid.models.heads.contract import MarginHead
from animeid.models.inference import InferenceModel
from animeid.models.weights import load_classifier
from animeid.runs.folder import RunFolder
from animeid.runs.leaks import check_teacher
from animeid.runs.saved import SavedRun
from animeid.runs.several import run_paths
from animeid.system.console import counted, some_of
from animeid.types import LabelStats

STILL = "animeid.data.augment.Augmentation"
"""The augmentation that changes nothing where it has no operations and no random crop."""

NAMED = 5
"""How many classes a sentence names at most."""


def teacher_facts(plan: Plan, prepared: Prepared) -> tuple[dict[str, Any] | None, tuple[str, ...]]:
    """What a plan records of its teacher, and sentences for the user; nothing without one.

    `runs` are its folders, `asked` is `each draw` or `once a picture`, `seen` counts pictures of val and test that the
    runs were trained on.

    Raises:
        InputError: a run is not there, lacks a class, or was trained on pictures that this one is judged on.
    """
    if plan.get("teacher") is None:
        return None, ()
    folders = [RunFolder.open(path) for path in run_paths(plan["teacher"])]
    compares = gateway.part_class(plan["distill"], "distill").compares
    as_they_are: list[str] = []
    if compares == "logits":
        for folder in folders:
            columns_of(folder, prepared.labels)
        as_they_are = untold_priors(plan, folders, prepared.labels)
    leaks = check_teacher(folders, plan["data"], prepared.manifest)
    asked = "once a picture" if is_still(plan) else "each draw"
    who = str(folders[0].path) if len(folders) == 1 else f"{len(folders)} runs together ({plan['teacher']})"
    why = (
        "which training shows in the same pixels every time"
        if is_still(plan)
        else "in the pixels that the student sees"
    )
    pictures = "each picture once" if is_still(plan) else "each drawn picture"
    facts = {"runs": [str(folder.path) for folder in folders], "asked": asked, "seen": leaks.counts}
    unfinished = [folder.unfinished_note for folder in folders if folder.unfinished_note]
    return facts, (f"taught by {who}: it answers {pictures}, {why}", *as_they_are, *unfinished, *leaks.notes)


def untold_priors(plan: Plan, folders: Sequence[RunFolder], labels: tuple[str, ...]) -> list[str]:
    """A sentence where it cannot be told what of the class prior stands in somebody's logits."""
    ours = leftover_prior(plan, evenly(labels)) is not None
    theirs = [leftover_of(folder, FinalPlan.read(folder.config), SavedRun(folder).labels) for folder in folders]
    who = ["this run", *(f"{folder.path}" for folder in folders)]
    untold = [name for name, told in zip(who, (ours, *(one is not None for one in theirs)), strict=True) if not told]
    if not untold:
        return []
    note = (
        f"logits are compared as they are where {' or '.join(untold)} takes part: what its loss, sampler or stage left "
        "of the class prior in them cannot be told"
    )
    return [note]


def evenly(labels: tuple[str, ...]) -> LabelStats:
    """Classes that are all equally frequent."""
    return LabelStats.from_counts(labels, torch.ones(len(labels), dtype=torch.int64))


def columns_of(folder: RunFolder, labels: Sequence[str]) -> Tensor:
    """`[C]` int64: the places of the classes among a run's own, by name.

    Raises:
        InputError: the run does not know a class.
    """
    theirs = {name: place for place, name in enumerate(SavedRun(folder).labels)}
    if missing := [label for label in labels if label not in theirs]:
        raise InputError(
            f"the teacher {folder.path} does not know {counted(len(missing), 'class')} of "
            f"these pictures ({some_of(missing, NAMED)}), so that it cannot say how likely they are: take a teacher "
            "that was trained on all of them, or distill=embedding, which compares no classes"
        )
    return torch.tensor([theirs[label] for label in labels])


def is_still(plan: Mapping[str, Any]) -> bool:
    """Whether training shows a picture in the same pixels whenever it is drawn."""
    augment = plan["augment"]
    unchanged = augment["_target_"] == STILL and augment.get("crop_scale") is None and not augment["ops"]
    return unchanged and not any(plan.get(name) for name in ("mixing", "restyling", "resizing"))


def build_teacher(plan: FinalPlan, stats: LabelStats, rows: int) -> Teacher | None:
    """The teacher that a final plan records.

    Args:
        stats: the student's classes, with the prior that it is shown.
        rows: of the manifest.
    """
    facts = plan.facts.teacher
    if facts is None:
        return None
    compares = gateway.part_class(plan["distill"], "distill").compares
    left = leftover_prior(plan, stats)
    members = [member_of(RunFolder.open(Path(run)), stats, left, compares) for run in facts["runs"]]
    teacher = Networks(members)
    return Remembering(teacher, rows) if facts["asked"] == "once a picture" else teacher


def member_of(folder: RunFolder, stats: LabelStats, left: Tensor | None, compares: str) -> Member:
    """A run as it teaches these classes.

    Args:
        left: what of the prior stands in the student's logits; None where that cannot be told.
        compares: `embedding` leaves the classes as the run has them.
    """
    plan, labels = FinalPlan.read(folder.config), SavedRun(folder).labels
    model = build_model(without_weights(plan), len(labels))
    load_classifier(model, folder.best, labels)
    features = embedding_size(plan, model)
    inference = InferenceModel.of(model).eval().requires_grad_(False)
    if compares == "logits":
        columns = columns_of(folder, stats.names)
        offset = prior_offset(folder, plan, labels, columns, left)
    else:
        columns, offset = torch.arange(len(labels)), torch.zeros(len(labels))
    return Member(inference, as_size(plan.data.image_size), columns, offset, features)


def prior_offset(
    folder: RunFolder, plan: FinalPlan, labels: tuple[str, ...], columns: Tensor, left: Tensor | None
) -> Tensor:
    """`[C]`: what makes a run's logits hold of the prior what the student's do; 0 where either cannot be told."""
    theirs = leftover_of(folder, plan, labels)
    return torch.zeros(len(columns)) if theirs is None or left is None else left - theirs[columns]


def leftover_of(folder: RunFolder, plan: FinalPlan, labels: tuple[str, ...]) -> Tensor | None:
    """What of the prior stands in a finished run's logits; None where that cannot be told."""
    shown = effective_prior(folder, plan)
    return None if shown is None else leftover_prior(plan, label_stats(plan, labels).showing(shown))


def build_distillation(plan: Plan, model: Classifier, teacher: Teacher | None) -> DistillationTerm | None:
    """The term of a plan that compares its model with the teacher.

    Raises:
        InputError: it compares logits, and those of the model have a margin in training.
    """
    if teacher is None:
        return None
    card = plan["distill"]
    if gateway.part_class(card, "distill").compares == "logits" and isinstance(model.head, MarginHead):
        raise InputError(
            f"this distillation compares logits, and a {type(model.head).__name__} learns with a margin on its own: "
            "take distill=embedding, or a head without a margin (head=linear, head=cosine)"
        )
    size = embedding_size(plan, model)
    return gateway.build(card, "distill", in_features=size, teacher_features=teacher.features)
