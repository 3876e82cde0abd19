"""What is said of class folders: those that are none, and those that may be several."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from animeid.data.folders import hidden_in
from animeid.system.console import some_of

WRITTEN = {"manifest.parquet": "config.yaml", "model.onnx": "labels.json"}
"""A file of a run's folder, and one of an artefact's, each with another that lies beside it."""

NAMED = 5
"""How many folders or classes a sentence names at most."""


def folders_round(folder: Path, files: Sequence[Path]) -> list[str]:
    """The folders right below that hold its files, sorted; none where a file is right below."""
    inner = {file.relative_to(folder).parts[:-1][:1] for file in files}
    return [] if () in inner else sorted(name for (name,) in inner)


def without_runs(files: Sequence[Path]) -> tuple[list[Path], list[Path]]:
    """Files that are in no run's or artefact's folder, and these folders, sorted."""
    runs = {file.parent for file in files if file.name in WRITTEN and file.with_name(WRITTEN[file.name]).is_file()}
    if not runs:
        return list(files), []
    return [file for file in files if not runs.intersection(file.parents)], sorted(runs)


def class_notes(
    folder: Path, aside: Sequence[str], within: Mapping[str, Sequence[str]], runs: Sequence[str]
) -> list[str]:
    """What to say of folders that are no classes, or may be several.

    Args:
        aside: folders of texts.
        runs: folders of runs and artefacts, by their paths from `folder`.
        within: of each class the folders in it, where no picture is beside them.
    """
    notes = []
    if within and all(within.values()):
        example = "; ".join(f"{name}: {some_of(inner, NAMED)}" for name, inner in list(within.items())[:2])
        notes.append(
            f"each class of {folder} has its pictures in folders of its own, which are taken together ({example}); if "
            "those are the characters, give a manifest that says so"
        )
    if aside:
        notes.append(f"folders of {folder} that hold texts and no pictures are no classes: {some_of(aside, NAMED)}")
    if runs:
        notes.append(f"runs and artefacts in {folder} are left out, with the pictures in them: {some_of(runs, NAMED)}")
    if hidden := [path.name for path in hidden_in(folder)]:
        notes.append(
            f"folders of {folder} that begin with a dot are left out: {some_of(hidden, NAMED)} (a character called so "
            "needs a manifest, or a folder of another name)"
        )
    return notes
