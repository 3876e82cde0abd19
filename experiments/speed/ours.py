"""Speed of animeid and its settings."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch

from animeid.engine.allocator import keep_freed_memory
from animeid.engine.callbacks.history import History
from animeid.engine.compilation import compile_network
from animeid.engine.trainer import build_trainer, checkpoints
from animeid.runs.folder import RunFolder
from experiments.speed.runs import make

BATCH = 32


class Steps(History):
    """Images/s of the training steps after the third."""

    rate = 0.0

    def on_train_batch_start(self, trainer: Any, pl_module: Any, batch: Any, batch_idx: int) -> None:
        if batch_idx == 2:
            self.began, self.before = time.perf_counter(), self.pictures

    def on_train_batch_end(self, trainer: Any, pl_module: Any, outputs: Any, batch: Any, batch_idx: int) -> None:
        super().on_train_batch_end(trainer, pl_module, outputs, batch, batch_idx)
        if batch_idx > 2:
            self.rate = (self.pictures - self.before) / (time.perf_counter() - self.began)


def our_rate(root: str, cache: str, name: str, size: int, overrides: Sequence[str], *without: str) -> float:
    """Images/s of animeid's training by its defaults for this network and size.

    Args:
        overrides: beside `augment=none`.
        without: what a run does by itself and this one is to leave: `allocator`, `channels_last`, or
            `threads` on all cores but one.
    """
    if "allocator" not in without:
        keep_freed_memory()
    if "threads" in without:
        torch.set_num_threads(1)
    built = make(
        Path(root),
        f"model.name={name}",
        f"data.image_size={size}",
        f"data.batch_size={BATCH}",
        f"data.cache={cache}",
        "data.val_ratio=0",
        "data.test_ratio=0",
        "augment=none",
        "trainer.max_epochs=1",
        *overrides,
    )
    if "channels_last" in without:
        built.module.to(memory_format=torch.contiguous_format)
        built.module.normalise.memory_format = torch.contiguous_format
    if built.plan.trainer.compile:
        compile_network(built.module.model)
    with TemporaryDirectory() as temporary:
        folder = RunFolder(Path(temporary) / "run")
        folder.create()
        watch = Steps(folder.history)
        callbacks = [watch, *checkpoints(folder, None)]
        trainer = build_trainer(built.plan.trainer, 1, callbacks, [], folder)
        trainer.fit(built.module, datamodule=built.data)
    return watch.rate
