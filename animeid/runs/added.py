"""Classes and pictures that came to the data of a run since it began."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from animeid.data.settings import DataSettings
from animeid.data.shards.layout import is_shard_folder
from animeid.data.sources import read_source
from animeid.errors import InputError
from animeid.runs.folder import RunFolder
from animeid.runs.saved import SavedRun
from animeid.system.console import counted, say, some_of
from animeid.system.names import expanded

NAMED = 5
"""How many classes or pictures a sentence names at most."""


def check_added(folder: RunFolder, data: Mapping[str, Any]) -> None:
    """Says which pictures a run that goes on, or is finished, leaves out, since it keeps those that it was begun with.

    Files are listed and not opened.

    Args:
        folder: of a run that has begun.
        data: of its request.

    Raises:
        InputError: whole classes are there that the run does not have.
    """
    root = data["root"]
    if root is None or is_shard_folder(root) or not Path(expanded("data.root", root)).exists():
        return
    settings = DataSettings(root=root, parts=data.get("parts"), attributes=tuple(data.get("attributes") or ()))
    there = read_source(settings).manifest.table
    there = there[~there["split"].isin(("excluded", "unknown"))]
    saved = SavedRun(folder)
    before = saved.manifest.table
    if classes := sorted(set(there["label"]) - set(before["label"]) - {*saved.labels, ""}):
        raise InputError(
            f"{root} has classes that the run {folder.path} was begun without ({some_of(classes, NAMED)}), and a run "
            f"keeps its classes: begin a new one with another run_id (from_run={folder.path} starts from its weights), "
            "or take them out again"
        )
    known = {*before["path"], *saved.skipped["path"]}
    added = [path for path in there["path"] if path not in known]
    had = set(zip(before["path"], before["label"], strict=True))  # one that is listed twice may have two labels
    labelled = set(before["path"])
    pairs = dict.fromkeys(zip(there["path"], there["label"], strict=True))
    moved = [path for path, label in pairs if path in labelled and (path, label) not in had]
    for paths, verb, what in ((added, "were", "added"), (moved, "have", "another label")):
        if paths:
            say(
                f"of {root}, {counted(len(paths), 'picture', verb)} {what} since the run {folder.path} was begun, "
                f"which goes by what it was begun with: {some_of(paths, NAMED)}"
            )
