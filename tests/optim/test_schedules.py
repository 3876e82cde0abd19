"""The curves of the learning rate against torch's schedulers, stepped by hand, and against closed forms."""

from __future__ import annotations

import io
import math
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from torch.optim import Optimizer
from torch.optim.lr_scheduler import (
    CosineAnnealingLR,
    CosineAnnealingWarmRestarts,
    LinearLR,
    LRScheduler,
    OneCycleLR,
    SequentialLR,
)

from animeid.optim.schedules import Curve, Schedule
from animeid.optim.schedules.constant import Constant
from animeid.optim.schedules.cosine import CosineWarmup
from animeid.optim.schedules.one_cycle import OneCycle
from animeid.optim.schedules.plateau import ReduceOnPlateau
from animeid.optim.schedules.warm_restarts import CosineWarmRestarts

CARDS = sorted((Path(__file__).resolve().parents[2] / "conf" / "scheduler").glob("*.yaml"))
LR = 0.02


def make_optimizer(*rates: float) -> Optimizer:
    return torch.optim.SGD([{"params": [torch.zeros(1, requires_grad=True)], "lr": rate} for rate in rates or (LR,)])


def walk(scheduler: LRScheduler, steps: int) -> list[float]:
    """The rate that the optimiser has at each step."""
    rates = []
    for _ in range(steps):
        rates.append(scheduler.optimizer.param_groups[0]["lr"])
        scheduler.optimizer.step()
        scheduler.step()
    return rates


def built(schedule: Schedule, steps: int, per_epoch: int, optimizer: Optimizer | None = None) -> dict[str, Any]:
    return schedule.build(optimizer or make_optimizer(), total_steps=steps, steps_per_epoch=per_epoch)


def from_card(card: Path) -> Schedule:
    settings = yaml.safe_load(card.read_text(encoding="utf-8"))
    module, _, name = settings.pop("_target_").rpartition(".")
    return getattr(import_module(module), name)(**settings)


def one_cycle(optimizer: Optimizer, steps: int, pct: float) -> LRScheduler:
    return OneCycleLR(optimizer, LR, steps, pct_start=pct, div_factor=20, final_div_factor=500, cycle_momentum=False)


@pytest.mark.parametrize("steps", [7, 40, 101])
@pytest.mark.parametrize("pct", [0.2, 0.3, 0.85])
def test_one_cycle_is_that_of_torch(steps: int, pct: float) -> None:
    schedule = OneCycle(pct_start=pct, div_factor=20, final_div_factor=500)
    expected = walk(one_cycle(make_optimizer(), steps, pct), steps)
    np.testing.assert_allclose(schedule.trace(lr=LR, total_steps=steps, steps_per_epoch=7), expected, rtol=1e-9)


def test_one_cycle_anneals_exactly_at_the_last_step() -> None:
    for steps in (2, 3, 10, 97):
        rates = OneCycle().trace(lr=LR, total_steps=steps, steps_per_epoch=3)
        assert rates[-1] == pytest.approx(LR / 25 / 1e4, rel=1e-9)
        assert rates.argmin() == steps - 1
    rates = OneCycle().trace(lr=LR, total_steps=1000, steps_per_epoch=10)
    assert rates.argmax() == 299
    assert rates.max() == pytest.approx(LR)


@pytest.mark.parametrize("steps", [1, 2, 3, 10])
def test_one_cycle_of_few_steps_still_trains(steps: int) -> None:
    """torch divides by zero where `pct_start * steps` is 1, and gives a run of one step the last rate."""
    rates = OneCycle(pct_start=0.1).trace(lr=LR, total_steps=steps, steps_per_epoch=1)
    assert np.isfinite(rates).all()
    assert rates[0] == LR


def cosine(optimizer: Optimizer, warmup: int, steps: int, end: float) -> LRScheduler:
    annealing = CosineAnnealingLR(optimizer, steps - warmup, eta_min=end)
    if warmup == 0:
        return annealing
    rising = LinearLR(optimizer, 1 / (warmup + 1), total_iters=warmup)
    return SequentialLR(optimizer, [rising, annealing], [warmup])


@pytest.mark.filterwarnings("ignore:The epoch parameter in")
@pytest.mark.parametrize(("ratio", "warmup"), [(0.0, 0), (0.05, 2), (0.3, 12)])
def test_cosine_is_that_of_torch(ratio: float, warmup: int) -> None:
    steps = 40
    schedule = CosineWarmup(warmup_ratio=ratio, min_lr_ratio=0.1)
    expected = walk(cosine(make_optimizer(), warmup, steps, 0.1 * LR), steps)
    np.testing.assert_allclose(schedule.trace(lr=LR, total_steps=steps, steps_per_epoch=7), expected, rtol=1e-9)


def test_cosine_warms_up_in_equal_steps_and_ends_low() -> None:
    schedule = CosineWarmup(warmup_ratio=0.2, min_lr_ratio=0.01)
    rates = schedule.trace(lr=1.0, total_steps=20, steps_per_epoch=5)
    np.testing.assert_allclose(rates[:5], [0.2, 0.4, 0.6, 0.8, 1.0])
    assert (np.diff(rates[4:]) < 0).all()
    assert schedule.factor(20, total_steps=20, steps_per_epoch=5) == pytest.approx(0.01)
    assert CosineWarmup(warmup_ratio=0.9).trace(lr=LR, total_steps=1, steps_per_epoch=1).tolist() == [LR]


