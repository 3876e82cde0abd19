"""What comes after training in a run of many classes: figures with intervals, calibration, tables, charts, page."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from animeid.metrics.baselines import majority
from animeid.metrics.calibration import calibrate
from animeid.metrics.evaluate import evaluate_several, evaluate_split
from animeid.reporting.figures import draw_figures
from animeid.reporting.page import write_report
from animeid.runs.finished import FinishedRun
from animeid.runs.folder import RunFolder
from animeid.runs.predictions import save_table
from animeid.system.files import read_json, write_json
from animeid.types import LabelStats
from experiments.scale.drawn_run import answers_of, draw, template
from experiments.scale.lines import Goal, Line, Watch, sized
from experiments.speed.apart import apart

CLASSES, JUDGED = 10_000, (10_000, 30_000, 100_000)
JUDGED_PARTS = ("val", "test")
STEPS = {
    "figures": "figures and their intervals, of the model and of two baselines",
    "calibration": "temperature and reliability",
    "answers": "table of answers, the five likeliest classes of each",
    "charts": "charts, the confusion matrix among them",
    "page": "page with advice",
}


def stats_of(run: FinishedRun) -> LabelStats:
    table = run.manifest.table
    train = table.loc[table["split"] == "train", "target"]
    return LabelStats.from_counts(run.labels, torch.tensor(np.bincount(train, minlength=len(run.labels))))


def end(path: str) -> dict[str, list[float]]:
    """Seconds and MiB of each of `STEPS`, and of all."""
    folder = RunFolder(Path(path))
    run = FinishedRun(folder)
    table, stats, answers = run.manifest.table, stats_of(run), answers_of(folder, run.manifest)
    targets, groups = table["target"].to_numpy(), table["group"].to_numpy(str)
    judged = {part: answers[part] for part in JUDGED_PARTS}
    random = np.random.default_rng(2)

    def figures() -> None:
        found: dict[str, object] = {part: evaluate_split(answer, table, stats) for part, answer in judged.items()}
        guesses = {
            part: {
                "majority": majority(targets[answers["train"].rows], len(answer.rows)),
                "colour_histogram": random.integers(len(run.labels), size=len(answer.rows)),
            }
            for part, answer in judged.items()
        }
        found["baselines"] = {
            part: evaluate_several(guesses[part], targets[answer.rows], groups[answer.rows], stats)
            for part, answer in judged.items()
        }
        write_json(folder.metrics, {**found, "cost": read_json(folder.metrics)["cost"]})

    def calibration() -> None:
        parts = {part: (answer.logits, targets[answer.rows]) for part, answer in judged.items()}
        write_json(folder.calibration, calibrate(parts, groups[judged["val"].rows]))

    works: dict[str, Callable[[], object]] = {
        "figures": figures,
        "calibration": calibration,
        "answers": lambda: save_table(folder, answers, run.manifest, run.labels),
        "charts": lambda: draw_figures(folder, np.ones(10), 10),
        "page": lambda: write_report(folder),
    }
    found: dict[str, list[float]] = {}
    for name, work in works.items():
        began = time.perf_counter()
        with Watch() as watch:
            work()
        print(f"{name}: {time.perf_counter() - began:.1f} s", flush=True)
        found[name] = watch.found
    seconds, mib = np.array(list(found.values())).T
    return {**found, "all": [float(seconds.sum()), float(mib.max())]}


def make_template(scratch: str) -> None:
    os.chdir(scratch)
    template(scratch)


def rows(scratch: Path) -> list[Line]:
    """Lines of this module."""
    classes, sizes = sized(CLASSES, 20), [sized(number, 200) for number in JUDGED]
    apart(make_template, str(scratch))
    found = []
    for number, size in enumerate(sizes):
        name = f"drawn-{number}"
        apart(draw, str(scratch), name, classes, size)
        found.append(apart(end, str(scratch / name)))
        (scratch / name / "logits.npy").unlink()
    of = f"{classes:,} classes, {sizes[-1]:,} pictures"
    lines = [Line(what, of, sizes, [one[name] for one in found]) for name, what in STEPS.items()]
    whole = Goal("60 s, 2 GiB", 60.0, 2048.0)
    return [*lines, Line("all of these", of, sizes, [one["all"] for one in found], whole)]
