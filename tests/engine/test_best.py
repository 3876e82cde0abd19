"""The best epoch, and early stopping."""

from __future__ import annotations

import csv
import shutil
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from torch.utils.data import DataLoader

from animeid import train
from animeid.engine.callbacks.bar import Bar
from animeid.engine.callbacks.best import Best
from animeid.engine.callbacks.history import History
from animeid.engine.callbacks.stopping import Stopping
from animeid.engine.settings import CallbackSettings
from animeid.engine.trainer import always, build_callbacks, checkpoints
from animeid.errors import InputError
from animeid.losses.class_balanced import ClassBalanced
from animeid.losses.contract import FollowsProgress, FollowsRecall, parts_with
from animeid.losses.cross_entropy import CrossEntropyLoss
from animeid.losses.online_class_balance import OnlineClassBalanceLoss
from animeid.metrics.ranking import best_row
from animeid.runs.best_epoch import BestEpoch
from animeid.runs.folder import RunFolder
from animeid.types import LabelStats
from tests.small_runs import QUICK, class_folders, quiet_trainer

pytestmark = pytest.mark.usefixtures("without_reports")

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
def test_the_best_epoch_is_one_of_the_last_phase(
    deferred: tuple[str, ...], first: int, pictures: Path, monkeypatch
) -> None:
    """Nothing is learnt and nothing moves, so that of the epochs that count, all equal, the last one is the best."""
    asked: list[int] = []
    check = Best.check_monitor_top_k

    def noted(best: Best, trainer: Trainer, current: torch.Tensor | None = None) -> bool:
        asked.append(trainer.current_epoch)
        return check(best, trainer, current)

    monkeypatch.setattr(Best, "check_monitor_top_k", noted)
    still = ("trainer.max_epochs=4", "optimizer.lr=1e-12", "freezing=backbone")
    run = trained(pictures, "deferred", *still, *deferred)
    assert asked == list(range(first, asked[-1] + 1))
    assert torch.load(run.best, weights_only=True)["epoch"] == asked[-1]


FIGURES = {
    "the lowest loss of equals": ([0.5, 1.0, 1.0, 1.0, 0.9], [9.0, 0.5, 0.2, 0.3, 0.1], 2),
    "the later of equals in both": ([0.5, 1.0, 1.0, 0.9, 0.8], [9.0, 0.5, 0.5, 0.1, 0.1], 2),
    "a better figure, whatever the loss": ([0.5, 0.6, 0.7, 0.6, 0.6], [0.1, 0.1, 9.0, 0.1, 0.1], 2),
    "rounding is no difference": ([1.0, 1.0 - 6e-8, 1.0, 0.9, 0.9], [0.3, 0.1, 0.2, 0.1, 0.1], 1),
}


class Scripted(LightningModule):
    """Trains nothing, and has the figures that it is given; `epoch.weight` says which epoch a checkpoint is of."""

    def __init__(self, figures: list[float], losses: list[float]) -> None:
        super().__init__()
        self.figures, self.losses = figures, losses
        self.layer = torch.nn.Linear(1, 1)

    def training_step(self, batch: torch.Tensor, batch_idx: int) -> torch.Tensor:
        return self.layer(batch).sum()

    def validation_step(self, batch: torch.Tensor, batch_idx: int) -> None:
        self.log("val/f1_macro", torch.tensor(self.figures[self.current_epoch]))
        self.log("val/loss", torch.tensor(self.losses[self.current_epoch]))

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=1e-3)


def scripted(folder: RunFolder, figures: list[float], losses: list[float], *more: Callback, **settings: Any) -> Trainer:
    data = DataLoader(torch.ones(1, 1))
    callbacks = [*more, *checkpoints(folder, "val/f1_macro")]
    quiet = {"enable_checkpointing": True, "num_sanity_val_steps": 0, "log_every_n_steps": 1}
    path = settings.pop("ckpt_path", None)
    trainer = quiet_trainer(**{"max_epochs": len(figures), **quiet, **settings}, callbacks=callbacks)
    trainer.fit(Scripted(figures, losses), data, data, ckpt_path=path, weights_only=True)
    return trainer


@pytest.mark.parametrize(("figures", "losses", "best"), FIGURES.values(), ids=FIGURES)
def test_ties_are_broken_by_the_loss(figures: list[float], losses: list[float], best: int, tmp_path: Path) -> None:
    """On the way, and as the history tells it afterwards."""
    folder = RunFolder(tmp_path / "run")
    scripted(folder, figures, losses)
    assert torch.load(folder.best, weights_only=True)["epoch"] == best
    assert best_row(pd.DataFrame({"val/f1_macro": figures, "val/loss": losses}), "val/f1_macro") == best


