"""The best epoch, and early stopping."""

from __future__ import annotations

import csv
import shutil
from functools import partial
from pathlib import Path

import pytest
import torch

from animeid import train
from animeid.engine.callbacks.best import Best
from animeid.engine.callbacks.history import History
from animeid.engine.callbacks.stopping import Stopping
from animeid.engine.settings import CallbackSettings
from animeid.engine.trainer import build_callbacks
from animeid.losses.class_balanced import ClassBalanced
from animeid.losses.contract import FollowsProgress, FollowsRecall, parts_with
from animeid.losses.cross_entropy import CrossEntropyLoss
from animeid.losses.online_class_balance import OnlineClassBalanceLoss
from animeid.runs.folder import RunFolder
from animeid.types import LabelStats
from tests.small_runs import QUICK, class_folders

RUN = (*QUICK, "keep=all", "data.batch_size=8", "data.test_ratio=0.2", "data.val_ratio=0.2")


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return class_folders(tmp_path_factory.mktemp("pictures"), {"a": 13, "b": 17})


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def trained(pictures: Path, run_id: str, *arguments: str) -> RunFolder:
    assert train.main([f"data.root={pictures}", *RUN, f"run_id={run_id}", *arguments]) == 0
    return RunFolder(Path("outputs") / run_id)


def history(run: RunFolder) -> list[dict[str, str]]:
    return list(csv.DictReader(run.history.open()))


@pytest.mark.parametrize(("monitor", "mode"), [("val/loss", "min"), ("val/acc_micro", "max")])
def test_a_loss_is_better_low(monitor: str, mode: str, tmp_path: Path) -> None:
    settings = CallbackSettings(monitor=monitor, patience=3)
    folder = RunFolder(tmp_path)
    found = build_callbacks(settings, folder, History(folder.history), averager=None, has_logger=False, has_val=True)
    assert {callback.mode for callback in found if isinstance(callback, Best | Stopping)} == {mode}


def test_the_best_epoch_is_an_averaged_one(pictures: Path) -> None:
    """The plain weights of the epochs before, which are better here, are no average."""
    run = trained(pictures, "late", "trainer.max_epochs=3", "averaging=ema", "averaging.start_epoch=2", "seed=3")
    assert torch.load(run.best, weights_only=True)["epoch"] == 2
    assert (
        train.main([f"data.root={pictures}", *RUN, "trainer.max_epochs=2", "averaging=swa", "averaging.start_epoch=2"])
        == 2
    )


@pytest.mark.parametrize(
    ("deferred", "first"),
    [
        ((), 0),
        (("loss=class_balanced", "loss.start=0.6"), 3),
        (("sampler=deferred", "sampler.start=0.6"), 2),
        (("loss=ldam_drw",), 3),
        (("loss=ldam_drw", "trainer.max_epochs=1"), 0),
    ],
)
def test_the_best_epoch_is_one_of_the_last_phase(deferred: tuple[str, ...], first: int, pictures: Path) -> None:
    """Nothing is learnt and nothing moves, so that the first epoch that counts is the best."""
    still = ("trainer.max_epochs=4", "optimizer.lr=1e-12", "freezing=backbone")
    run = trained(pictures, "deferred", *still, *deferred)
    assert torch.load(run.best, weights_only=True)["epoch"] == first


def test_losses_within_losses_are_told() -> None:
    stats = LabelStats(("a", "b"), torch.tensor([9, 3]), torch.tensor([0.75, 0.25]))
    inner = partial(ClassBalanced, loss=CrossEntropyLoss, start=0.5)
    outer = OnlineClassBalanceLoss(stats, loss=inner)
    assert [type(part) for part in parts_with(outer, FollowsProgress)] == [ClassBalanced]
    assert [type(part) for part in parts_with(ClassBalanced(stats, loss=OnlineClassBalanceLoss), FollowsRecall)] == [
        OnlineClassBalanceLoss
    ]


def test_a_run_that_stopped_early_stays_stopped(pictures: Path) -> None:
    """Its folder is as a kill leaves it that comes before the figures are written, and was moved since."""
    arguments = ("trainer.max_epochs=30", "callbacks.patience=1", "callbacks.min_delta=1")
    run = trained(pictures, "early", *arguments)
    assert len(history(run)) == 2
    before, best = history(run), torch.load(run.best, weights_only=True)
    run.metrics.unlink()
    shutil.move("outputs/early", "outputs/moved")
    again = trained(pictures, "moved", *arguments, "resume=must")
    assert history(again) == before
    assert torch.load(again.best, weights_only=True)["epoch"] == best["epoch"]


def test_the_best_figure_is_remembered_where_the_folder_was_moved(pictures: Path, monkeypatch) -> None:
    from tests.training.test_resume import Cut, cut_after

    arguments = ("trainer.max_epochs=4", "callbacks.monitor=val/loss", "optimizer=sgd", "optimizer.lr=1e-9")
    with monkeypatch.context() as patch, pytest.raises(Cut):
        cut_after(patch, 8, "kill")
        trained(pictures, "first", *arguments)
    path = Path("outputs/first/checkpoints/last.ckpt")
    state = torch.load(path, weights_only=True)
    (name,) = [key for key in state["callbacks"] if "Best" in key and "val/loss" in key]
    assert state["callbacks"][name]["best_model_score"] is not None
    shutil.move("outputs/first", "outputs/second")
    before = Path("outputs/second/checkpoints/best.ckpt").stat().st_mtime_ns
    score = float(state["callbacks"][name]["best_model_score"])
    run = trained(pictures, "second", *arguments, "resume=must")
    better = [row for row in history(run)[2:] if float(row["val/loss"]) < score]
    assert (run.best.stat().st_mtime_ns == before) is (not better)
