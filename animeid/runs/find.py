"""The finished runs that a pattern means."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from animeid.errors import InputError
from animeid.runs.comparison import check_comparable
from animeid.runs.finished import FinishedRun
from animeid.runs.folder import RunFolder
from animeid.runs.patterns import paths_of
from animeid.system.console import counted, say


def matching(pattern: str) -> list[RunFolder]:
    """The finished runs that a pattern, or several with colons between them, means; each once, in the patterns' order.

    Folders of answers that no training left are left out, which is said.
    """
    finished = [folder for folder in map(RunFolder, paths_of(pattern)) if folder.is_finished]
    if others := [str(folder.path) for folder in finished if not folder.config.is_file()]:
        say(f"left out, as no training run made them: {', '.join(others)}")
    return each_once([folder for folder in finished if folder.config.is_file()])


def each_once(folders: Sequence[RunFolder]) -> list[RunFolder]:
    """Without those that an earlier one names by another path."""
    found: dict[Path, RunFolder] = {}
    for folder in folders:
        found.setdefault(folder.path.resolve(), folder)
    return list(found.values())


def find_runs(pattern: str) -> list[FinishedRun]:
    """The runs of a pattern, to be compared.

    Raises:
        InputError: there are fewer than two, or they may not be compared.
    """
    folders = matching(pattern)
    if len(folders) < 2:
        raise InputError(
            f"runs={pattern} finds {counted(len(folders), 'finished run')}: give a quoted pattern that finds several"
        )
    runs = [FinishedRun.open(folder.path) for folder in folders]
    check_comparable(runs)
    return runs