@pytest.mark.parametrize(("knows_loss", "best"), [(True, 1), (False, 2)])
def test_ties_are_broken_across_a_resume(knows_loss: bool, best: int, tmp_path: Path) -> None:
    """A checkpoint of a version that did not keep the loss goes on: the next equal epoch takes the place."""
    figures, losses = [0.5, 1.0, 1.0, 1.0], [9.0, 0.2, 0.3, 0.4]
    folder = RunFolder(tmp_path / "run")
    scripted(folder, figures, losses, max_epochs=2)
    state = torch.load(folder.last, weights_only=True)
    (name,) = [key for key in state["callbacks"] if key.startswith("Best")]
    assert state["callbacks"][name]["best_loss"] == pytest.approx(0.2)
    if not knows_loss:
        del state["callbacks"][name]["best_loss"]
        torch.save(state, folder.last)
    scripted(folder, figures, losses, ckpt_path=folder.last)
    assert torch.load(folder.best, weights_only=True)["epoch"] == best


@pytest.mark.parametrize(
    ("losses", "min_delta", "epochs"),
    [
        ([0.9, 0.8, 0.7, 0.6, 0.5, 0.4], 0.0, 6),
        ([0.9, 0.8, 0.7, 0.7, 0.7, 0.6], 0.0, 5),
        ([0.9, 0.9, 0.9, 0.9, 0.9, 0.9], 0.0, 3),
        ([0.9, 0.8, 0.7, 0.6, 0.5, 0.4], 0.01, 3),
    ],
)
def test_a_lower_loss_at_the_same_figure_is_worth_waiting_for(
    losses: list[float], min_delta: float, epochs: int, tmp_path: Path
) -> None:
    stopping = Stopping(counts=always, monitor="val/f1_macro", mode="max", patience=2, min_delta=min_delta)
    trainer = scripted(RunFolder(tmp_path / "run"), [1.0] * 6, losses, stopping)
    assert trainer.current_epoch == epochs


def test_the_kept_epoch_is_counted_from_one_and_told(pictures: Path, capsys) -> None:
    run = trained(pictures, "told", "trainer.max_epochs=3")
    kept = torch.load(run.best, weights_only=True)["epoch"] + 1
    best = BestEpoch.read(run)
    assert best is not None
    assert (best.epoch, best.epochs, best.monitor) == (kept, 3, "val/f1_macro")
    figures = [float(row["val/f1_macro"]) for row in history(run)]
    assert best.figure == pytest.approx(max(figures), abs=1e-5)
    assert best.tied == figures.count(max(figures)) - 1
    assert f"epoch {kept} of 3 is kept, the best by val/f1_macro" in capsys.readouterr().out
    assert [row["epoch"] for row in history(run)] == ["0", "1", "2"]
    assert [row["epochs_done"] for row in history(run)] == ["1", "2", "3"]


def test_a_terminals_bar_counts_from_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    scripted(RunFolder(tmp_path / "run"), [0.5, 0.6], [1.0, 1.0], Bar(), enable_progress_bar=True)
    shown = "".join(capsys.readouterr())
    assert "epoch 1 of 2" in shown and "epoch 2 of 2" in shown
    assert "Epoch 0" not in shown


def test_ties_are_told() -> None:
    found = pd.DataFrame({"val/f1_macro": [0.9, 1.0, 1.0, 1.0], "val/loss": [0.4, 0.3, 0.2, 0.3]})
    told = BestEpoch.of(found, 3, "val/f1_macro").told
    assert told == (
        "epoch 3 of 4 is kept, the best by val/f1_macro (1.000, which 2 other epochs have too: of equals the lowest "
        "val/loss decides, then the later epoch)"
    )
    assert "other" not in BestEpoch.of(found, 3, "val/loss").told
    assert "no validation part" in BestEpoch.of(found[["val/loss"]], 4, "val/f1_macro").told


def test_a_run_of_an_earlier_version_goes_on_in_the_columns_that_it_has(tmp_path: Path) -> None:
    old = "epoch,val/f1_macro,lr\n0,0.5,0.1\n"
    (tmp_path / "history.csv").write_text(old)
    History(tmp_path / "history.csv")._append({"epoch": "1", "val/f1_macro": "0.6", "lr": "0.2", "epochs_done": "2"})
    assert (tmp_path / "history.csv").read_text().splitlines() == [*old.splitlines(), "1,0.6,0.2"]


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


def test_without_a_figure_the_last_epoch_is_kept(tmp_path: Path) -> None:
    history = pd.DataFrame({"epoch": [0, 1], "val/f1_macro": [0.9, 0.1]})
    best = BestEpoch.of(history, 2, None, ["this loss follows the recall of validation"])
    assert (best.monitor, best.figure, best.fixed) == (None, None, True)
    assert best.told == "epoch 2 of 2 is kept, the last, as asked: no figure of validation chooses"
    folder = RunFolder(tmp_path)
    best.write(folder)
    assert BestEpoch.read(folder) == best
    with pytest.raises(InputError, match=r"callbacks\.patience needs a figure that decides"):
        build_callbacks(
            CallbackSettings(monitor=None, patience=3),
            folder,
            History(folder.history),
            averager=None,
            has_logger=False,
            has_val=True,
        )
