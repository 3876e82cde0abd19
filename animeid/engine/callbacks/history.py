"""`history.csv`: one row an epoch."""

from __future__ import annotations

import csv
import time
from pathlib import Path
from typing import Any

from lightning.pytorch import LightningModule, Trainer
from torch.optim import Optimizer

from animeid.engine.callbacks.epoch import EpochStart
from animeid.system.files import atomic

COLUMNS = (
    "epoch",
    "train/loss",
    "val/loss",
    "val/acc_micro",
    "val/acc_macro",
    "val/f1_macro",
    "lr",
    "seconds",
    "images_per_s",
    "epochs_done",
)


def highest_rate(optimizer: Optimizer) -> float:
    """The learning rate that is configured; layers with a rate of their own have a lower one."""
    return max(group["lr"] for group in optimizer.param_groups)


class History(EpochStart):
    """Appends a row after each epoch's validation, so that a kill loses at most the epoch that runs.

    `epoch` is an index and counts from 0, as checkpoints and loggers' steps do; `epochs_done`, what people are shown,
    counts from 1. `seconds` is the whole epoch with its validation; `images_per_s` counts training alone.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rates: list[float] = []
        self.train_seconds = 0.0

    def state_dict(self) -> dict[str, Any]:
        return {"rates": self.rates, "train_seconds": self.train_seconds}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.rates, self.train_seconds = list(state_dict["rates"]), state_dict["train_seconds"]

    def _forget_rows_after(self, epochs: int) -> None:
        """An epoch whose row was written and whose checkpoint was not is trained once more."""
        if not epochs:  # even the header may be half a line
            self.path.unlink(missing_ok=True)
        elif self.path.exists():
            lines = self.path.read_bytes().splitlines(keepends=True)
            with atomic(self.path) as stream:
                stream.writelines(lines[: epochs + 1])

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        super().on_train_start(trainer, pl_module)
        if trainer.is_global_zero:
            self._forget_rows_after(len(self.rates))

    def begin_epoch(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.start = time.perf_counter()
        self.pictures = 0
        self.validation_seconds = 0.0

    def on_train_batch_end(self, trainer: Trainer, pl_module: LightningModule, outputs, batch, batch_idx) -> None:  # type: ignore[no-untyped-def]
        self.pictures += len(batch["row"]) * trainer.world_size

    def on_validation_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.validation_began = time.perf_counter()

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if not trainer.sanity_checking:
            self.validation_seconds = time.perf_counter() - self.validation_began

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        seconds = time.perf_counter() - self.start
        training = max(seconds - self.validation_seconds, 1e-9)
        self.train_seconds += seconds
        self.rates.append(self.pictures / training)
        if not trainer.is_global_zero:
            return
        figures = {name: float(value) for name, value in trainer.callback_metrics.items()}
        figures["train/loss"] = figures.get("train/loss_epoch", float("nan"))
        row = {name: format(figures[name], ".6g") for name in COLUMNS if name in figures}
        row |= {
            "epoch": str(trainer.current_epoch),
            "epochs_done": str(trainer.current_epoch + 1),
            "lr": format(highest_rate(trainer.optimizers[0]), ".6g"),
            "seconds": format(seconds, ".2f"),
            "images_per_s": format(self.rates[-1], ".1f"),
        }
        self._append(row)

    def _append(self, row: dict[str, str]) -> None:
        columns = self._columns_there()
        with self.path.open("a", newline="", encoding="utf-8") as stream:
            # A run that goes on may have been begun by a version that wrote fewer columns.
            writer = csv.DictWriter(stream, columns or COLUMNS, extrasaction="ignore")
            if not columns:
                writer.writeheader()
            writer.writerow(row)

    def _columns_there(self) -> list[str]:
        """Those of the file, none where there is no file yet."""
        if not self.path.exists():
            return []
        with self.path.open(newline="", encoding="utf-8") as stream:
            return next(csv.reader(stream), [])
