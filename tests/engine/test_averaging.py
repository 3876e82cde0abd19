"""Averages of weights in real runs, against torch's own on the weights that the runs went through."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn
from torch.optim.lr_scheduler import ConstantLR
from torch.optim.swa_utils import SWALR, AveragedModel, update_bn

from animeid import train
from animeid.engine.averaging.averager import Averager
from animeid.engine.averaging.ema import Ema
from animeid.engine.averaging.swa import Swa
from animeid.engine.averaging.tail import Tail
from animeid.engine.module import CharacterModule
from animeid.errors import InputError
from animeid.optim.schedules.constant import Constant
from animeid.optim.schedules.plateau import ReduceOnPlateau
from animeid.runs.folder import RunFolder
from tests.small_runs import QUICK, class_folders

pytestmark = pytest.mark.usefixtures("without_reports")

EPOCHS, BATCHES = 4, 5
RUN = (
    *QUICK,
    "keep=all",
    "data.batch_size=4",
    "data.test_ratio=0.2",
    "data.val_ratio=0.2",
    "trainer.precision=32-true",
    f"trainer.max_epochs={EPOCHS}",
    "head.dropout=0",
)
State = dict[str, torch.Tensor]


class Seen:
    """What a run went through.

    steps: the network after each optimiser step. judged: the weights in each validation. pictures: those with which
    batch norm's statistics were renewed, by epoch.
    """

    def __init__(self) -> None:
        self.steps: list[nn.Module] = []
        self.judged: list[State] = []
        self.best: State = {}
        self.last: State = {}
        self.batches: list[list[torch.Tensor]] = []
        self.folder = RunFolder(Path("outputs/averaged"))


def state_of(model: nn.Module) -> State:
    return {name: tensor.clone() for name, tensor in model.state_dict().items()}


def averaged_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> Seen:
    class_folders(tmp_path / "pictures", {"a": 13, "b": 17})
    monkeypatch.chdir(tmp_path)
    seen = Seen()
    original_end, original_judge = Averager.on_train_batch_end, CharacterModule.on_validation_epoch_end

    def end(self, trainer, module, outputs, batch, batch_idx):
        seen.steps.append(deepcopy(module.model))
        original_end(self, trainer, module, outputs, batch, batch_idx)
        if trainer.is_last_batch:
            # after the epoch, in the order of its stream, as the renewal sees them
            fresh = trainer.datamodule.fresh_train_dataloader()
            seen.batches.append([module.normalise(batch["image"]) for batch in fresh])

    def judge(self):
        seen.judged.append(state_of(self.model))
        original_judge(self)

    monkeypatch.setattr(Averager, "on_train_batch_end", end)
    monkeypatch.setattr(CharacterModule, "on_validation_epoch_end", judge)
    assert train.main([f"data.root={tmp_path / 'pictures'}", "run_id=averaged", *RUN, *arguments]) == 0
    for name in ("best", "last"):
        stored = torch.load(getattr(seen.folder, name), weights_only=True)["state_dict"]
        setattr(seen, name, {key.removeprefix("model."): value for key, value in stored.items() if key[:6] == "model."})
    return seen


def assert_close(found: State, expected: State) -> None:
    for name, tensor in expected.items():
        torch.testing.assert_close(found[name], tensor, rtol=1e-5, atol=1e-6, msg=lambda text, n=name: f"{n}: {text}")


def differ(one: State, other: State) -> bool:
    return any(not torch.equal(one[name], other[name]) for name in one)


def torch_ema(steps: list[nn.Module], decay: float) -> State:
    """torch's AveragedModel, buffers too, with the same rising decay; counts as they are at the last step."""

    def move(average, current, number):
        share = min(decay, (1 + int(number)) / (10 + int(number)))
        return share * average + (1 - share) * current if average.is_floating_point() else current

    averaged = AveragedModel(steps[0], avg_fn=move, use_buffers=True)
    for step in steps:
        averaged.update_parameters(step)
    return state_of(averaged.module)


