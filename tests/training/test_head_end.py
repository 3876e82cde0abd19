"""`head_end=class_means` as a user starts it: the trained head is changed once, and all that follows has it."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest
import torch

from animeid import train
from animeid.models.class_means import ClassMeans
from animeid.models.heads.linear import LinearHead
from animeid.runs.folder import RunFolder
from animeid.training import head, run
from tests.small_runs import QUICK, trained_home

ASKED = (
    *(*QUICK, "data.root=pictures", "logger=none", "trainer.precision=32-true", "trainer.max_epochs=2"),
    *("data.val_ratio=0.25", "data.test_ratio=0.25"),
)
BLENDED = (*ASKED, "head_end=class_means", "head_end.weight=0.7")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same training with the head as it was trained, and with one that was changed after it."""
    pictures = {"many": 40, "少": 12, "third": 20}
    plain, blended = (train.main, (*ASKED, "run_id=plain")), (train.main, (*BLENDED, "run_id=blended"))
    return trained_home(tmp_path_factory, pictures, plain, blended)


@pytest.fixture
def runs(home: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[RunFolder, RunFolder]:
    monkeypatch.chdir(home)
    return RunFolder(Path("outputs/plain")), RunFolder(Path("outputs/blended"))


def state(run: RunFolder) -> dict[str, torch.Tensor]:
    return torch.load(run.best, weights_only=True)["state_dict"]


def test_only_the_head_is_changed_and_all_answers_are_its(runs: tuple[RunFolder, RunFolder]) -> None:
    plain, blended = runs
    table, embeddings = pd.read_parquet(blended.predictions), np.load(blended.embeddings)
    np.testing.assert_allclose(embeddings, np.load(plain.embeddings), atol=1e-5)
    before, after = state(plain), state(blended)
    assert {name for name in before if not torch.equal(before[name], after[name])} == {
        "model.head.linear.weight",
        "model.head.linear.bias",
    }
    layer = LinearHead(embeddings.shape[1], 3).linear
    layer.load_state_dict({name: before[f"model.head.linear.{name}"] for name in ("weight", "bias")})
    mine = torch.tensor((table["split"] == "train").to_list())
    vectors, targets = torch.from_numpy(embeddings).double(), torch.tensor(table["target"].to_list())
    prior = torch.log(torch.bincount(targets[mine]) / mine.sum())  # cross entropy leaves all of it in the logits
    expected = ClassMeans(weight=0.7).blended(layer, vectors[mine], targets[mine], prior)(vectors)
    np.testing.assert_allclose(np.load(blended.logits), expected.numpy(), atol=1e-4)


def killed(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("where", "what", "left"),
    [(head, "AtomicCheckpointIO", "plain"), (run, "finish", "blended")],
    ids=["before the weights are written", "after it"],
)
def test_a_run_that_goes_on_has_its_head_changed_once(
    where: ModuleType, what: str, left: str, runs: tuple[RunFolder, RunFolder], monkeypatch: pytest.MonkeyPatch
) -> None:
    plain, blended = runs
    again = RunFolder(Path(f"outputs/killed_{left}"))
    asked = (*BLENDED, f"run_id={again.path.name}", "resume=auto")
    with monkeypatch.context() as patched:
        patched.setattr(where, what, killed)
        assert train.main(asked) == 130
    there = {"plain": plain, "blended": blended}[left]
    assert torch.equal(*(state(one)["model.head.linear.weight"] for one in (again, there)))
    assert train.main(asked) == 0
    assert torch.equal(*(state(one)["model.head.linear.weight"] for one in (again, blended)))


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (("head=cosine",), "head_end=class_means needs a linear head, and CosineHead is none: take head=linear"),
        (("stage=probe",), "head_end=class_means is for a training of its own: leave it out, or stage"),
        (("trainer.devices=2",), "head_end=class_means embeds the training pictures in one process: take"),
    ],
)
@pytest.mark.usefixtures("runs")
def test_a_head_that_cannot_be_changed_is_told(
    asked: tuple[str, ...], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train.main([*BLENDED, *asked, "run_id=refused"]) == 2
    assert told in capsys.readouterr().err
    assert not Path("outputs/refused").exists()
