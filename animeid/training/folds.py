"""`data.fold=all`: a run for each fold, their answers for pictures that they have not seen, and all runs on test."""

from __future__ import annotations

import glob
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from animeid.assembly.plan import FinalPlan, label_stats
from animeid.config import gateway
from animeid.data.manifest import Manifest
from animeid.data.prepare import prepare
from animeid.data.splits.parts import folds_of
from animeid.errors import InputError, MachineError
from animeid.inference.ensembling import cost_of_each, ensemble
from animeid.inference.evaluation import answers_in, judge
from animeid.inference.labelled import Pictures
from animeid.metrics.table import summary_table
from animeid.multirun.record import Asked
from animeid.multirun.running import JobCrashedError, Running
from animeid.predictions import merge
from animeid.runs.comparison import check_joinable
from animeid.runs.finished import FinishedRun
from animeid.runs.folder import OUTPUTS, RunFolder, group_path
from animeid.runs.leaks import seen_by
from animeid.runs.lineage import lineage
from animeid.system.console import counted, say
from animeid.system.files import read_json, write_json
from animeid.system.launcher import refuse_launcher
from animeid.training.fitting import by_last_epoch
from animeid.training.run import train

OUT_OF_FOLD = "out_of_fold"
ENSEMBLE = "ensemble"
RECORD = "folds.json"
"""What the folds were begun with."""
FLATTERED = "flattered_by.json"
"""By what the out-of-fold figures flatter; an empty list where they are honest."""
NEVER_HELD_OUT = "its class has too few groups for folds, so that every run was trained on it"

Request = dict[str, Any]


def train_all(request: Request) -> float | None:
    """Trains every fold, those that are finished excepted, then judges what they say together.

    Returns:
        The `f1_macro` of the out-of-fold answers; None while a fold is missing.

    Raises:
        InputError: the settings are wrong, a fold cannot be trained, or another process is at work on them.
        MachineError: a fold was ended by the machine.
    """
    refuse_launcher("data.fold=all", "each fold starts the processes of trainer.devices=N itself")
    requests = [with_fold(request, fold) for fold in range(number_of_folds(request))]
    path = group_path(request["run_id"])
    asked = asked_for(requests)
    if not begun_with(path / RECORD, asked):  # folds of an earlier version keep the epochs that they chose
        requests = [by_last_epoch(one) for one in requests]
        asked = asked_for(requests)
    check_same_settings(path / RECORD, asked)
    running = Running.begin(path, asked)
    try:
        write_json(path / RECORD, identities(asked))
        failures = [error for one, job in zip(requests, asked, strict=True) if (error := try_fold(running, job, one))]
    finally:
        running.end()
    if failures:
        raise type(failures[0])(
            f"{len(failures)} of {counted(len(requests), 'fold', 'were')} not trained, so that nothing is "
            f"judged together; the first "
            f"says: {failures[0]}"
        )
    runs = [job.folder for job in running.planned.values()]
    figure = evaluate_out_of_fold(RunFolder(path / OUT_OF_FOLD), runs)
    if request["test"] and (FinishedRun(runs[0]).manifest.table["split"] == "test").any():
        ensemble_folds(RunFolder(path / ENSEMBLE), runs)
    return figure


def asked_for(requests: Sequence[Request]) -> list[Asked]:
    return [Asked.of(one, {"data.fold": str(fold)}) for fold, one in enumerate(requests)]


def begun_with(record: Path, asked: Sequence[Asked]) -> bool:
    return record.is_file() and read_json(record) == identities(asked)


def identities(asked: Sequence[Asked]) -> list[list[Any]]:
    return [list(job.identity) for job in asked]


def check_same_settings(record: Path, asked: Sequence[Asked]) -> None:
    """Raises:
    InputError: the folder's folds were begun with other settings, and what they say together would be mixed up.
    """
    if record.is_file() and not begun_with(record, asked):
        raise InputError(
            f"{record.parent} has the folds of other settings or other pictures: give what they were begun with, or "
            "choose another run_id"
        )


def number_of_folds(request: Mapping[str, Any]) -> int:
    """How many folds the data has groups for, at most `data.folds`.

    Raises:
        InputError: `data.folds` is not given, the data is wrong, or the runs that all folds start from know pictures of
            theirs.
    """
    if request["data"]["folds"] is None:
        raise InputError("data.fold=all needs data.folds: say how many folds there are at most, such as data.folds=5")
    settings = gateway.build({**request["data"], "fold": 0, "long_tail": None}, "data")
    manifest = prepare(settings).manifest
    folds = folds_of(manifest.table, settings)
    check_not_seen(request, manifest, folds.held_out >= 0)
    return folds.count


