"""Runs that are cut off end as the straight run does."""

from __future__ import annotations

import signal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from animeid import train
from animeid.engine.callbacks import safekeeping
from animeid.engine.module import CharacterModule
from animeid.runs.folder import RunFolder
from tests.small_runs import QUICK, class_folders

RUN = (
    *QUICK,
    "keep=all",
    "model.name=resnet10t",  # learns enough in three epochs for all that follows training to move
    "data.batch_size=4",
    "data.test_ratio=0.2",
    "data.val_ratio=0.2",
    "trainer.max_epochs=3",
    "augment=basic",
)


STYLED = "styles.csv"
"""Beside the folder of pictures: a manifest of them, in two styles."""


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two classes of 13 and 17 noise pictures: 18 or so for training, 5 batches an epoch."""
    root = class_folders(tmp_path_factory.mktemp("pictures"), {"ミク": 13, "other": 17})
    paths = sorted(path.relative_to(root.parent).as_posix() for path in root.rglob("*.png"))
    rows = {"path": paths, "label": [path.split("/")[1] for path in paths], "style": ["ink", "oil", "ink"] * 10}
    pd.DataFrame(rows).to_csv(root.parent / STYLED, index=False)
    return root


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


class Cut(BaseException):
    """The moment at which a test's process is killed."""


def cut_after(monkeypatch: pytest.MonkeyPatch, batches: int, how: str) -> None:
    """Ends training after so many training steps: by a signal, or as kill -9 does, with nothing saved."""
    seen = 0
    original = CharacterModule.training_step

    def counted(self: CharacterModule, batch, batch_idx):
        nonlocal seen
        seen += 1
        if seen == batches:
            if how == "kill":
                raise Cut
            signal.raise_signal(signal.SIGTERM if how == "term" else signal.SIGINT)
        return original(self, batch, batch_idx)

    monkeypatch.setattr(CharacterModule, "training_step", counted)


def last_weights(folder: RunFolder) -> dict[str, torch.Tensor]:
    checkpoint = torch.load(folder.last, weights_only=True)
    state = {f"judged {name}": value for name, value in checkpoint["state_dict"].items()}
    return state | {f"trained {name}": value for name, value in checkpoint.get("weights_in_training", {}).items()}


def assert_equal_runs(one: RunFolder, other: RunFolder) -> None:
    first, second = last_weights(one), last_weights(other)
    assert first.keys() == second.keys()
    assert [name for name in first if not torch.equal(first[name], second[name])] == []
    kept = [torch.load(folder.last, weights_only=True) for folder in (one, other)]
    assert kept[0]["CharacterDataModule"] == kept[1]["CharacterDataModule"]
    assert np.array_equal(np.load(one.logits), np.load(other.logits))
    best = [torch.load(folder.best, weights_only=True)["state_dict"] for folder in (one, other)]
    assert all(torch.equal(best[0][name], best[1][name]) for name in best[0])
    rows = [[line.split(",")[:7] for line in folder.history.read_text().splitlines()] for folder in (one, other)]
    assert rows[0] == rows[1]


VARIANTS = {
    "plain": (),
    "ema": ("averaging=ema", "averaging.start_epoch=1"),
    "swa": ("averaging=swa", "averaging.start_epoch=1"),
    "plateau": ("scheduler=reduce_on_plateau", "scheduler.patience=0", "optimizer=sgd"),
    "mixed": ("sampler=dynamic", "mixing=mixup_cutmix", "deep_supervision=taps", "averaging=ema"),
    "thawing": ("sampler=class_aware", "freezing=gradual", "freezing.every=1", "optimizer.layer_decay=0.8"),
    "adaptive": ("augment=adaptive", "augment.tolerated=0", "augment.gain=10", "optimizer=sgd", "optimizer.lr=0.01"),
    "accumulate": ("trainer.accumulate_grad_batches=2", "sampler=weighted", "callbacks.patience=2"),
    "learning": ("sampler=difficulty", "augment=class_wise", "resizing=progressive", "loss=balanced_softmax"),
    "watching": ("loss=online_class_balance", "contrastive=balanced"),
    "styles": (
        *("loss=group_dro", "loss.rate=0.5", "sampler=style_balanced", "contrastive=across_styles"),
        *("feature_mixing=mixstyle", "feature_mixing.across_styles=true"),
    ),
    "deferred": ("sampler=deferred", "loss=ldam_drw"),
}


SORTED = [pytest.param(name, marks=[] if name == "plain" else pytest.mark.slow) for name in VARIANTS]


@pytest.mark.usefixtures("without_report")
@pytest.mark.parametrize("variant", SORTED)
def test_a_run_that_was_cut_off_ends_as_the_straight_one(variant: str, pictures: Path, monkeypatch) -> None:
    """Signals in the middle of an epoch and at its end, and a kill; one after the other in one run."""
    root = pictures.parent / STYLED if variant == "styles" else pictures
    arguments = [f"data.root={root}", *RUN, *VARIANTS[variant]]
    assert train.main([*arguments, "run_id=straight"]) == 0
    for batches, how, status in ((2, "term", 143), (4, "int", 130), (3, "kill", None), (5, "term", 143)):
        with monkeypatch.context() as patch:
            cut_after(patch, batches, how)
            command = [*arguments, "run_id=cut", "resume=auto"]
            if status is None:
                with pytest.raises(Cut):
                    train.main(command)
            else:
                assert train.main(command) == status
    assert train.main([*arguments, "run_id=cut", "resume=must"]) == 0
    if variant == "adaptive":
        (share, *_) = torch.load("outputs/straight/checkpoints/last.ckpt")["CharacterDataModule"]["strong_shares"]
        assert 0 < share < 1
    assert_equal_runs(RunFolder(Path("outputs/straight")), RunFolder(Path("outputs/cut")))


