"""Training and answering, the same in every process of a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from lightning.pytorch import Callback
from lightning.pytorch.loggers import Logger

from animeid.assembly.model import build_model, build_views, without_weights
from animeid.assembly.plan import whole
from animeid.assembly.run import Components
from animeid.data.prepare import Prepared
from animeid.engine.allocator import keep_freed_memory
from animeid.engine.callbacks.best import epochs_that_count
from animeid.engine.callbacks.freezing import freezing_callbacks
from animeid.engine.callbacks.history import History
from animeid.engine.compilation import compile_network
from animeid.engine.devices import DTYPES
from animeid.engine.inference import predict_all
from animeid.engine.processes import meet
from animeid.engine.trainer import build_callbacks, build_trainer
from animeid.errors import InputError
from animeid.models.checkpoint import read_torch
from animeid.optim.schedules import followed_figure
from animeid.predictions import Predictions, join
from animeid.runs.folder import RunFolder
from animeid.system.files import atomic
from animeid.system.launcher import own_rank
from animeid.terms import SPLITS


@dataclass(frozen=True)
class RunState:
    """A run whose folder is there and whose objects are built.

    loggers, watchers: none in any but the first process; watchers are callbacks beside those of the plan. checkpoint:
    what it goes on from; None where training starts.
    """

    folder: RunFolder
    components: Components
    prepared: Prepared
    loggers: Sequence[Logger] = ()
    checkpoint: Path | None = None
    watchers: tuple[Callback, ...] = ()


@dataclass(frozen=True)
class Fitted:
    """A trained run, its best weights loaded.

    best_epoch: whose weights they are, counted from 1; None where nothing was trained.
    """

    train_s: float
    rates: list[float]
    best_epoch: int | None


def fit(state: RunState) -> Fitted:
    """Trains and leaves the best weights in the module."""
    keep_freed_memory()
    folder, components, plan = state.folder, state.components, state.components.plan
    history = History(folder.history)
    callbacks = [*callbacks_of(components, folder, history, has_logger=bool(state.loggers)), *state.watchers]
    trainer = build_trainer(
        plan.trainer,
        whole(plan.trainer.max_epochs) if components.stage.trains else 0,
        callbacks,
        state.loggers,
        folder,
        thaws=components.freezing is not None and components.freezing.thaws,
    )
    if plan.trainer.compile:
        compile_network(components.module.model)
    trainer.fit(components.module, datamodule=components.data, ckpt_path=state.checkpoint, weights_only=True)
    if not folder.best.is_file():  # it was lost after the last epoch
        trainer.save_checkpoint(folder.best, weights_only=True)
    meet()  # the first process has written the checkpoints by then
    best = read_torch(folder.best)
    if plan.trainer.strategy == "fsdp":
        # Each process has a part of the trained weights; the best ones are whole in the checkpoint.
        components.module.model = build_model(without_weights(plan), components.stats.num_classes)
    components.module.drop_auxiliary()
    components.stage.remove(components.module.model)  # type: ignore[arg-type]
    components.module.load_state_dict(best["state_dict"])
    # Where the best checkpoint was lost, the one that takes its place is written after the last epoch.
    best_epoch = min(int(best["epoch"]) + 1, len(history.rates)) or None
    return Fitted(history.train_seconds, history.rates, best_epoch)


def callbacks_of(components: Components, folder: RunFolder, history: History, *, has_logger: bool) -> list[Callback]:
    """What watches over training.

    Raises:
        InputError: the schedule, the loss, the augmentation or the end of training follows validation, and the data has
            no such part.
    """
    settings = components.plan.callbacks
    has_val = len(components.data.rows("val")) > 0
    if not has_val:
        refuse_followers(components)
    counts = epochs_that_count(components.module, components.data.sampler)
    callbacks = build_callbacks(
        settings,
        folder,
        history,
        averager=components.module.averager,
        feedback=components.feedback,
        has_logger=has_logger,
        has_val=has_val,
        counts=counts,
    )
    return [*callbacks, *freezing_callbacks(components.freezing)]


def refuse_followers(components: Components) -> None:
    """Raises:
    InputError: the schedule, the loss or the augmentation follows validation, which there is not.
    """
    needs = [callback.needs_validation for callback in components.feedback]
    if followed_figure(components.module.optimisation.schedule) is not None:
        needs.insert(0, "this scheduler follows a figure of validation")
    for need in needs:
        if need is not None:
            raise InputError(f"{need}, and the data has no val part: take another one")


def predict_splits(components: Components) -> dict[str, Predictions]:
    """The best model's answers for this process's share of every part that has pictures."""
    trainer = components.plan.trainer
    module, dtype = components.module.to(_own_device(trainer.accelerator)).eval(), DTYPES[trainer.precision]
    model = module.inference_model
    views = build_views("own", components.plan)
    return {
        part: predict_all(
            model, components.data.evaluation_dataloader(rows), f"answering {part}", dtype, views, losses=module.losses
        )
        for part in SPLITS
        if (part != "test" or components.plan.get("test", True)) and len(rows := components.data.rows(part))
    }


def _own_device(accelerator: str) -> torch.device:
    return torch.device(accelerator, own_rank().local_rank) if accelerator == "cuda" else torch.device(accelerator)


def _share_file(folder: RunFolder, rank: int) -> Path:
    return folder.path / f".answers-{rank}.npz"


def hand_over(folder: RunFolder, answers: dict[str, Predictions], rank: int) -> None:
    """Writes the answers of process `rank`, among all of the run, for the first one to collect."""
    arrays = {f"{part}/{name}": value for part, answer in answers.items() for name, value in vars(answer).items()}
    with atomic(_share_file(folder, rank)) as stream:
        np.savez(stream, **arrays)


def collect(folder: RunFolder, own: dict[str, Predictions], number: int) -> dict[str, Predictions]:
    """The answers of all `number` processes, every picture once, in the order of the manifest."""
    shares: list[dict[str, Predictions]] = [own]
    for rank in range(1, number):
        with np.load(_share_file(folder, rank)) as stored:
            shares.append({part: _unpacked(stored, part) for part in own})
        _share_file(folder, rank).unlink()
    return {part: join([share[part] for share in shares]) for part in own}


def _unpacked(stored: np.lib.npyio.NpzFile, part: str) -> Predictions:
    return Predictions(**{name: stored[f"{part}/{name}"] for name in ("rows", "logits", "embeddings", "losses")})
