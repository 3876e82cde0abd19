"""Evaluation of a finished run, once more on its own parts or on new labelled pictures."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from torch.utils.data import DataLoader

from animeid.assembly.data import build_data, build_pixels
from animeid.data.samplers.natural import Natural
from animeid.engine.devices import name_of
from animeid.engine.inference import predict_each
from animeid.engine.threads import own_threads, take_free_threads
from animeid.engine.trainer import quieten
from animeid.inference.labelled import Pictures, choose_pictures
from animeid.inference.loss import load_losses
from animeid.inference.predictor import Predictor
from animeid.metrics.evaluate import evaluate_split
from animeid.metrics.table import summary_table
from animeid.predictions import Predictions
from animeid.reporting.figures import draw_confusion
from animeid.runs.claiming import unused
from animeid.runs.folder import RunFolder
from animeid.runs.predictions import save_table, write_answers
from animeid.system.console import say
from animeid.system.files import atomic, write_json, write_yaml
from animeid.system.load import Moment
from animeid.system.progress import Steps
from animeid.types import LabelStats

SHARES = {"figures": 3.0, "answers": 1.0, "chart": 2.0}
"""How the steps of judging compare in time, roughly."""


@own_threads()
def evaluate(request: Mapping[str, Any]) -> dict[str, Any]:
    """Judges `request["run"]` and returns what it wrote to `metrics.json`."""
    quieten()
    started = Moment.now()
    predictor = Predictor.of(request)
    run, labels = predictor.folder, predictor.labels
    root = request["data"]["root"]
    part = "test" if root else request["split"]
    pictures = choose_pictures(run, request, predictor.plan.data, labels)
    threads = take_free_threads(started)
    precision = name_of(predictor.precision)
    computing = f"computing on {predictor.model.device.type} in {precision}, {threads.told}"
    for note in (*predictor.notes, *pictures.notes, computing):
        say(note)
    losses = load_losses(run, predictor.plan, predictor.stats, predictor.model.device)
    loader, views = loader_of(pictures, predictor), predictor.views
    name = Path(root).resolve().name if root else part
    with output_folder(run, name) as folder:
        began = time.perf_counter()
        answers = answers_in(
            folder, part, predict_each(predictor.model, loader, f"answering {part}", predictor.precision, views, losses)
        )
        if views is not None:
            say(views.told(len(pictures.rows), time.perf_counter() - began))
        write_yaml(folder.request, dict(request))
        metrics = judge(folder, part, answers, pictures, predictor.stats)
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


def output_folder(run: RunFolder, name: str) -> AbstractContextManager[RunFolder]:
    """A new folder below the run's `evaluations`, numbered when the name is taken; see `made`."""
    return made(RunFolder(unused(run.path / "evaluations" / name)))


@contextmanager
def made(folder: RunFolder) -> Iterator[RunFolder]:
    """Makes a folder of answers; an error while it is filled leaves nothing of it.

    Raises:
        InputError: it is there already.
    """
    folder.create()
    try:
        yield folder
    except BaseException:
        shutil.rmtree(folder.path)
        raise


def answers_in(folder: RunFolder, part: str, answers: Iterable[Predictions]) -> Predictions:
    """The answers of a part, written into the folder as they come, and read from there as far as they are looked at."""
    return write_answers(folder.logits, folder.embeddings, {part: answers})[part]


def judge(
    folder: RunFolder, part: str, answers: Predictions, pictures: Pictures, stats: LabelStats, **more: Any
) -> dict[str, Any]:
    """Judges what `answers_in` wrote and writes the rest of the folder; returns `metrics.json`.

    Args:
        more: what else stands in `metrics.json`.
    """
    steps = Steps("judging", SHARES)
    with steps.step("figures"):
        metrics = {part: evaluate_split(answers, pictures.manifest.table, stats), **more}
    with steps.step("answers"):
        save_table(folder, {part: answers}, pictures.manifest, stats.names)
    pictures.manifest.write(folder.manifest)
    write_json(folder.labels, list(stats.names))
    with atomic(folder.skipped, "w") as stream:
        pictures.left_out.to_csv(stream, index=False)
    with steps.step("chart"):
        draw_confusion(folder, part)
    write_json(folder.metrics, metrics)
    return metrics
