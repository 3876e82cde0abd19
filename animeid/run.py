"""One training run: seed, fit, judge, save, close."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from lightning.pytorch import seed_everything

from animeid import environment
from animeid.baselines import compare_with_baselines
from animeid.build import Built, as_size, build, build_loggers
from animeid.config import gateway
from animeid.config.freeze import write_yaml
from animeid.cost import cost
from animeid.data.prepare import Prepared, prepare
from animeid.engine.callbacks.history import History
from animeid.engine.devices import DTYPES, choose_accelerator
from animeid.engine.inference import Answers, answer_all
from animeid.engine.trainer import build_callbacks, build_trainer
from animeid.errors import InputError
from animeid.folder import OUTPUTS, RunFolder, atomic, write_json
from animeid.judge import judge, save_predictions
from animeid.metrics.table import summary_table
from animeid.plan import make_plan
from animeid.reports.figures import draw_figures
from animeid.say import say

ANSWERED = ("train", "val", "test", "unknown")
JUDGED = ("val", "test")


@dataclass(frozen=True)
class Fitted:
    """A trained run, its best weights loaded."""

    train_s: float
    rates: list[float]


def train(request: dict[str, Any], outputs: Path = OUTPUTS) -> float | None:
    """Trains, judges and saves one run.

    Returns:
        The `f1_macro` of validation, which sweeps rank by; None without a validation part.
    """
    folder = RunFolder.reserve(request["run_id"], outputs)
    settings = gateway.build(request["data"], "data")
    accelerator = choose_accelerator(request["trainer"]["accelerator"])
    seed_everything(request["seed"], workers=True, verbose=False)
    prepared = prepare(settings)
    built = build(make_plan(request, prepared, accelerator), prepared)
    device = f"computing on {accelerator} in {built.plan['trainer']['precision']}"
    notes = (*prepared.notes, built.plan["facts"]["weights"]["note"], device)
    for note in notes:
        say(note)
    folder.create()
    save_inputs(folder, request, built, prepared)
    fitted = fit(folder, built)
    metrics = finish(folder, built, prepared, fitted)
    say(summary_table(metrics))
    say(f"run folder: {folder.path}")
    return metrics["val"]["f1_macro"] if metrics["val"] else None


def save_inputs(folder: RunFolder, request: dict[str, Any], built: Built, prepared: Prepared) -> None:
    """Writes all that is known before training, so that a run that is cut off can be read as well."""
    write_yaml(folder.request, request)
    write_yaml(folder.config, built.plan)
    prepared.manifest.write(folder.manifest)
    write_json(folder.labels, list(prepared.labels))
    for path, table in ((folder.skipped, prepared.skipped), (folder.conflicts, prepared.conflicts)):
        with atomic(path, "w") as stream:
            table.to_csv(stream, index=False)
    seeds = {"seed": request["seed"], "split_seed": built.plan["data"]["split_seed"]}
    write_json(
        folder.environment, environment.describe(prepared.manifest.table, seeds, built.plan["trainer"]["accelerator"])
    )


def fit(folder: RunFolder, built: Built) -> Fitted:
    """Trains and leaves the best weights in the module."""
    plan = built.plan
    loggers = build_loggers(plan, folder)
    settings = gateway.build(plan["callbacks"], "callbacks")
    has_val = len(built.data.rows("val")) > 0
    if hasattr(built.module.schedule, "monitor") and not has_val:
        raise InputError(
            "this scheduler follows a figure of validation, and the data has no val part: take another one"
        )
    callbacks = build_callbacks(settings, folder, has_logger=bool(loggers), has_val=has_val)
    trainer = build_trainer(
        gateway.build(plan["trainer"], "trainer"), plan["trainer"]["max_epochs"], callbacks, loggers, folder
    )
    trainer.fit(built.module, datamodule=built.data)
    history = next(callback for callback in callbacks if isinstance(callback, History))
    best = torch.load(folder.best, map_location="cpu", weights_only=True)
    built.module.drop_auxiliary()
    built.module.load_state_dict(best["state_dict"])
    return Fitted(history.train_seconds, history.rates)


def answer_parts(built: Built) -> dict[str, Answers]:
    """The best model's answers for every part that has pictures."""
    trainer = built.plan["trainer"]
    module, dtype = built.module.to(trainer["accelerator"]), DTYPES[trainer["precision"]]
    return {
        part: answer_all(module, built.data.evaluation_dataloader(rows), f"answering {part}", dtype)
        for part in ANSWERED
        if len(rows := built.data.rows(part))
    }


def finish(folder: RunFolder, built: Built, prepared: Prepared, fitted: Fitted) -> dict[str, Any]:
    """Judges the best model, writes predictions, figures and pictures."""
    answers = answer_parts(built)
    manifest, stats = prepared.manifest, built.stats
    metrics: dict[str, Any] = {
        part: judge(answers[part], manifest, stats) if part in answers else None for part in JUDGED
    }
    judged = {part: answers[part].rows for part in JUDGED if part in answers}
    metrics["baselines"] = compare_with_baselines(built.data, manifest, answers["train"].rows, judged, stats)
    size = as_size(built.plan["data"]["image_size"])
    metrics["cost"] = cost(built.module, folder.best, size, fitted.train_s, fitted.rates)
    save_predictions(folder, answers, manifest, prepared.labels)
    draw_figures(folder, learning_rates(folder, built), built.module.steps_per_epoch)
    write_json(folder.metrics, metrics)
    return metrics


def learning_rates(folder: RunFolder, built: Built) -> np.ndarray:
    """`[total_steps]` float64: the rate of each step, also of a schedule that followed a figure of validation."""
    module = built.module
    monitor = getattr(module.schedule, "monitor", None)
    figures = pd.read_csv(folder.history)[monitor].tolist() if monitor else ()
    return module.schedule.trace(
        lr=built.plan["optimizer"]["lr"],
        total_steps=module.total_steps,
        steps_per_epoch=module.steps_per_epoch,
        figures=figures,
    )
