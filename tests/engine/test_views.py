"""Test-time augmentation against its definition."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor, nn
from torchvision.transforms.v2 import functional as reference

from animeid import evaluate, predict, train
from animeid.engine.views import Views, zoom
from animeid.runs.folder import RunFolder
from animeid.types import ModelOutput
from tests.small_runs import QUICK, trained_home

PICTURES = torch.randint(0, 256, (2, 3, 20, 30), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


def model(image: Tensor) -> ModelOutput:
    """Answers the means of the picture's left and right halves, and of its green."""
    values = image.float() / 2
    logits = torch.stack(
        [values[..., :15].mean((1, 2, 3)), values[..., 15:].mean((1, 2, 3)), values[:, 1].mean((1, 2))]
    )
    return ModelOutput(logits.T, logits.T[:, :2])


def test_a_larger_view_is_a_resized_centre() -> None:
    expected = reference.center_crop(reference.resize(PICTURES, [30, 45], antialias=False), [20, 30])
    assert (zoom(PICTURES, 1.5).int() - expected.int()).abs().max() <= 1


def test_a_smaller_view_is_the_whole_picture() -> None:
    view = zoom(PICTURES, 0.5)
    assert view.shape == PICTURES.shape
    expected = reference.resize(PICTURES, [10, 15], antialias=True)
    assert (view[:, :, 5:15, 7:22].int() - expected.int()).abs().max() <= 1
    assert torch.equal(view[:, :, 0, 7:22], view[:, :, 5, 7:22])


def test_views_are_all_combinations() -> None:
    views = Views(flip=True, scales=(1.0, 1.1))
    found = list(views.of(PICTURES))
    assert len(found) == views.number == 4
    for view, expected in zip(
        found, (PICTURES, PICTURES.flip(3), zoom(PICTURES, 1.1), zoom(PICTURES, 1.1).flip(3)), strict=True
    ):
        assert torch.equal(view, expected)
    (only,) = Views(flip=False).of(PICTURES)
    assert torch.equal(only, PICTURES)


def test_answers_are_averaged() -> None:
    one, two = model(PICTURES), model(PICTURES.flip(3))
    mean = (one.logits.softmax(1) + two.logits.softmax(1)) / 2
    found = Views().answer(model, PICTURES)
    torch.testing.assert_close(found.logits.softmax(1), mean)
    torch.testing.assert_close(found.embedding, (one.embedding + two.embedding) / 2)
    geometric = Views(average="logits").answer(model, PICTURES)
    product = (one.logits.softmax(1) * two.logits.softmax(1)).sqrt()
    torch.testing.assert_close(geometric.logits.softmax(1), nn.functional.normalize(product, p=1, dim=1))


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    arguments = ["data.root=pictures", *QUICK, "trainer.max_epochs=1", "run_id=run"]
    home = trained_home(tmp_path_factory, {"ミク": 12, "other": 12}, (train.main, arguments))
    return RunFolder(home / "outputs" / "run")


def test_evaluate_and_predict_take_views(run: RunFolder, monkeypatch, capsys) -> None:
    home = run.path.parents[1]
    monkeypatch.chdir(home)
    told, named, logits = [], [], []
    for card in ("none", "flip", "flip_scales"):
        assert evaluate.main([f"run={run.path}", "split=train", "trainer.precision=32-true", f"tta={card}"]) == 0
        told.append(capsys.readouterr().out)
        newest = max((run.path / "evaluations").iterdir(), key=lambda path: path.stat().st_mtime)
        logits.append(np.load(RunFolder(newest).logits))
        assert predict.main([f"run={run.path}", "input=pictures", f"output={card}.csv", f"tta={card}"]) == 0
        named.append(capsys.readouterr())
    assert ["views each, " in text.err for text in named] == [False, True, True]
    assert all(text.out.splitlines()[-1].startswith("24 pictures named in") for text in named)
    assert ["views each" in text for text in told] == [False, True, True]
    assert "answered in 6 views each" in told[2]
    assert not np.allclose(logits[0], logits[1], atol=1e-4)
    assert not np.allclose(logits[1], logits[2], atol=1e-4)
    names = [Path(f"{card}.csv").read_text(encoding="utf-8") for card in ("none", "flip", "flip_scales")]
    assert len(set(names)) == 3


@pytest.mark.parametrize("wrong", ["tta.scales=[]", "tta.scales=[0]", "tta.average=median", "tta.flips=true"])
def test_what_no_view_is(wrong: str, run: RunFolder, capsys) -> None:
    assert evaluate.main([f"run={run.path}", "tta=flip", wrong]) == 2
    assert "tta" in capsys.readouterr().err


def test_a_run_is_judged_in_its_views_and_others_follow(run: RunFolder, monkeypatch, capsys) -> None:
    home = run.path.parents[1]
    monkeypatch.chdir(home)
    arguments = ["data.root=pictures", *QUICK, "trainer.max_epochs=1", "data.test_ratio=0.3"]
    for name, more in (("plain", []), ("viewed", ["tta=flip"])):
        assert train.main([*arguments, *more, "trainer.precision=32-true", f"run_id={name}"]) == 0
    plain, viewed = (RunFolder(home / "outputs" / name) for name in ("plain", "viewed"))
    assert not np.allclose(np.load(plain.logits), np.load(viewed.logits), atol=1e-4)
    assert evaluate.main([f"run={viewed.path}", "split=test"]) == 0
    assert "answered in 2 views each" in capsys.readouterr().out
    (again,) = (viewed.path / "evaluations").iterdir()
    rows = (pd.read_parquet(viewed.predictions)["split"] == "test").to_numpy()
    np.testing.assert_allclose(np.load(RunFolder(again).logits), np.load(viewed.logits)[rows], atol=1e-5)
    assert evaluate.main([f"run={viewed.path}", "split=test", "tta=none"]) == 0
    assert "views" not in capsys.readouterr().out
