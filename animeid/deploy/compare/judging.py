"""How well models name the judged pictures: figures with intervals, and tests in pairs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from animeid.artefacts.artefact import Artefact
from animeid.assembly.plan import FinalPlan, label_stats
from animeid.deploy.compare.figures import Reading
from animeid.deploy.runtime import Runtime
from animeid.errors import InputError
from animeid.metrics.evaluate import evaluate
from animeid.metrics.paired import Difference, paired_difference
from animeid.runs.comparison import common_order
from animeid.runs.finished import FinishedRun
from animeid.system.console import say_beside
from animeid.terms import EVALUATED_SPLITS


@dataclass(frozen=True)
class Judged:
    """A model's figures.

    figures: as a part of `metrics.json` has them. answers: `[K]` int64, the classes that it names, of the judged
    pictures in their common order; None where only figures are there.
    """

    figures: Mapping[str, Any]
    answers: np.ndarray | None

    def measured(self, name: str) -> Reading:
        low, high = self.figures.get(f"{name}_ci") or (None, None)
        return Reading(self.figures[name], low, high)


@dataclass(frozen=True)
class Pictures:
    """The judged pictures in the order that all models share.

    paths: files, which may be gone. targets: `[K]` int64. groups: `[K]` text.
    """

    part: str
    paths: tuple[Path, ...]
    targets: np.ndarray
    groups: np.ndarray

    @classmethod
    def of(cls, run: FinishedRun) -> Pictures:
        rows = run.predictions.iloc[common_order(run)]
        paths = tuple(run.manifest.root / path for path in rows["path"])
        return cls(run.part, paths, rows["target"].to_numpy(), rows["group"].to_numpy(str))

    @property
    def are_there(self) -> bool:
        return all(path.is_file() for path in self.paths)


def judged_run(run: FinishedRun) -> Judged:
    """By what the run saved."""
    return Judged(run.judged, run.predictions["answer"].to_numpy()[common_order(run)])


def judged_artefact(artefact: Artefact, run: FinishedRun | None, pictures: Pictures | None) -> Judged:
    """By its own answers to the judged pictures of a run beside it; where those are gone, by what it was exported with.

    Raises:
        InputError: there are neither pictures nor figures.
    """
    if run is not None and pictures is not None and pictures.are_there:
        say_beside(f"{artefact.folder} answers the {len(pictures.paths)} {pictures.part} pictures")
        logits = Runtime.load(artefact.folder)(list(pictures.paths)).logits
        if len(logits) == len(pictures.paths):
            stats = label_stats(FinalPlan.read(run.folder.config), run.labels)
            figures = evaluate(logits, pictures.targets, pictures.groups, stats, None)
            return Judged(figures, logits.argmax(axis=1))
    return Judged(exported_figures(artefact), None)


def exported_figures(artefact: Artefact) -> Mapping[str, Any]:
    """Those of the part that the artefact's run was judged by.

    Raises:
        InputError: it was exported without.
    """
    metrics = artefact.metrics or {}
    parts = [part for part in EVALUATED_SPLITS if metrics.get(part)]
    if not parts:
        raise InputError(
            f"the artefact {artefact.folder} has no figures, and no run is compared whose judged pictures it could "
            "answer: add its run to models=, with its pictures where they were"
        )
    return metrics[parts[-1]]


def judge_all(models: Sequence[FinishedRun | Artefact]) -> tuple[list[Judged], Pictures | None]:
    """Every model's figures, and the pictures that they are of where a run tells them."""
    runs = [model.answerer for model in models if isinstance(model, FinishedRun)]
    first = runs[0] if runs else None
    pictures = None if first is None else Pictures.of(first)
    judged = [
        judged_run(model.answerer) if isinstance(model, FinishedRun) else judged_artefact(model, first, pictures)
        for model in models
    ]
    return judged, pictures


def against(best: Judged, other: Judged, pictures: Pictures | None, num_classes: int) -> Difference | None:
    """By how much `other` exceeds the best in f1_macro on the same pictures; None where either only has figures."""
    if best.answers is None or other.answers is None or pictures is None:
        return None
    return paired_difference(pictures.targets, pictures.groups, other.answers, best.answers, num_classes)
