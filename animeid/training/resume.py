"""Going on with a run that was cut off, in its own folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from animeid.assembly.module import build_loggers
from animeid.assembly.plan import FinalPlan
from animeid.assembly.run import rebuild
from animeid.config.paths import with_paths
from animeid.config.roots import request_target
from animeid.data.prepare import Prepared
from animeid.engine.devices import choose_accelerator
from animeid.errors import InputError
from animeid.models.checkpoint import read_torch
from animeid.runs.added import check_added
from animeid.runs.changed import changed, refuse_missing
from animeid.runs.folder import RunFolder
from animeid.runs.identity import differing, result_keys
from animeid.runs.saved import SavedRun
from animeid.system.checksum import is_whole
from animeid.system.console import say
from animeid.system.files import remove_strays
from animeid.system.launcher import own_rank
from animeid.training.fitting import RunState


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
    has_begun = folder.has_begun
    if request["resume"] == "must" and not (has_begun and (folder.is_finished or folder.can_go_on)):
        raise InputError(
            f"resume=must finds no checkpoint in {folder.path}: check run_id, or take resume=auto, which starts afresh"
        )
    if not has_begun:
        folder.clear_start()
    return folder if has_begun else None


def go_on(folder: RunFolder, request: dict[str, Any]) -> RunState:
    """The run as its folder describes it, ready to go on from its last checkpoint.

    Raises:
        InputError: the request is another than the run's, or pictures of it are missing.
    """
    check_same(folder, request)
    plan = with_workers(FinalPlan.read(folder.config), request)
    choose_accelerator(plan.trainer.accelerator)
    _check_processes(folder, plan)
    remove_strays(folder.path)
    checkpoint = last_whole(folder)
    state = read_run(folder, plan, checkpoint)
    for warning in changed_since(folder):
        say(warning)
    return replace(state, loggers=build_loggers(request, folder))


def last_whole(folder: RunFolder) -> Path | None:
    """The last checkpoint, or the one before it in its place; None where none was written yet.

    A damaged one is set aside, with a warning.

    Raises:
        InputError: all are damaged.
    """
    there = [path for path in (folder.last, folder.previous) if path.is_file()]
    whole = next((path for path in there if is_whole(path)), None)
    if there and whole is None:
        raise InputError(
            f"every checkpoint to go on from in {folder.checkpoints} is damaged: put back a copy of one, or remove "
            "last.ckpt and previous.ckpt, and resume=auto starts again from the first epoch"
        )
    if whole == folder.previous:
        if folder.last.is_file():
            say(f"WARNING: {folder.last} is damaged and now {_set_aside(folder.last)}; the one before it is used")
        # A kill between the two moves of a new checkpoint leaves no last one.
        folder.previous.replace(folder.last)
    if folder.best.is_file() and not is_whole(folder.best):
        say(
            f"WARNING: {folder.best} is damaged and now {_set_aside(folder.best)}; the best epoch until here is lost, "
            "and the best of those that follow is kept in its place"
        )
    return folder.last if whole else None


def _set_aside(checkpoint: Path) -> Path:
    return checkpoint.replace(checkpoint.with_suffix(".damaged"))


def read_run(folder: RunFolder, plan: FinalPlan, checkpoint: Path | None) -> RunState:
    """A run's objects and pictures without loggers, its data standing where the checkpoint goes on."""
    prepared = read_prepared(folder)
    components = rebuild(plan, prepared, from_scratch=checkpoint is None)
    if checkpoint is not None:
        components.data.resume_at(*position(checkpoint))
    return RunState(folder, components, prepared, checkpoint=checkpoint)


def _check_processes(folder: RunFolder, plan: FinalPlan) -> None:
    """Raises:
    InputError: a launcher started another number of processes than the run has.
    """
    before = plan.trainer.devices, plan.trainer.num_nodes
    place = own_rank()
    now = (place.local_size, place.nodes) if place.size > 1 else (before[0], 1)
    if before != now:
        raise InputError(
            f"the run {folder.path} was begun with {before[0]} processes on each of {before[1]} nodes, and is now "
            f"started with {now[0]} on each of {now[1]}: start it as before"
        )


def with_workers(plan: FinalPlan, request: Mapping[str, Any]) -> FinalPlan:
    """The plan with as many loader processes as are asked for now, or as before."""
    asked = request["data"]["num_workers"]
    return plan if asked == "auto" else plan.having(data={"num_workers": asked})


def check_same(folder: RunFolder, request: Mapping[str, Any]) -> None:
    """Raises:
    InputError: a key that changes the result differs from that of the run, or its pictures have more classes now.
    """
    before = result_keys(with_paths(SavedRun(folder).request, (), request_target("train")))
    # As it looks after writing and reading: tuples have become lists.
    now = result_keys(yaml.safe_load(yaml.safe_dump(dict(request))))
    if changed := differing(before, now):
        key = changed[0]
        raise InputError(
            f"the run {folder.path} was begun with {key}={before.get(key)} and is now asked for {key}={now.get(key)}: "
            "ask for the same, or begin a new run with another run_id (and from_run to start from its weights)"
        )
    check_added(folder, request["data"])


def read_prepared(folder: RunFolder) -> Prepared:
    """The pictures as the run split them.

    Raises:
        InputError: pictures are missing.
    """
    saved = SavedRun(folder)
    manifest = saved.manifest
    used = manifest.table[manifest.table["split"] != "excluded"]
    refuse_missing(folder, manifest.root, used["path"])
    return Prepared(manifest, saved.labels, saved.skipped, saved.conflicts, given_splits=True)


def changed_since(folder: RunFolder) -> list[str]:
    """A warning of pictures that were replaced since the run read them: few files are looked into, and none twice."""
    manifest = SavedRun(folder).manifest
    used = manifest.table[manifest.table["split"] != "excluded"]
    return changed(manifest.root, used, since=folder.manifest.stat().st_mtime)


def position(checkpoint: Path) -> tuple[int, int]:
    """The epoch in which a checkpoint goes on, and the batches of it that are done.

    Raises:
        InputError: the file is no checkpoint of ours.
    """
    progress = read_torch(checkpoint, mmap=True).get("position")
    if progress is None:
        raise InputError(f"{checkpoint} was not written by a run of animeid: put the run's own back, or remove it")
    return progress["epoch"], progress["batches"]
