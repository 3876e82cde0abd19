"""What a finished run keeps for going on, and needs no more."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from animeid.errors import InputError
from animeid.runs.folder import RunFolder
from animeid.runs.patterns import paths_of
from animeid.runs.saved import SavedRun
from animeid.system.checksum import is_whole
from animeid.system.console import align, counted, say, some_of

MB = 1e6
NAMED = 5
"""How many runs a sentence names at most."""


def spare(folder: RunFolder) -> list[Path]:
    """Checkpoints with the state of the optimiser, damaged ones among them, of a run that will not go on.

    None where the best weights are not whole: they would be the run's only ones.
    """
    there = [folder.last, folder.previous, *sorted(folder.checkpoints.glob("*.damaged"))]
    found = [path for path in there if path.is_file()]
    return found if found and folder.best.is_file() and is_whole(folder.best) else []


def keep_weights_only(folder: RunFolder) -> None:
    """Removes what a run needs no more that has come to its end, unless it was asked to keep all.

    Runs of earlier versions, which kept all, keep it.
    """
    if folder.request.is_file() and SavedRun(folder).request.get("keep", "all") == "weights":
        remove(spare(folder))


def remove(files: Iterable[Path]) -> None:
    for path in files:
        path.unlink(missing_ok=True)


def clean(request: Mapping[str, Any]) -> None:
    """Lists what the runs of `request["runs"]` need no more, and removes it where `apply` says so.

    Raises:
        InputError: there is no run.
    """
    folders = runs_below(request["runs"])
    if not folders:
        raise InputError(f"runs={request['runs']} finds no run: give a folder with runs in it, or a quoted pattern")
    unfinished = [str(folder.path) for folder in folders if not folder.is_finished]
    found = {folder: files for folder in folders if folder.is_finished and (files := spare(folder))}
    if unfinished:
        left = f"{counted(len(unfinished), 'run', 'are')} not finished and may go on"
        say(f"{left}: {some_of(unfinished, NAMED)}; nothing of theirs goes")
    if not found:
        say(f"nothing can be freed: {counted(len(folders), 'run')} without a checkpoint of no more use")
        return
    sizes = {folder: sum(path.stat().st_size for path in files) for folder, files in found.items()}
    say(listing(found, sizes))
    whole = f"{sum(sizes.values()) / MB:,.1f} MB of {counted(len(found), 'run')}"
    if request["apply"]:
        remove(path for files in found.values() for path in files)
        say(f"freed {whole}; weights, answers and figures are untouched")
    else:
        say(f"can be freed: {whole}; the same with apply=true removes these files, and no weights, answers or figures")


def listing(found: Mapping[RunFolder, Sequence[Path]], sizes: Mapping[RunFolder, int]) -> str:
    """A table: a row a run, with its files and their megabytes."""
    rows = [
        [str(folder.path), f"{sizes[folder] / MB:,.1f}", ", ".join(path.name for path in files)]
        for folder, files in found.items()
    ]
    return "\n".join(align([["run", "MB", "checkpoints"], *rows]))


def runs_below(pattern: str) -> list[RunFolder]:
    """Trained runs that a pattern names or that lie below what it names, each once; jobs, folds and trials are such."""
    found = {
        config.parent.resolve(): RunFolder(config.parent)
        for path in paths_of(pattern)
        for config in sorted(path.rglob("config.yaml"))
        if RunFolder(config.parent).checkpoints.is_dir()
    }
    return list(found.values())
