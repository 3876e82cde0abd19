"""Schedules and step counts under a real Trainer."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from lightning.pytorch import LightningModule
from torch import Tensor, nn
from torch.utils.data import DataLoader

from animeid.optim.optimizers import SGD, Adam
from animeid.optim.schedules import Schedule
from animeid.optim.schedules.one_cycle import OneCycle
from animeid.optim.schedules.plateau import ReduceOnPlateau
from animeid.optim.schedules.warm_restarts import CosineWarmRestarts
from animeid.optim.steps import optimizer_steps_per_epoch, total_steps
from tests.small_runs import quiet_trainer

LR = 0.01
BATCHES = 7


class Recorder(LightningModule):
    """Trains one weight and writes down the rate of every optimiser step."""

    def __init__(self, schedule: Schedule, steps: int, per_epoch: int, figures: Sequence[float]) -> None:
        super().__init__()
        self.layer = nn.Linear(1, 1)
        self.schedule, self.steps, self.per_epoch, self.figures = schedule, steps, per_epoch, figures
        self.rates: list[float] = []

    def training_step(self, batch: Tensor, batch_idx: int) -> Tensor:
        return self.layer(batch).sum()

    def validation_step(self, batch: Tensor, batch_idx: int) -> None:
        self.log("val/acc_macro", self.figures[self.current_epoch])

    def on_before_optimizer_step(self, optimizer: torch.optim.Optimizer) -> None:
        self.rates.append(optimizer.param_groups[0]["lr"])

    def configure_optimizers(self) -> Any:
        optimizer = SGD(lr=LR)([{"params": list(self.parameters())}])
        scheduler = self.schedule.build(optimizer, total_steps=self.steps, steps_per_epoch=self.per_epoch)
        return {"optimizer": optimizer, "lr_scheduler": scheduler}


def fit(schedule: Schedule, folder: Path, epochs: int, accumulate: int, figures: Sequence[float]) -> Recorder:
    loader = DataLoader(torch.ones(BATCHES, 1))
    steps, per_epoch = total_steps(BATCHES, epochs, accumulate), optimizer_steps_per_epoch(BATCHES, accumulate)
    module = Recorder(schedule, steps, per_epoch, figures)
    trainer = quiet_trainer(
        max_epochs=epochs, accumulate_grad_batches=accumulate, num_sanity_val_steps=0, default_root_dir=folder
    )
    trainer.fit(module, loader, loader)
    assert trainer.estimated_stepping_batches == steps
    assert trainer.global_step == steps
    trainer.save_checkpoint(folder / "last.ckpt")
    return module


@pytest.mark.filterwarnings("ignore:.*does not have many workers.*")
@pytest.mark.parametrize(
    ("schedule", "epochs", "accumulate"),
    [
        (OneCycle(), 4, 1),
        (OneCycle(), 4, 3),
        (CosineWarmRestarts(cycle_epochs=1, cycle_mult=2), 4, 2),
        (ReduceOnPlateau(patience=0), 4, 3),
    ],
    ids=["one cycle", "one cycle, accumulating", "warm restarts, accumulating", "plateau, accumulating"],
)
def test_the_trainer_trains_with_the_rates_that_are_drawn(
    schedule: Schedule, epochs: int, accumulate: int, tmp_path: Path
) -> None:
    figures = [0.5, 0.4, 0.6, 0.6]
    module = fit(schedule, tmp_path, epochs, accumulate, figures)
    drawn = schedule.trace(lr=LR, total_steps=module.steps, steps_per_epoch=module.per_epoch, figures=figures)
    np.testing.assert_allclose(module.rates, drawn)
    state = torch.load(tmp_path / "last.ckpt", weights_only=True)
    assert state["lr_schedulers"]


@pytest.mark.parametrize(
    ("batches", "epochs", "accumulate", "steps"), [(7, 3, 1, 21), (7, 3, 2, 12), (7, 3, 7, 3), (7, 3, 50, 3)]
)
def test_what_is_left_of_an_epoch_makes_a_step(batches: int, epochs: int, accumulate: int, steps: int) -> None:
    assert total_steps(batches, epochs, accumulate) == steps


class Steep(LightningModule):
    """A weight whose gradient is 1,000."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1))

    def training_step(self, batch: Tensor, batch_idx: int) -> Tensor:
        return 1000 * (self.weight * batch).sum()

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return Adam(lr=0.5, eps=1.0)([{"params": [self.weight]}])


@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed"])
def test_gradients_are_clipped_in_every_precision_of_the_cpu(precision: str, tmp_path: Path) -> None:
    module = Steep()
    trainer = quiet_trainer(precision=precision, gradient_clip_val=1.0, default_root_dir=tmp_path)
    trainer.fit(module, DataLoader(torch.ones(1, 1)))
    # The first step is the rate times gradient / (|gradient| + eps): half of it with the clipped gradient.
    assert module.weight.item() == pytest.approx(-0.25, rel=1e-3)
