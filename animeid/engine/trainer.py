"""Settings to a Lightning Trainer."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import torch
from lightning.pytorch import Callback, Trainer
from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.loggers import Logger
from lightning.pytorch.plugins.environments import ClusterEnvironment, LightningEnvironment, TorchElasticEnvironment
from lightning.pytorch.strategies import DDPStrategy, ModelParallelStrategy, Strategy

from animeid.engine.averaging.averager import Averager
from animeid.engine.callbacks.bar import Bar
from animeid.engine.callbacks.best import Best
from animeid.engine.callbacks.finite import Finite
from animeid.engine.callbacks.history import History
from animeid.engine.callbacks.learning_rate import LearningRate
from animeid.engine.callbacks.plain_progress import PlainProgress
from animeid.engine.callbacks.safekeeping import Safekeeping
from animeid.engine.callbacks.shared_buffers import SharedBuffers
from animeid.engine.callbacks.stopping import Stopping
from animeid.engine.checkpoint_io import AtomicCheckpointIO
from animeid.engine.settings import CallbackSettings, TrainerSettings
from animeid.errors import InputError
from animeid.runs.folder import RunFolder
from animeid.terms import better

# Printed in every fit and of no use to the one who trains.
NOISE = (
    r".*LeafSpec.*",
    r".*does not have many workers.*",
    r".*You have overridden `(on_after_batch_transfer|transfer_batch_to_device)`.*",
    r".*litlogger.*",
    r".*The number of training batches.*",
    r"Total length of `PictureLoader` across ranks is zero.*",  # a run without a val part, which is said in our words
    r".*GPU available but not used.*",
    r".*It is recommended to use .*sync_dist=True.*",  # the figures are summed over processes already
    r".*You're resuming from a checkpoint that ended before the epoch ended.*",  # our loader does go on there
    r".*module\(s\) in eval mode at the start of training.*",
    r".*Total length of .* across ranks is zero.*",  # of an empty val part, which is told in other words
    r".*The dirpath has changed from.*",  # our own best checkpoint moves with its folder
    r".*Checkpoint directory .* exists and is not empty.*",
    r".*The dirpath has changed from .*",  # a run's folder may be moved; `Best` sees to what matters
)


def quieten() -> None:
    """Filters the framework's repeated hints."""
    import logging

    for pattern in NOISE:
        warnings.filterwarnings("ignore", message=pattern)
    for name in ("lightning.pytorch", "lightning.fabric"):
        logging.getLogger(name).setLevel(logging.WARNING)


def always() -> bool:
    return True


def checkpoints(folder: RunFolder, monitor: str | None, counts: Callable[[], bool] = always) -> list[ModelCheckpoint]:
    """Best and last, each by its own callback: one that does both can leave `last` at the first epoch.

    Without a figure to monitor the last epoch counts as the best.
    """
    common: dict[str, Any] = {
        "dirpath": folder.checkpoints,
        "auto_insert_metric_name": False,
        "enable_version_counter": False,
        "save_on_train_epoch_end": True,
    }
    mode = better(monitor) if monitor else "max"
    best = Best(counts=counts, filename="best", monitor=monitor, mode=mode, save_weights_only=True, **common)
    last = ModelCheckpoint(filename="last", monitor=None, every_n_epochs=1, **common)
    return [best, last]


def build_callbacks(
    settings: CallbackSettings,
    folder: RunFolder,
    history: History,
    *,
    averager: Averager | None,
    feedback: Sequence[Callback] = (),
    has_logger: bool,
    has_val: bool,
    counts: Callable[[], bool] = always,
) -> list[Callback]:
    """The callbacks of a training run.

    Feedback comes first, so that what a checkpoint holds has been told; then `averager`, so that the others see what it
    did.

    Args:
        history: that keeps the figures of the epochs.
        feedback: that tells the parts of the run how training goes.
        counts: whether the epoch that ends may be the best, and counts for stopping early.

    Raises:
        InputError: training is to stop early, and there is no validation part or no figure to judge by.
    """
    if settings.patience is not None and not has_val:
        raise InputError(
            "callbacks.patience needs a validation part, and this data has none: add pictures, or leave patience out"
        )
    callbacks: list[Callback] = [*feedback, *([averager] if averager else []), SharedBuffers(), history]
    callbacks += [Bar()] if sys.stderr.isatty() else [PlainProgress()]
    if settings.patience is not None:
        if settings.monitor is None:
            raise InputError("callbacks.patience needs a figure that decides: give callbacks.monitor, or leave it out")
        callbacks.append(
            Stopping(
                counts=counts,
                monitor=settings.monitor,
                mode=better(settings.monitor),
                patience=settings.patience,
                min_delta=settings.min_delta,
            )
        )
    if has_logger:
        callbacks.append(LearningRate())
    finite = Finite()
    callbacks += [finite, Safekeeping(folder.last, finite)]
    return [*callbacks, *checkpoints(folder, settings.monitor if has_val else None, counts)]


def is_alone(settings: TrainerSettings) -> bool:
    """Whether the run is one process."""
    return settings.devices == 1 and settings.num_nodes in ("auto", 1)


def environment(settings: TrainerSettings) -> ClusterEnvironment:
    """How Lightning learns a process's place; by itself it would take an allocation of SLURM for a task of it."""
    return LightningEnvironment() if is_alone(settings) else TorchElasticEnvironment()


def strategy(settings: TrainerSettings, thaws: bool) -> Strategy | str:
    """One process computes alone; several average their gradients, or share the weights as well.

    Parameters that are still frozen, but will not stay so (`thaws`), have no gradient to wait for.

    Buffers are not broadcast before each forward pass: in validation, where processes may have one batch more or less,
    that would wait for ever. `SharedBuffers` shares them where it matters.
    """
    if settings.strategy == "fsdp":
        return ModelParallelStrategy(
            data_parallel_size=settings.devices * settings.num_nodes,  # type: ignore[operator, arg-type]
            tensor_parallel_size=1,
            save_distributed_checkpoint=False,  # whole weights in one file, as every other checkpoint
        )
    return "auto" if is_alone(settings) else DDPStrategy(forward_sync_buffers=False, find_unused_parameters=thaws)


def build_trainer(
    settings: TrainerSettings,
    max_epochs: int,
    callbacks: Sequence[Callback],
    loggers: Sequence[Logger],
    folder: RunFolder,
    thaws: bool = False,
) -> Trainer:
    """The trainer of a plan, whose settings hold no `auto` any more."""
    quieten()
    return Trainer(
        accelerator=settings.accelerator,
        devices=settings.devices,
        num_nodes=1 if is_alone(settings) else settings.num_nodes,  # type: ignore[arg-type]
        strategy=strategy(settings, thaws),
        sync_batchnorm=not is_alone(settings) and torch.cuda.is_available(),
        precision=settings.precision,  # type: ignore[arg-type]
        max_epochs=max_epochs,
        accumulate_grad_batches=settings.accumulate_grad_batches,
        gradient_clip_val=settings.gradient_clip_val,
        callbacks=list(callbacks),
        logger=list(loggers) or False,
        plugins=[AtomicCheckpointIO({folder.last: folder.previous}), environment(settings)],
        default_root_dir=folder.path,
        use_distributed_sampler=False,
        num_sanity_val_steps=0,
        log_every_n_steps=settings.log_every_n_steps,
        enable_model_summary=False,
        enable_progress_bar=sys.stderr.isatty(),
        deterministic=settings.deterministic,
    )
