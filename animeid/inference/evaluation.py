"""Evaluation of a finished run, once more on its own parts or on new labelled pictures."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch.utils.data import DataLoader

from animeid.assembly.data import build_data, build_pixels
from animeid.data.samplers.natural import Natural
from animeid.engine.devices import name_of
from animeid.engine.inference import predict_all
from animeid.engine.trainer import quieten
from animeid.inference.labelled import Pictures, choose_pictures
from animeid.inference.loss import load_losses
from animeid.inference.predictor import Predictor
from animeid.metrics.evaluate import evaluate_split
from animeid.metrics.table import summary_table
from animeid.predictions import Predictions
from animeid.reporting.figures import draw_confusion
from animeid.runs.folder import RunFolder, unused
from animeid.runs.predictions import save_predictions
from animeid.system.console import say
from animeid.system.files import atomic, write_json, write_yaml


def evaluate(request: Mapping[str, Any]) -> dict[str, Any]:
    """Judges `request["run"]` and returns what it wrote to `metrics.json`."""
    quieten()
    predictor = Predictor.of(request)
    run, labels = predictor.folder, predictor.labels
    root = request["data"]["root"]
    part = "test" if root else request["split"]
    pictures = choose_pictures(run, request, predictor.plan.data, labels)
    computing = f"computing on {predictor.model.device.type} in {name_of(predictor.precision)}"
    for note in (*predictor.notes, *pictures.notes, computing):
        say(note)
    losses = load_losses(run, predictor.plan, predictor.stats, predictor.model.device)
    loader, views = loader_of(pictures, predictor), predictor.views
    began = time.perf_counter()
    answers = predict_all(predictor.model, loader, f"answering {part}", predictor.precision, views, losses)
    if views is not None:
        say(views.told(len(pictures.rows), time.perf_counter() - began))
    metrics = {part: evaluate_split(answers, pictures.manifest.table, predictor.stats)}
    folder = output_folder(run, Path(root).resolve().name if root else part)
    write_yaml(folder.request, dict(request))
    save(folder, part, answers, pictures, labels, metrics)
    say(summary_table(metrics))
    say(f"evaluation folder: {folder.path}")
    return metrics


def loader_of(pictures: Pictures, predictor: Predictor) -> DataLoader:
    """The pictures as training's evaluation sees them."""
    batches = {"batch_size": predictor.batch_size, "num_workers": predictor.num_workers}
    # Each picture is read once: nothing is gained by keeping it.
    plan = predictor.plan.having(data={**batches, "cache": "off"})
    pixels = build_pixels(plan.data, pictures.manifest).pixels
    data = build_data(plan, pictures.manifest, predictor.labels, Natural, pixels)
    return data.evaluation_dataloader(pictures.rows)


def output_folder(run: RunFolder, name: str) -> RunFolder:
    """A new folder below the run's `evaluations`, numbered when the name is taken."""
    folder = RunFolder(unused(run.path / "evaluations" / name))
    folder.create()
    return folder


def save(
    folder: RunFolder,
    part: str,
    answers: Predictions,
    pictures: Pictures,
    labels: tuple[str, ...],
    metrics: dict[str, Any],
) -> None:
    save_predictions(folder, {part: answers}, pictures.manifest, labels)
    pictures.manifest.write(folder.manifest)
    write_json(folder.labels, list(labels))
    with atomic(folder.skipped, "w") as stream:
        pictures.left_out.to_csv(stream, index=False)
    draw_confusion(folder, part)
    write_json(folder.metrics, metrics)
