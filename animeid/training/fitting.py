"""Training, the same in every process of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lightning.pytorch import Callback
from lightning.pytorch.loggers import Logger

from animeid.assembly.model import build_model, without_weights
from animeid.assembly.plan import whole
from animeid.assembly.run import Components
from animeid.data.prepare import Prepared
from animeid.engine.allocator import keep_freed_memory
from animeid.engine.callbacks.best import epochs_that_count
from animeid.engine.callbacks.freezing import freezing_callbacks
from animeid.engine.callbacks.history import History
from animeid.engine.compilation import compile_network
from animeid.engine.processes import meet
from animeid.engine.trainer import build_callbacks, build_trainer
from animeid.errors import InputError
from animeid.models.checkpoint import read_torch
from animeid.optim.schedules import followed_figure
from animeid.runs.folder import RunFolder
from animeid.training.head import end_head, make_head


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

    train_s: seconds of training, or of fitting a head. best_epoch: whose weights they are, counted from 1; None where
    nothing was trained.
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
    made_s = make_head(components) if state.checkpoint is None else 0.0
    if plan.trainer.compile:
        compile_network(components.module.model)
    trainer.fit(components.module, datamodule=components.data, ckpt_path=state.checkpoint, weights_only=True)
    if not folder.best.is_file():  # it was lost after the last epoch
        trainer.save_checkpoint(folder.best, weights_only=True)
    meet()  # the first process has written the checkpoints by then
    # Where the best checkpoint was lost, the one that takes its place is written after the last epoch.
    best_epoch = min(load_best(components, folder) + 1, len(history.rates)) or None
    made_s += end_head(components, folder)
    return Fitted(history.train_seconds + made_s, history.rates, best_epoch)


def load_best(components: Components, folder: RunFolder) -> int:
    """Puts the weights of `best.ckpt` into the module, without what training put beside them; returns their epoch."""
    plan, best = components.plan, read_torch(folder.best)
    if plan.trainer.strategy == "fsdp":
        # Each process has a part of the trained weights; the best ones are whole in the checkpoint.
        components.module.model = build_model(without_weights(plan), components.stats.num_classes)
    components.module.drop_auxiliary()
    components.stage.remove(components.module.model)  # type: ignore[arg-type]
    components.module.load_state_dict(best["state_dict"])
    return int(best["epoch"])


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


def followers(components: Components) -> list[str]:
    """What of training follows the validation part, each as the beginning of a sentence."""
    found = [callback.needs_validation for callback in components.feedback if callback.needs_validation is not None]
    if followed_figure(components.module.optimisation.schedule) is not None:
        found.insert(0, "this scheduler follows a figure of validation")
    return found


def by_last_epoch(request: Mapping[str, Any]) -> dict[str, Any]:
    """The request of a training whose epoch no picture chooses that it is to answer: the last one is kept.

    The best of many epochs on some pictures is better there than elsewhere (Cawley and Talbot 2010, JMLR 11,
    2079-2107). Where training is to stop early by those pictures they choose all the same, and that is said at the end.
    """
    callbacks = request["callbacks"]
    if callbacks["patience"] is not None:
        return dict(request)
    return {**request, "callbacks": {**callbacks, "monitor": None}}


def refuse_followers(components: Components) -> None:
    """Raises:
    InputError: the schedule, the loss or the augmentation follows validation, which there is not.
    """
    for need in followers(components):
        raise InputError(f"{need}, and the data has no val part: take another one, or set data.val_ratio above 0")
