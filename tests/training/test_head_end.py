"""`head_end=class_means` as a user starts it: the trained head is changed once, and all that follows has it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from animeid import train
from animeid.assembly.plan import FinalPlan
from animeid.assembly.run import rebuild
from animeid.models.class_means import ClassMeans
from animeid.models.heads.linear import LinearHead
from animeid.runs.folder import RunFolder
from animeid.training import head
from animeid.training.fitting import load_best
from animeid.training.resume import read_prepared
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
    vectors, targets = torch.from_numpy(embeddings).double(), torch.from_numpy(table["target"].to_numpy())
    expected = ClassMeans(weight=0.7).blended(layer, vectors[mine], targets[mine])(vectors)
    np.testing.assert_allclose(np.load(blended.logits), expected.numpy(), atol=1e-4)


def test_a_run_that_goes_on_does_not_change_its_head_again(runs: tuple[RunFolder, RunFolder]) -> None:
    _, blended = runs
    plan = FinalPlan.read(blended.config)
    components = rebuild(plan, read_prepared(blended), from_scratch=False)
    load_best(components, blended)
    before = blended.best.read_bytes()
    assert components.head_end is not None
    assert head.end_head(components, blended) == 0
    assert blended.best.read_bytes() == before


def test_of_a_large_class_some_pictures_stand_for_all() -> None:
    targets = np.array([0, 1, 0, 0, 0, 1, 0, 2])
    rows = np.array([0, 1, 2, 3, 4, 5, 6])
    assert head.some_of_each(rows, targets, 3).tolist() == [0, 1, 3, 5, 6]
    assert head.some_of_each(rows, targets, 9).tolist() == rows.tolist()


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (("head=cosine",), "head_end=class_means fits a linear layer, and a CosineHead is none: take head=linear"),
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
