"""Going on with a run that was cut off, in its own folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import torch
import yaml

from animeid.build import build_loggers, rebuild
from animeid.config.freeze import read_yaml
from animeid.data.manifest import read_manifest
from animeid.data.prepare import Prepared
from animeid.data.shards.read import is_there
from animeid.engine.devices import choose_accelerator
from animeid.errors import InputError
from animeid.fitting import Begun
from animeid.folder import RunFolder
from animeid.identity import result_keys
from animeid.place import own_place


def find(request: Mapping[str, Any], outputs: Path) -> RunFolder | None:
    """The folder of the run that `request` wants to go on with, or None where a new run begins.

    Raises:
        InputError: `resume` is given without a `run_id`, or is `must` and there is nothing to go on from.
    """
    if request["resume"] == "never":
        return None
    if request["run_id"] is None:
        raise InputError(f"resume={request['resume']} needs run_id=NAME: it goes on in the folder outputs/NAME")
    folder = RunFolder(outputs / request["run_id"])
    has_begun = folder.config.is_file() and folder.labels.is_file()
    if request["resume"] == "must" and not (has_begun and (folder.is_finished or folder.last.is_file())):
        raise InputError(
            f"resume=must finds no checkpoint in {folder.path}: check run_id, or take resume=auto, which starts afresh"
        )
    return folder if has_begun else None


def go_on(folder: RunFolder, request: dict[str, Any]) -> Begun:
    """The run as its folder describes it, ready to go on from its last checkpoint.

    Raises:
        InputError: the request is another than the run's, or pictures of it are missing.
    """
    check_same(folder, request)
    plan = read_yaml(folder.config)
    plan["data"]["num_workers"] = _workers(plan, request)
    choose_accelerator(plan["trainer"]["accelerator"])
    _check_processes(folder, plan)
    checkpoint = folder.last if folder.last.is_file() else None
    begun = read_run(folder, plan, checkpoint)
    return replace(begun, loggers=build_loggers(request, folder))


def read_run(folder: RunFolder, plan: dict[str, Any], checkpoint: Path | None) -> Begun:
    """A run's objects and pictures without loggers, its data standing where the checkpoint goes on."""
    prepared = read_prepared(folder)
    built = rebuild(plan, prepared, from_scratch=checkpoint is None)
    if checkpoint is not None:
        built.data.resume_at(*position(checkpoint))
    return Begun(folder, built, prepared, checkpoint=checkpoint)


def _check_processes(folder: RunFolder, plan: Mapping[str, Any]) -> None:
    """Raises:
    InputError: a launcher started another number of processes than the run has.
    """
    before = plan["trainer"]["devices"], plan["trainer"].get("num_nodes", 1)
    place = own_place()
    now = (place.local_size, place.nodes) if place.size > 1 else (before[0], 1)
    if before != now:
        raise InputError(
            f"the run {folder.path} was begun with {before[0]} processes on each of {before[1]} nodes, and is now "
            f"started with {now[0]} on each of {now[1]}: start it as before"
        )


def _workers(plan: Mapping[str, Any], request: Mapping[str, Any]) -> int:
    asked = request["data"]["num_workers"]
    return plan["data"]["num_workers"] if asked == "auto" else asked


def check_same(folder: RunFolder, request: Mapping[str, Any]) -> None:
    """Raises:
    InputError: a key that changes the result differs from that of the run.
    """
    before = result_keys(read_yaml(folder.request))
    # As it looks after writing and reading: tuples have become lists.
    now = result_keys(yaml.safe_load(yaml.safe_dump(dict(request))))
    changed = [key for key in sorted(before | now) if before.get(key) != now.get(key)]
    if changed:
        key = changed[0]
        raise InputError(
            f"the run {folder.path} was begun with {key}={before.get(key)} and is now asked for {key}={now.get(key)}: "
            "ask for the same, or begin a new run with another run_id (and from_run to start from its weights)"
        )


def read_prepared(folder: RunFolder) -> Prepared:
    """The pictures as the run split them.

    Raises:
        InputError: pictures are missing.
    """
    manifest = read_manifest(folder.manifest)
    used = manifest.table[manifest.table["split"] != "excluded"]
    missing = [path for path in used["path"] if not is_there(manifest.root / path)]
    if missing:
        raise InputError(
            f"{len(missing)} pictures of the run {folder.path} are missing, such as {manifest.root / missing[0]}: "
            "put them back, or begin a new run without them"
        )
    skipped, conflicts = (pd.read_csv(path, dtype=str) for path in (folder.skipped, folder.conflicts))
    return Prepared(manifest, folder.read_labels(), skipped, conflicts, given_splits=True)


def position(checkpoint: Path) -> tuple[int, int]:
    """The epoch in which a checkpoint goes on, and the batches of it that are done."""
    progress = torch.load(checkpoint, map_location="cpu", weights_only=True, mmap=True)["position"]
    return progress["epoch"], progress["batches"]
