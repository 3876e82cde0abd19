"""The teacher of a plan: finished runs and artefacts, and the term that compares with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from animeid.artefacts.artefact import Artefact
from animeid.artefacts.teachers import Teachers
from animeid.assembly.adjusted import leftover_prior
from animeid.assembly.model import embedding_size
from animeid.assembly.plan import FinalPlan, Plan
from animeid.assembly.teaching import Source, sources
from animeid.config import gateway
from animeid.data.manifest import Manifest
from animeid.data.prepare import Prepared
from animeid.engine.teacher import Member, Networks, Remembering, Teacher
from animeid.errors import InputError
from animeid.losses.contract import DistillationTerm
from animeid.models.classifier import Classifier
from animeid.models.heads.contract import MarginHead
from animeid.runs.leaks import Seen, check_teacher, seen_by_digests
from animeid.system.console import counted, some_of
from animeid.types import LabelStats

STILL = "animeid.data.augment.Augmentation"
"""The augmentation that changes nothing where it has no operations and no random crop."""

NAMED = 5
"""How many classes a sentence names at most."""


def teacher_facts(plan: Plan, prepared: Prepared) -> tuple[dict[str, Any] | None, tuple[str, ...]]:
    """What a plan records of its teacher, and sentences for the user; nothing without one.

    `runs` are the folders of runs and artefacts, `artefacts` the versions of the latter, `asked` is `each draw` or
    `once a picture`, `seen` counts pictures of val and test that they were trained on.

    Raises:
        InputError: one is not there, lacks a class, or was trained on pictures that this run is judged on.
    """
    if plan.get("teacher") is None:
        return None, ()
    teachers = Teachers.named(plan["teacher"])
    each = tuple(sources(teachers))
    compares = gateway.part_class(plan["distill"], "distill").compares
    as_they_are: list[str] = []
    if compares == "logits":
        for source in each:
            columns_of(source, prepared.labels)
        as_they_are = untold_priors(plan, each, prepared.labels)
    seen = [seen_by_artefact(one, prepared.manifest, plan["data"]["leaks"]) for one in teachers.artefacts]
    leaks = check_teacher(teachers.runs, plan["data"], prepared.manifest, seen)
    is_told = all(one.trained_on and one.trained_on.complete for one in teachers.artefacts)
    asked, how = as_asked(plan)
    paths = [str(path) for path in teachers.paths]
    versions = {str(one.folder): one.version for one in teachers.artefacts}
    facts = {"runs": paths, "asked": asked, "seen": leaks.counts if is_told else None}
    notes = [source.note for source in each if source.note]
    who = paths[0] if len(paths) == 1 else f"{len(paths)} {_kind(teachers)} together ({plan['teacher']})"
    return (
        {**facts, **({"artefacts": versions} if versions else {})},
        (f"taught by {who}: it answers {how}", *as_they_are, *notes, *leaks.notes),
    )


def _kind(teachers: Teachers) -> str:
    kinds = {"runs": teachers.runs, "artefacts": teachers.artefacts}
    return " and ".join(name for name, those in kinds.items() if those)


def as_asked(plan: Plan) -> tuple[str, str]:
    """When the teacher is asked, as a fact and in words."""
    if is_still(plan):
        return "once a picture", "each picture once, which training shows in the same pixels every time"
    return "each draw", "each drawn picture, in the pixels that the student sees"


def untold_priors(plan: Plan, teachers: Sequence[Source], labels: tuple[str, ...]) -> list[str]:
    """A sentence where it cannot be told what of the class prior stands in somebody's logits."""
    who = {"this run": leftover_prior(plan, evenly(labels)), **{f"{one.path}": one.leftover for one in teachers}}
    untold = [name for name, leftover in who.items() if leftover is None]
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


