"""Estimate of training time from measured steps."""

from __future__ import annotations

import math
import sys
import tempfile
import time
import warnings
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from lightning.pytorch import Callback, LightningModule, Trainer

from animeid.assembly.plan import whole
from animeid.assembly.run import Components
from animeid.engine.callbacks.bar import Bar
from animeid.engine.callbacks.freezing import freezing_callbacks
from animeid.engine.devices import DTYPES
from animeid.engine.inference import output_of
from animeid.engine.trainer import build_trainer
from animeid.models.class_means import some_of_each
from animeid.runs.folder import RunFolder

TRAINING_S = 7.0
ANSWERING_S = 2.0
"""Seconds of measuring; the step that is under way then is finished."""


@dataclass(frozen=True)
class Measured:
    """Seconds of each training step, and for each batch that was answered seconds a picture.

    The first of each, which prepare, are left out where there are others.
    """

    steps: tuple[float, ...]
    answers: tuple[float, ...]


@dataclass(frozen=True)
class Estimate:
    """What training is expected to take.

    epochs, batches: passes, and batches of each; no passes where a stage trains nothing. judged: pictures of the
    validation part.
    trainings: two where a twin is trained first, whose time is in all that follows.
    seconds, low, high: with the median, the lower and the upper quartile of the measured times.
    answering: seconds for the answers to all pictures at the end.
    """

    measured: Measured
    epochs: int
    batches: int
    judged: int
    seconds: float
    low: float
    high: float
    answering: float
    trainings: int = 1

    def and_again(self, pictures: int, held_out: int) -> Estimate:
        """With a second training of the same epochs, on the training pictures and those that were held out.

        Args:
            pictures, held_out: of the first training, and of its validation part.
        """
        share = (pictures + held_out) / pictures
        batches = math.ceil(self.batches * share)
        again = estimate(self.measured, epochs=self.epochs, batches=batches, judged=0, pictures=0, devices=1)
        spans = {name: getattr(self, name) + getattr(again, name) for name in ("seconds", "low", "high")}
        return replace(self, **spans, answering=2 * self.answering, trainings=2)


class EnoughError(Exception):
    """Ends a training that is only measured."""


class Stopwatch(Callback):
    """Notes when each step ends, loading included, and stops after `budget_s` or at the end of the epoch."""

    def __init__(self, budget_s: float) -> None:
        self.budget_s = budget_s
        self.ends: list[float] = []

    def on_train_batch_end(self, trainer: Trainer, pl_module: LightningModule, outputs, batch, batch_idx) -> None:  # type: ignore[no-untyped-def]  # noqa: ARG002
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        self.ends.append(time.perf_counter())
        is_over = len(self.ends) > 1 and self.ends[-1] - self.ends[0] >= self.budget_s
        if is_over or batch_idx + 1 == trainer.num_training_batches:
            raise EnoughError

    def steps(self, began: float) -> tuple[float, ...]:
        return tuple(np.diff(self.ends)) or (self.ends[0] - began,)


def measure(components: Components, training_s: float, answering_s: float) -> Measured:
    """Trains and answers for so many seconds, on one device; the model is of no use afterwards."""
    return Measured(_training_steps(components, training_s), _answering_times(components, answering_s))


def _training_steps(components: Components, budget_s: float) -> tuple[float, ...]:
    stopwatch = Stopwatch(budget_s)
    averager = [components.module.averager] if components.module.averager else []
    callbacks: list[Callback] = [*components.feedback, *averager, *freezing_callbacks(components.freezing), stopwatch]
    callbacks += [Bar()] if sys.stderr.isatty() else []
    settings = replace(components.plan.trainer, devices=1)
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as nowhere:
        folder = RunFolder(Path(nowhere))
        trainer = build_trainer(settings, whole(components.plan.trainer.max_epochs), callbacks, [], folder)
        with suppress(EnoughError), warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".*no `val_dataloader`.*")
            trainer.fit(components.module, train_dataloaders=components.data.train_dataloader())
    return stopwatch.steps(began)


@torch.inference_mode()
def _answering_times(components: Components, budget_s: float) -> tuple[float, ...]:
    trainer = components.plan.trainer
    model = components.module.to(trainer.accelerator).eval().inference_model
    times: list[float] = []
    began = last = time.perf_counter()
    for batch in components.data.evaluation_dataloader(np.arange(len(components.data.table))):
        output_of(model, batch["image"].to(model.device), DTYPES[trainer.precision]).logits.cpu()
        now = time.perf_counter()
        times.append((now - last) / len(batch["row"]))
        last = now
        if len(times) > 1 and now - began >= budget_s:
            break
    return tuple(times[1:] or times)


def estimate(measured: Measured, *, epochs: int, batches: int, judged: int, pictures: int, devices: int) -> Estimate:
    """Scales measured times to a whole training.

    Args:
        epochs, batches: passes, and training batches of a pass on each device.
        judged: pictures of the validation part, which is answered after each pass.
        pictures: all pictures, which are answered once at the end.
        devices: that share the answers.
    """
    answer = float(np.median(measured.answers)) / devices

    def whole(step: float) -> float:
        return epochs * (batches * step + judged * answer)

    low, middle, high = (float(value) for value in np.quantile(measured.steps, (0.25, 0.5, 0.75)))
    return Estimate(
        measured, epochs, batches, judged, whole(middle), whole(low), whole(high), answering=pictures * answer
    )


def expected_time(components: Components, answered: Sequence[str]) -> Estimate:
    """Measures, and scales to the plan; `answered` are the parts whose pictures are answered at the end."""
    measured = measure(components, TRAINING_S, ANSWERING_S)
    trainer = components.plan.trainer
    pictures = {part: len(components.data.rows(part)) for part in ("train", "val")}
    answers = sum(len(components.data.rows(part)) for part in answered)
    heads = pictures["train"] if components.head_init else 0  # a head that is fitted first is fitted to all of them
    if components.head_end is not None:
        heads += len(some_of_each(components.data.rows("train"), components.data.table.targets))
    once = estimate(
        measured,
        epochs=whole(trainer.max_epochs) if components.stage.trains else 0,
        batches=components.data.batches_per_epoch,
        judged=pictures["val"],
        pictures=answers + heads,
        devices=whole(trainer.devices),
    )
    return once.and_again(pictures["train"], pictures["val"]) if components.plan.data.refit is True else once
