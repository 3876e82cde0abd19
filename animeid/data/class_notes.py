"""What is said of class folders: those that are none, and those that may be several."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from animeid.data.folders import hidden_in
from animeid.system.console import some_of
from animeid.terms import OUTPUTS

WRITTEN = (("manifest.parquet", "config.yaml"), ("model.onnx", "labels.json"))
"""Files that lie beside one another in the folder of a run, and in that of an artefact."""

NAMED = 5
"""How many folders or classes a sentence names at most."""


def folders_round(folder: Path, files: Sequence[Path]) -> list[str]:
    """The folders right below that hold its files, sorted; none where a file is right below."""
    inner = {file.relative_to(folder).parts[:-1][:1] for file in files}
    return [] if () in inner else sorted(name for (name,) in inner)


def is_written(folder: Path, files: Sequence[Path]) -> bool:
    """Whether it is a folder that commands write to: that of runs here, or one that holds runs or artefacts.

    Args:
        files: all that it holds.
    """
    here = Path(OUTPUTS)
    if here.is_dir() and folder.samefile(here):
        return True
    there = set(files)
    return any(file.name == first and file.with_name(second) in there for file in files for first, second in WRITTEN)


def class_notes(
    folder: Path, aside: Sequence[str], within: Mapping[str, Sequence[str]], written: Sequence[str]
) -> list[str]:
    """What to say of folders that are no classes, or may be several.

    Args:
        aside: folders of texts. written: those that commands write to.
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
    if written:
        notes.append(f"folders of {folder} that hold runs or artefacts are no classes: {some_of(written, NAMED)}")
    if hidden := [path.name for path in hidden_in(folder)]:
        notes.append(
            f"folders of {folder} that begin with a dot are left out: {some_of(hidden, NAMED)} (a character called so "
            "needs a manifest, or a folder of another name)"
        )
    return notes