def columns_of(teacher: Source, labels: Sequence[str]) -> Tensor:
    """`[C]` int64: the places of the classes among a teacher's own, by name.

    Raises:
        InputError: it does not know a class.
    """
    theirs = {name: place for place, name in enumerate(teacher.labels)}
    if missing := [label for label in labels if label not in theirs]:
        raise InputError(
            f"the teacher {teacher.path} does not know {counted(len(missing), 'class')} of "
            f"these pictures ({some_of(missing, NAMED)}), so that it cannot say how likely they are: take a teacher "
            "that was trained on all of them, or distill=embedding, which compares no classes"
        )
    return torch.tensor([theirs[label] for label in labels])


def is_still(plan: Mapping[str, Any]) -> bool:
    """Whether training shows a picture in the same pixels whenever it is drawn."""
    augment = plan["augment"]
    unchanged = augment["_target_"] == STILL and augment.get("crop_scale") is None and not augment["ops"]
    return unchanged and not any(plan.get(name) for name in ("mixing", "restyling", "resizing"))


def seen_by_artefact(artefact: Artefact, manifest: Manifest, leaks: str) -> Seen:
    """Which pictures an artefact was trained on.

    Args:
        leaks: `data.leaks`.

    Raises:
        InputError: it does not tell, and is not to be taken all the same.
    """
    told = artefact.trained_on
    if told is not None:
        seen = seen_by_digests(artefact.folder, told.digests, manifest)
        part = f"{artefact.folder} does not tell all of the pictures that its weights have seen"
        return seen if told.complete else seen.beside(Seen(seen.rows, (), (part,)))
    untold = (
        f"the artefact {artefact.folder} does not tell which pictures it was trained on, as those of earlier versions "
        "and of trained_on=false do not, so that it may know those of val and test by heart"
    )
    if leaks != "report":
        raise InputError(
            f"{untold}: export its run again without trained_on=false, give the run itself as teacher, or take "
            "data.leaks=report to go on and have it said"
        )
    return Seen(np.zeros(len(manifest.table), dtype=bool), (), (untold,))


def build_teacher(plan: FinalPlan, stats: LabelStats, rows: int) -> Teacher | None:
    """The teacher that a final plan records.

    Args:
        stats: the student's classes, with the prior that it is shown.
        rows: of the manifest.

    Raises:
        InputError: one is not there any more, or an artefact is another than the one that the run began with.
    """
    facts = plan.facts.teacher
    if facts is None:
        return None
    teachers = Teachers.at(map(Path, facts["runs"]))
    check_unchanged(teachers.artefacts, facts.get("artefacts", {}))
    compares = gateway.part_class(plan["distill"], "distill").compares
    left = leftover_prior(plan, stats)
    teacher = Networks([member_of(source, stats, left, compares) for source in sources(teachers)])
    return Remembering(teacher, rows) if facts["asked"] == "once a picture" else teacher


def check_unchanged(artefacts: Sequence[Artefact], versions: Mapping[str, str]) -> None:
    """Raises:
    InputError: an artefact is of another version than the one that taught, or a run is in its place, or it in a run's.
    """
    there = {str(artefact.folder): artefact.version for artefact in artefacts}
    for folder in sorted(versions.keys() | there.keys()):
        began, now = (f"version {found[folder]}" if folder in found else "a run" for found in (versions, there))
        if began != now:
            raise InputError(
                f"the {'artefact' if folder in versions else 'run'} {folder} has changed since this run began with it "
                f"({began}, now {now}): put that one back, or begin a new run"
            )


def member_of(source: Source, stats: LabelStats, left: Tensor | None, compares: str) -> Member:
    """A run or an artefact as it teaches these classes.

    Args:
        left: what of the prior stands in the student's logits; None where that cannot be told.
        compares: `embedding` leaves the classes as the teacher has them.
    """
    if compares != "logits":
        own = len(source.labels)
        return source.member(torch.arange(own), torch.zeros(own))
    columns = columns_of(source, stats.names)
    return source.member(columns, prior_offset(source.leftover, left, columns))


def prior_offset(theirs: Tensor | None, ours: Tensor | None, columns: Tensor) -> Tensor:
    """`[C]`: what makes a teacher's logits hold of the prior what the student's do; 0 where either cannot be told."""
    return torch.zeros(len(columns)) if theirs is None or ours is None else ours - theirs[columns]


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