def test_ema_is_torchs_and_is_judged_and_saved(tmp_path: Path, monkeypatch) -> None:
    seen = averaged_run(tmp_path, monkeypatch, "averaging=ema", "averaging.decay=0.6", "averaging.start_epoch=1")
    assert len(seen.steps) == EPOCHS * BATCHES
    assert_close(seen.judged[0], state_of(seen.steps[BATCHES - 1]))  # nothing is averaged in the first epoch
    for epoch in range(1, EPOCHS):
        expected = torch_ema(seen.steps[BATCHES : (epoch + 1) * BATCHES], 0.6)
        assert_close(seen.judged[epoch], expected)
        assert differ(seen.judged[epoch], state_of(seen.steps[(epoch + 1) * BATCHES - 1]))
    assert_close(seen.last, seen.judged[-1])
    history = pd.read_csv(seen.folder.history)
    # The first epoch is no average, and so not the best one.
    assert_close(seen.best, seen.judged[1 + int(history["val/f1_macro"][1:].to_numpy().argmax())])
    in_training = torch.load(seen.folder.last, weights_only=True)["weights_in_training"]
    assert_close({n.removeprefix("model."): t for n, t in in_training.items()}, state_of(seen.steps[-1]))
    assert "weights_in_training" not in torch.load(seen.folder.best, weights_only=True)


def test_the_tail_is_torchs_mean_of_the_last_steps(tmp_path: Path) -> None:
    """As AveragedModel without a rule of its own, which is the plain mean; what comes before counts for nothing."""
    torch.manual_seed(0)
    model, tail = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2)), Tail(start_epoch=2)
    averager, expected = Averager(tail), AveragedModel(model, use_buffers=True)
    for step in range(9):
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.add_(torch.randn_like(parameter))
        model(torch.randn(4, 3))
        share = tail.share(epoch=step // 2, updates=averager.updates, ends_epoch=False)
        assert (share is None) == (step < 4)
        if share is not None:
            averager.update(model, share)
            expected.update_parameters(model)
    assert_close(
        {name: value for name, value in averager.average.items() if value.is_floating_point()},
        {name: value for name, value in state_of(expected.module).items() if value.is_floating_point()},
    )
    schedule = object()
    assert tail.schedule(schedule, highest=1.0) is schedule  # type: ignore[arg-type]


def test_batch_counts_are_copied_and_not_cut(tmp_path: Path) -> None:
    model = nn.BatchNorm1d(2)
    averager = Averager(Ema(decay=0.9))
    for _ in range(3):
        model(torch.randn(4, 2))
        averager.update(model, 0.5)
    assert int(averager.average["num_batches_tracked"]) == 3


def test_swa_is_torchs_mean_with_renewed_batch_norm(tmp_path: Path, monkeypatch) -> None:
    seen = averaged_run(tmp_path, monkeypatch, "averaging=swa", "averaging.start_epoch=1", "averaging.every_epochs=2")
    ends = [seen.steps[(epoch + 1) * BATCHES - 1] for epoch in range(EPOCHS)]
    assert_close(seen.judged[0], state_of(ends[0]))
    averaged = AveragedModel(ends[1])
    for epoch in (1, 2, 3):
        if epoch != 2:  # every second epoch
            averaged.update_parameters(ends[epoch])
            update_bn(seen.batches[epoch], averaged)
        expected = state_of(averaged.module)
        assert_close(seen.judged[epoch], expected)
    assert differ(seen.judged[3], state_of(ends[3]))
    assert_close(seen.last, seen.judged[-1])


def test_swa_leaves_frozen_batch_norm_alone(tmp_path: Path, monkeypatch) -> None:
    seen = averaged_run(tmp_path, monkeypatch, "averaging=swa", "averaging.start_epoch=1", "freezing=backbone")
    first = state_of(seen.steps[0])
    statistics = [name for name in first if name.startswith("backbone") and "running" in name]
    assert statistics
    assert all(torch.equal(seen.last[name], first[name]) for name in statistics)


def test_the_rate_of_swa_is_torchs() -> None:
    """torch's SWALR, stepped once an optimiser step, after a constant rate."""
    steps, start, anneal = 6, 2, 3
    curve = Swa(start_epoch=start, lr=0.02, anneal_epochs=anneal).schedule(Constant(), highest=0.1)
    found = curve.trace(lr=0.1, total_steps=8 * steps, steps_per_epoch=steps)
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=0.1)
    before = ConstantLR(optimizer, factor=1.0)
    expected = []
    for _ in range(start * steps):
        expected.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        before.step()
    after = SWALR(optimizer, swa_lr=0.02, anneal_epochs=anneal * steps, anneal_strategy="cos")
    for _ in range(6 * steps):
        expected.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        after.step()
    np.testing.assert_allclose(found, expected, atol=1e-9)


def test_swa_refuses_a_rate_that_follows_validation() -> None:
    with pytest.raises(InputError, match="take scheduler=cosine"):
        Swa(start_epoch=1, lr=0.1).schedule(ReduceOnPlateau(), highest=0.1)
