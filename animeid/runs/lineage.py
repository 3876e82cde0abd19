"""Lineage of a run's weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from animeid.runs.folder import RunFolder
from animeid.runs.saved import SavedRun


@dataclass(frozen=True)
class Lineage:
    """runs: the nearest first. notes: sentences about those that are gone."""

    runs: tuple[RunFolder, ...]
    notes: tuple[str, ...] = ()


def lineage(plan: Mapping[str, Any]) -> Lineage:
    """The runs that a plan's weights come from: by `from_run`, or by a checkpoint of theirs as `model.weights`."""
    runs: list[RunFolder] = []
    whose, bases = "this run", [Path()]
    while (origin := _origin(plan)) is not None:
        place = next((base / origin for base in bases if (base / origin).exists()), None)
        if place is None:
            lost = f"{origin}, which {whose} started from, is gone: what it was trained on cannot be told"
            return Lineage(tuple(runs), (lost,))
        folder = _run_at(place)
        if folder is None or folder in runs:
            break
        runs.append(folder)
        # A plan names its origin from where that run was started, which is mostly a folder above it.
        whose, bases = f"the run {folder.path}", [*folder.path.resolve().parents, Path()]
        plan = SavedRun(folder).plan
    return Lineage(tuple(runs))


def with_ancestors(run: RunFolder) -> Lineage:
    """The run and those that its weights come from."""
    return lineage({"from_run": str(run.path), "model": {}})


def _origin(plan: Mapping[str, Any]) -> Path | None:
    """The run's folder or the file of weights that a plan starts from."""
    given = plan.get("from_run") or plan["model"].get("weights")
    return None if given is None else Path(given)


def _run_at(place: Path) -> RunFolder | None:
    """The run whose folder this is, or holds this file; None for a file from elsewhere."""
    here, folder = Path.cwd(), place.resolve()
    folders = (folder,) if folder.is_dir() else folder.parents[:2]
    found = (RunFolder(path.relative_to(here) if path.is_relative_to(here) else path) for path in folders)
    return next((run for run in found if run.config.is_file() and run.manifest.is_file()), None)
