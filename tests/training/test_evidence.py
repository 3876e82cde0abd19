"""Evidence of a run, recomputed from its other files."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from animeid import train
from animeid.assembly.data import build_data, build_pixels
from animeid.data.manifest import read_manifest
from animeid.data.samplers.natural import Natural
from animeid.explain.grad_cam import grad_cam, heat
from animeid.inference.predictor import Predictor
from animeid.metrics.calibration import calibrate
from animeid.runs.finished import FinishedRun
from animeid.runs.folder import RunFolder
from animeid.tracking.results import read_results
from animeid.training.evidence import save_evidence
from tests.small_runs import QUICK, class_folders

RUN = (
    *QUICK,
    "data.batch_size=8",
    "trainer.max_epochs=1",
    "trainer.precision=32-true",
    "augment=none",
    "freezing=backbone",
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """A run with a frozen backbone, 3 classes and some 30 test pictures."""
    home = tmp_path_factory.mktemp("home")
    root = class_folders(home / "pictures", {"甲": 80, "乙": 70, "丙": 60})
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(home)
        assert train.main([f"data.root={root}", "run_id=run", *RUN]) == 0
    return RunFolder(home / "outputs" / "run")


def test_calibration_is_that_of_the_saved_answers(folder: RunFolder) -> None:
    table = read_manifest(folder.manifest).table
    targets, groups = table["target"].to_numpy(), table["group"].to_numpy(str)
    answers = {part: FinishedRun(folder).predictions_of(part) for part in ("val", "test")}
    found = json.loads(folder.calibration.read_text())
    judged = {part: (answer.logits, targets[answer.rows]) for part, answer in answers.items()}
    assert found == calibrate(judged, groups[answers["val"].rows])
    metrics = json.loads(folder.metrics.read_text())
    assert {part: found["parts"][part]["ece"] for part in found["parts"]} == pytest.approx(
        {part: metrics[part]["ece"] for part in ("val", "test")}
    )


def test_heat_maps_are_those_of_the_worst_pictures_and_of_their_answers(folder: RunFolder) -> None:
    with np.load(folder.cams) as stored:
        rows, cams = stored["row"], stored["cam"]
    assert (rows.dtype, cams.dtype, cams.shape) == (np.int64, np.uint8, (24, 32, 32))
    manifest = read_manifest(folder.manifest)
    worst = [answer.path for answer in read_results(FinishedRun(folder)).worst]
    assert manifest.table["path"].iloc[rows].tolist() == worst
    predictor = Predictor.load(folder.path)
    plan, stats, model = predictor.plan, predictor.stats, predictor.model
    pixels = build_pixels(plan.data, manifest).pixels
    data = build_data(plan, manifest, stats.names, Natural, pixels)
    images = torch.cat([batch["image"] for batch in data.evaluation_dataloader(rows)])
    predictions = pd.read_parquet(folder.predictions).set_index("row")
    answers = torch.tensor([stats.names.index(predictions.loc[row, "predicted"]) for row in rows])
    expected = heat(grad_cam(model.classifier, model.normalise(images), answers), (32, 32), (0, 0, 0, 0))
    assert np.abs(expected.numpy().astype(int) - cams).max() <= 1
    assert {int(cam.max()) for cam in cams} == {255}


def test_a_network_without_feature_maps_says_so_in_one_line(
    folder: RunFolder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    predictor = Predictor.load(folder.path)
    plan, stats, model = predictor.plan, predictor.stats, predictor.model
    model.classifier.backbone.net.forward_intermediates = None
    manifest = read_manifest(folder.manifest)
    data = build_data(plan, manifest, stats.names, Natural, build_pixels(plan.data, manifest).pixels)
    other = RunFolder(tmp_path)
    save_evidence(other, {"val": FinishedRun(folder).predictions_of("val")}, manifest, data, model)
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("no Grad-CAM for this network: timm cannot tap ")
    assert "choose" not in line
    assert [path.name for path in tmp_path.iterdir()] == ["calibration.json"]
    assert list(json.loads(other.calibration.read_text())["parts"]) == ["val"]
