"""Folders of the runs that a command names together."""

from __future__ import annotations

from pathlib import Path

from animeid.runs.folder import MULTIRUN_RECORD, RunFolder
from animeid.runs.patterns import paths_of


def run_paths(given: str) -> list[Path]:
    """The runs that `run=` means: a folder, the finished jobs of a multirun's, or patterns with colons between."""
    path = Path(given)
    if (path / MULTIRUN_RECORD).is_file():
        found = sorted(path.glob("*"))
    elif path.is_dir():
        return [path]
    else:
        found = paths_of(given)
    whole = [folder for folder in map(RunFolder, found) if folder.is_finished and folder.best.is_file()]
    return list({folder.path.resolve(): folder.path for folder in whole}.values()) or [path]
