"""Folders of the runs that a command names together."""

from __future__ import annotations

import glob
from pathlib import Path

from animeid.runs.folder import MULTIRUN_RECORD, RunFolder


def run_paths(given: str) -> list[Path]:
    """The runs that `run=` means: a folder, the finished jobs of a multirun's, or patterns with colons between."""
    path = Path(given)
    if (path / MULTIRUN_RECORD).is_file():
        pieces = [f"{glob.escape(given)}/*"]
    elif path.is_dir():
        return [path]
    else:
        pieces = [piece for piece in given.split(":") if piece]
    found = [Path(name) for piece in pieces for name in sorted(glob.glob(piece))]  # noqa: PTH207
    whole = [folder for folder in map(RunFolder, found) if folder.is_finished and folder.best.is_file()]
    return list({folder.path.resolve(): folder.path for folder in whole}.values()) or [path]
