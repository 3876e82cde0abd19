"""Outcomes of a row's jobs: figures of the test part, and the answers behind them."""

from __future__ import annotations

import math
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import t as student

from animeid.config import gateway
from animeid.data.manifest import targets_by_label
from animeid.runs.folder import RunFolder
from animeid.runs.saved import SavedRun
from animeid.system.files import read_json, read_yaml
from experiments.long_tail.rows import Job
from experiments.runs import OUTPUTS

JUDGED = ("acc_micro", "acc_macro", "f1_macro", "ece")
SHOTS = ("many", "medium", "few")
FIGURES = (*JUDGED[:3], *(f"{shot}/acc_macro" for shot in SHOTS), *JUDGED[3:])
DERIVED = ("smallest_f1", "spread_f1")
"""F1 of the class with the fewest training pictures (the mean of those that share this place), and the standard
deviation of F1 over classes."""


@dataclass(frozen=True)
class Outcome:
    """A finished job.

    figures: by name, None where there is none. seconds: of training, all runs that the row needs together.
    latency_ms: of one answer, by all runs and in all views that it takes; None where it was not measured.
    commits: of the code that made it, of all runs of an ensemble; none where an earlier version did not write it down.
    targets, groups, answers: `[N]` of the test part, in the order of the manifest.
    is_few: `[N]`, whether the picture is of a few-shot class.
    """

    figures: dict[str, float | None]
    seconds: float
    latency_ms: float | None
    commits: frozenset[str]
    targets: np.ndarray
    groups: np.ndarray
    answers: np.ndarray
    is_few: np.ndarray

    @classmethod
    def of(cls, job: Job) -> Outcome:
        """What a job left.

        Classes are few-shot, or the smallest, by the training part of cross entropy: folds have other ones.

        Raises:
            ValueError: the job's folder was made by other arguments.
        """
        folder = RunFolder(job.folder)
        found = read_json(folder.metrics)["test"]
        classes = read_json(OUTPUTS / job.base / "metrics.json")["test"]["per_class"]
        table = pd.read_parquet(folder.predictions)
        table = table[table["split"] == "test"].sort_values("path", kind="stable")
        number = targets_by_label(SavedRun(folder).labels)
        few = [one["label"] for one in classes if one["shot_group"] == "few"]
        figures = {name: found[name] for name in JUDGED} | derived(found["per_class"], classes)
        return cls(
            figures,
            seconds_of(job),
            latency_of(job),
            commits_of(job),
            table["target"].to_numpy(),
            table["group"].to_numpy(str),
            table["predicted"].map(number).to_numpy(),
            table["label"].isin(few).to_numpy(),
        )


def derived(per_class: Sequence[dict[str, Any]], classes: Sequence[dict[str, Any]]) -> dict[str, float | None]:
    """`DERIVED` and the accuracy of `SHOTS` of a part's classes with support, by the training part of `classes`."""
    counts, shots = ({row["label"]: row[name] for row in classes} for name in ("train_count", "shot_group"))
    known = [row for row in per_class if row["support"] > 0]
    smallest = min(counts[row["label"]] for row in known)
    ends = [row["f1"] for row in known if counts[row["label"]] == smallest]
    recalls = {shot: [row["recall"] for row in known if shots[row["label"]] == shot] for shot in SHOTS}
    return {
        "smallest_f1": float(np.mean(ends)),
        "spread_f1": float(np.std([row["f1"] for row in known])),
        **{f"{shot}/acc_macro": float(np.mean(found)) if found else None for shot, found in recalls.items()},
    }


def commits_of(job: Job) -> frozenset[str]:
    """The commits of the code that made a job's answers.

    Raises:
        ValueError: other arguments than the row's did.
    """
    arguments, commits = job.command[3:], set()
    for folder in _runs_of(job) if job.row.kind == "folds" else [job.folder]:
        path = folder / "environment.json"
        if not path.is_file() and job.row.kind in ("evaluate", "timm"):
            continue
        found = read_json(path)
        if shlex.split(found["command"])[-len(arguments) :] != arguments:
            raise ValueError(f"{folder} was made by other arguments than the row's: remove it and run the ladder again")
        commits.add(str(found["code"]["commit"])[:10])
    return frozenset(commits)


def latency_of(job: Job) -> float | None:
    """Milliseconds for one picture: of all runs of an ensemble together, of all views of an evaluation."""
    if job.row.kind == "folds":
        return sum(_cost(run)["latency_ms"] for run in _runs_of(job))
    if job.row.kind != "evaluate":
        return _cost(job.folder).get("latency_ms")
    views = gateway.build(read_yaml(job.folder / "request.yaml")["tta"], "tta")
    return _cost(OUTPUTS / job.base)["latency_ms"] * (1 if views is None else views.number)


def seconds_of(job: Job) -> float:
    """Training time of the runs behind a job's answers."""
    if job.row.kind == "folds":
        return sum(map(_trained, _runs_of(job)))
    own = 0.0 if job.row.kind == "evaluate" else _trained(job.folder)
    on = _trained(OUTPUTS / job.base) if job.row.kind in ("evaluate", "stage") else 0.0
    return own + on


def _runs_of(job: Job) -> list[Path]:
    """The runs of a job's ensemble."""
    return [Path(member["run"]) for member in read_json(job.folder / "ensemble.json")]


def _trained(folder: Path) -> float:
    return float(_cost(folder)["train_s"])


def _cost(folder: Path) -> Any:
    return read_json(folder / "metrics.json")["cost"]


def over_seeds(values: Sequence[float | None]) -> tuple[float, float | None] | None:
    """Mean, and half the width of its 95 % interval by Student's t; none where a value or a second seed is missing."""
    known = [value for value in values if value is not None]
    if not known or len(known) < len(values):
        return None
    mean = float(np.mean(known))
    if len(known) < 2:
        return mean, None
    half = student.ppf(0.975, len(known) - 1) * float(np.std(known, ddof=1)) / math.sqrt(len(known))
    return mean, float(half)