def check_not_seen(request: Mapping[str, Any], manifest: Manifest, held_out: np.ndarray) -> None:
    """Out-of-fold answers are by runs that were not trained on the pictures, at any remove.

    Raises:
        InputError: a run that all folds start from was trained on pictures that a fold holds out.
    """
    data, earlier = request["data"], lineage(request)
    if not earlier.runs:
        return
    seen = seen_by(earlier, manifest, held_out, data["max_pixels"], data["cache"])
    if known := int((seen.rows & held_out).sum()):
        raise InputError(
            f"data.fold=all answers each picture by a run that was not trained on it, and {known} of them were in the "
            f"training of {seen.named()}, which all folds would start from: leave it out, or start each fold from the "
            "run of the same fold, data.fold=0 from that of fold 0"
        )


def with_fold(request: Request, fold: int) -> Request:
    return {**request, "data": {**request["data"], "fold": fold}}


def try_fold(running: Running, asked: Asked, request: Request) -> InputError | MachineError | None:
    """Trains a fold; what ends it is returned, so that the other folds are trained."""
    try:
        running.run(asked, request, train)
    except (InputError, MachineError) as error:
        return error
    except JobCrashedError as error:
        return MachineError(str(error))
    return None


def evaluate_out_of_fold(folder: RunFolder, runs: Sequence[RunFolder]) -> float:
    """Writes each picture's answer by the run that was not trained on it, and the figures of all of them.

    Raises:
        InputError: pictures changed between two folds.
    """
    if folder.is_finished:
        say(f"out-of-fold answers are there already: {folder.path}")
        return float(FinishedRun(folder).metrics["val"]["f1_macro"])
    folds = [FinishedRun(run) for run in runs]
    first = check_joinable(folds)
    remove(folder)
    folder.create()
    answers = answers_in(folder, "val", merge([fold.predictions_of("val") for fold in folds]))
    never = first.table[(first.table["split"] == "train") & ~first.table.index.isin(answers.rows)]
    table = first.table.copy()
    table.loc[answers.rows, "split"] = "val"
    manifest = Manifest(table, first.root, first.attributes)
    labels, plan = folds[0].labels, FinalPlan.read(runs[0].config)
    left_out = pd.DataFrame({"path": never["path"], "reason": NEVER_HELD_OUT})
    pictures = Pictures(manifest, answers.rows, (), left_out)
    flattered = flattered_by(folds)
    write_json(folder.path / FLATTERED, flattered)
    metrics = judge(folder, "val", answers, pictures, label_stats(plan, labels), cost=cost_of_each(folds))
    say(summary_table(metrics))
    missing = f"; {len(never)} have none, since {NEVER_HELD_OUT}" if len(never) else ""
    say(f"out-of-fold answers of {counted(len(answers.rows), 'picture', 'are')} in {folder.path}{missing}")
    if flattered:
        how = "; ".join(flattered)
        say(f"these figures flatter, since pictures that a fold answers had a say in its training: {how}")
    else:
        say("each fold answers by its last epoch, and its own pictures had no say in its training")
    return float(metrics["val"]["f1_macro"])


def flattered_by(folds: Sequence[FinishedRun]) -> list[str]:
    """By what the pictures that folds answer had a say in their training; nothing where the figures are honest."""
    found: dict[str, None] = {}
    for fold in folds:
        best = fold.best_epoch
        if fold.history is not None and (best is None or best.monitor is not None):
            found["the epoch that is kept was the best on them"] = None
        found.update(dict.fromkeys(best.followed if best else ()))
    return list(found)


def ensemble_folds(folder: RunFolder, runs: Sequence[RunFolder]) -> None:
    """The mean answer of all folds on the test part, which none has seen."""
    if folder.is_finished:
        say(f"the folds' common answers are there already: {folder.path}")
        return
    remove(folder)
    name = folder.path.relative_to(OUTPUTS).as_posix()
    ensemble({"runs": ":".join(glob.escape(str(run.path)) for run in runs), "vote": "mean", "run_id": name})


def remove(folder: RunFolder) -> None:
    """Removes what an interrupted call left: all of it can be made again."""
    if folder.path.exists():
        shutil.rmtree(folder.path)