@pytest.mark.parametrize("mult", [1, 2, 3])
def test_warm_restarts_are_those_of_torch_in_fractions_of_epochs(mult: int) -> None:
    per_epoch, epochs = 8, 16  # eighths are exact, so that torch's fractions of epochs restart when they should
    theirs = CosineAnnealingWarmRestarts(make_optimizer(), 2, mult, eta_min=0.1 * LR)
    expected = []
    for step in range(per_epoch * epochs):
        theirs.step(step / per_epoch)
        expected.append(theirs.get_last_lr()[0])
    schedule = CosineWarmRestarts(cycle_epochs=2, cycle_mult=mult, min_lr_ratio=0.1)
    rates = schedule.trace(lr=LR, total_steps=per_epoch * epochs, steps_per_epoch=per_epoch)
    np.testing.assert_allclose(rates, expected, rtol=1e-9)


def test_warm_restarts_begin_at_whole_epochs_for_any_length_of_an_epoch() -> None:
    for per_epoch in (1, 3, 7, 11, 49):
        rates = CosineWarmRestarts(cycle_epochs=3, cycle_mult=2).trace(
            lr=LR, total_steps=21 * per_epoch, steps_per_epoch=per_epoch
        )
        assert np.flatnonzero(rates == LR).tolist() == [0, 3 * per_epoch, 9 * per_epoch]
        step = per_epoch
        assert rates[step] == pytest.approx(LR * (1 + math.cos(math.pi / 3)) / 2)


def test_constant_never_moves() -> None:
    assert set(Constant().trace(lr=LR, total_steps=9, steps_per_epoch=2)) == {LR}


def test_plateau_lowers_after_patience() -> None:
    schedule = ReduceOnPlateau(factor=0.5, patience=1, threshold=0.01, min_lr=LR / 4)
    figures = [0.5, 0.6, 0.605, 0.6, 0.7, 0.7, 0.7, 0.7, 0.7, 0.7, 0.7]
    #          best best  same   lower best same  lower same lower (already at min_lr)
    rates = schedule.trace(lr=LR, total_steps=33, steps_per_epoch=3, figures=figures)
    expected = [LR] * 4 + [LR / 2] * 3 + [LR / 4] * 4
    np.testing.assert_allclose(rates, np.repeat(expected, 3))


def test_plateau_follows_a_loss_downwards() -> None:
    schedule = ReduceOnPlateau(monitor="val/loss", factor=0.1, patience=0)
    rates = schedule.trace(lr=LR, total_steps=5, steps_per_epoch=1, figures=[3.0, 2.0, 2.5, 1.0, 0.5])
    np.testing.assert_allclose(rates, [LR, LR, LR, LR / 10, LR / 10])


def test_plateau_config_steps_after_validation() -> None:
    config = built(ReduceOnPlateau(), 10, 2)
    assert (config["interval"], config["monitor"]) == ("epoch", "val/acc_macro")
    assert config["scheduler"].mode == "max"


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.stem)
def test_every_card_gives_the_rates_that_it_draws(card: Path) -> None:
    schedule, steps, per_epoch = from_card(card), 24, 4
    rates = schedule.trace(lr=LR, total_steps=steps, steps_per_epoch=per_epoch)
    assert rates.shape == (steps,)
    assert rates.max() <= LR
    config = built(schedule, steps, per_epoch)
    assert config["interval"] in {"step", "epoch"}
    if isinstance(schedule, Curve):
        assert config["interval"] == "step"
        np.testing.assert_allclose(walk(config["scheduler"], steps), rates)


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.stem)
def test_state_is_plain_and_resumes(card: Path) -> None:
    schedule = from_card(card)
    half = built(schedule, 24, 4)["scheduler"]
    advance = half.step if isinstance(schedule, Curve) else (lambda: half.step(torch.tensor(0.5)))
    half.optimizer.step()
    for _ in range(12):
        advance()
    file = io.BytesIO()
    torch.save({"scheduler": half.state_dict(), "optimizer": half.optimizer.state_dict()}, file)
    file.seek(0)
    state = torch.load(file, weights_only=True)
    other = built(schedule, 24, 4)["scheduler"]
    other.load_state_dict(state["scheduler"])
    other.optimizer.load_state_dict(state["optimizer"])
    assert other.optimizer.param_groups[0]["lr"] == half.optimizer.param_groups[0]["lr"]
    if isinstance(schedule, Curve):
        assert walk(other, 12) == walk(half, 12)


@pytest.mark.parametrize("make", [OneCycle, CosineWarmup, CosineWarmRestarts, Constant], ids=lambda make: make.__name__)
def test_groups_keep_their_proportion(make: Callable[[], Curve]) -> None:
    optimizer = make_optimizer(LR, LR / 10)
    scheduler = built(make(), 12, 3, optimizer)["scheduler"]
    for _ in range(12):
        fast, slow = (group["lr"] for group in optimizer.param_groups)
        assert fast == pytest.approx(10 * slow)
        optimizer.step()
        scheduler.step()