@pytest.fixture(scope="module")
def finished(pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(home)
        assert train.main([f"data.root={pictures}", *RUN, "trainer.max_epochs=1", "run_id=done"]) == 0
    return RunFolder(home / "outputs" / "done")


def again(finished: RunFolder, pictures: Path, monkeypatch, *more: str) -> int:
    monkeypatch.chdir(finished.path.parents[1])
    return train.main([f"data.root={pictures}", *RUN, "trainer.max_epochs=1", "run_id=done", *more])


def test_a_finished_run_says_so_and_stays_as_it_is(finished: RunFolder, pictures: Path, monkeypatch, capsys) -> None:
    before = {path: path.stat().st_mtime_ns for path in finished.path.rglob("*")}
    assert again(finished, pictures, monkeypatch, "resume=auto") == 0
    assert "is finished" in capsys.readouterr().out
    assert {path: path.stat().st_mtime_ns for path in finished.path.rglob("*")} == before


def test_a_kill_while_the_report_is_written_leaves_nothing_undone(
    finished: RunFolder, pictures: Path, monkeypatch, capsys
) -> None:
    finished.report.unlink()
    stray = finished.figures / ".long_tail.png.1.tmp"
    stray.write_bytes(b"half")
    assert again(finished, pictures, monkeypatch, "resume=auto") == 0
    assert "is finished but for its report" in capsys.readouterr().out
    assert finished.report.is_file()
    assert not stray.exists()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("resume=auto", "loss=focal"), "was begun with loss._target_="),
        (("resume=must", "optimizer.lr=0.5"), "was begun with optimizer.lr=auto and is now asked for optimizer.lr=0.5"),
        (("resume=must", "run_id=other"), "resume=must finds no checkpoint in outputs/other"),
        (("resume=auto", "run_id=null"), "resume=auto needs run_id=NAME"),
    ],
)
def test_what_cannot_be_gone_on_with(
    arguments: tuple[str, ...], sentence: str, finished: RunFolder, pictures: Path, monkeypatch, capsys
) -> None:
    assert again(finished, pictures, monkeypatch, *arguments) == 2
    assert sentence in capsys.readouterr().err


def test_who_stops_a_run_is_told_how_to_go_on(pictures: Path, monkeypatch, capsys) -> None:
    """A run without a name as well, which `resume` cannot name."""
    arguments = [f"data.root={pictures}", *RUN, "model.name=test_resnet", "trainer.max_epochs=1"]
    for name in (["run_id=named"], []):
        with monkeypatch.context() as patch:
            cut_after(patch, 2, "int")
            assert train.main([*arguments, *name]) == 130
    named, unnamed = (line for line in capsys.readouterr().err.splitlines() if "stopped by a signal" in line)
    assert "outputs/named keeps 0 whole epochs and 2 batches of the next" in named
    assert "the same command with resume=auto goes on from there" in named
    assert "moved to outputs/NAME, the same command with run_id=NAME resume=auto goes on from there" in unnamed
    assert train.main([*arguments, "run_id=named"]) == 2
    assert "with which resume=auto goes on" in capsys.readouterr().err
    (folder,) = Path("outputs").glob("*-*/*")
    folder.rename("outputs/moved")
    assert train.main([*arguments, "run_id=moved", "resume=auto"]) == 0
    assert "going on with outputs/moved in epoch 1 after 2 batches" in capsys.readouterr().out


def test_a_run_without_a_checkpoint_starts_again_in_its_folder(pictures: Path, monkeypatch, capsys) -> None:
    arguments = [f"data.root={pictures}", *RUN, "trainer.max_epochs=1", "run_id=early"]
    with monkeypatch.context() as patch:
        cut_after(patch, 2, "kill")
        with pytest.raises(Cut):
            train.main(arguments)
    assert train.main([*arguments, "resume=must"]) == 2
    assert train.main([*arguments, "resume=auto"]) == 0
    assert "starts again" in capsys.readouterr().out


def test_missing_pictures_are_named(pictures: Path, tmp_path: Path, monkeypatch, capsys) -> None:
    import shutil

    shutil.copytree(pictures, tmp_path / "copy")
    arguments = [f"data.root={tmp_path / 'copy'}", *RUN, "run_id=less"]
    with monkeypatch.context() as patch:
        cut_after(patch, 2, "term")
        assert train.main(arguments) == 143
    (tmp_path / "copy" / "other" / "3.png").unlink()
    assert train.main([*arguments, "resume=auto"]) == 2
    assert "1 picture of the run outputs/less cannot be found" in capsys.readouterr().err


def test_the_middle_of_an_epoch_is_saved_now_and_then(pictures: Path, monkeypatch) -> None:
    monkeypatch.setattr(safekeeping, "SAVE_EVERY_S", 0.0)
    arguments = [f"data.root={pictures}", *RUN, "run_id=often"]
    with monkeypatch.context() as patch:
        cut_after(patch, 4, "kill")
        with pytest.raises(Cut):
            train.main(arguments)
    position = torch.load("outputs/often/checkpoints/last.ckpt", weights_only=True)["position"]
    assert position == {"epoch": 0, "batches": 3}
