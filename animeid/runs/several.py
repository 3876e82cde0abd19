"""Folders of the runs that a command names together."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from animeid.runs.folder import MULTIRUN_RECORD, RunFolder
from animeid.runs.patterns import paths_of


def no_other(path: Path) -> bool:  # noqa: ARG001
    """Runs alone are taken."""
    return False


def run_paths(given: str, is_other: Callable[[Path], bool] = no_other) -> list[Path]:
    """The runs that `run=` means: a folder, the finished jobs of a multirun's, or patterns with colons between.

    Args:
        is_other: what is taken as well, where a pattern finds it.
    """
    path = Path(given)
    if (path / MULTIRUN_RECORD).is_file():
        found = sorted(path.glob("*"))
    elif path.is_dir():
        return [path]
    else:
        found = paths_of(given)
    whole = [one for one in found if is_whole(RunFolder(one)) or is_other(one)]
    return list({one.resolve(): one for one in whole}.values()) or [path]


def is_whole(run: RunFolder) -> bool:
    return run.is_finished and run.best.is_file()
