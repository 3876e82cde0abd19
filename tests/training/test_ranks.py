"""Two processes over gloo give what one gives."""

from __future__ import annotations

import csv
from pathlib import Path

import pandas as pd
import pytest
import torch

from animeid import train
from animeid.runs.folder import RunFolder
from tests.small_runs import LAYER_NORM, assert_each_picture_is_answered_once, uneven_manifest

RUN = (*LAYER_NORM, "keep=all", "trainer.max_epochs=3")


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return uneven_manifest(tmp_path_factory.mktemp("pictures"))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


def trained(home: Path, manifest: Path, run_id: str, *arguments: str) -> RunFolder:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(home)
        assert train.main([f"data.root={manifest}", f"run_id={run_id}", *RUN, *arguments]) == 0
    return RunFolder(home / "outputs" / run_id)


@pytest.fixture(scope="module")
def alone(home: Path, manifest: Path) -> RunFolder:
    return trained(home, manifest, "alone", "data.batch_size=8")


@pytest.fixture(scope="module")
def together(home: Path, manifest: Path) -> RunFolder:
    return trained(home, manifest, "together", "data.batch_size=4", "trainer=ddp", "trainer.devices=2")


@pytest.mark.slow
def test_one_global_batch_gives_the_same_weights(alone: RunFolder, together: RunFolder) -> None:
    one, two = (torch.load(folder.last, weights_only=True)["state_dict"] for folder in (alone, together))
    for name, tensor in one.items():
        torch.testing.assert_close(two[name], tensor, rtol=0, atol=1e-5)


@pytest.mark.slow
def test_validation_in_training_is_that_of_one_process(alone: RunFolder, together: RunFolder) -> None:
    one, two = (list(csv.DictReader(folder.history.open())) for folder in (alone, together))
    for first, second in zip(one, two, strict=True):
        for name in ("val/acc_micro", "val/acc_macro", "val/f1_macro"):
            assert float(first[name]) == pytest.approx(float(second[name]), abs=1e-6)
        for name in ("val/loss", "train/loss"):
            assert float(first[name]) == pytest.approx(float(second[name]), abs=1e-4)


@pytest.mark.slow
def test_every_picture_is_answered_once_as_by_one_process(together: RunFolder, home: Path, monkeypatch) -> None:
    monkeypatch.chdir(home)
    assert_each_picture_is_answered_once(together)


@pytest.mark.slow
def test_the_plan_counts_all_processes(alone: RunFolder, together: RunFolder) -> None:
    from animeid.system.files import read_yaml

    one, two = (read_yaml(folder.config) for folder in (alone, together))
    assert one["facts"]["total_steps"] == two["facts"]["total_steps"] == 9
    assert two["trainer"]["devices"] == 2


@pytest.mark.slow
@pytest.mark.parametrize(
    "technique",
    [
        ("freezing=gradual", "freezing.every=1"),
        ("freezing=backbone",),
        ("averaging=swa", "averaging.start_epoch=1"),
        ("deep_supervision=taps", "mixing=mixup_cutmix", "sampler=class_aware"),
    ],
    ids=lambda technique: technique[0],
)
def test_techniques_run_in_two_processes(technique: tuple[str, ...], home: Path, manifest: Path, request) -> None:
    name = request.node.name.replace("[", "-").replace("]", "").replace("=", "-")
    run = trained(home, manifest, name, "data.batch_size=4", "trainer.devices=2", "model=small", *technique)
    assert sorted(pd.read_parquet(run.predictions)["row"]) == list(range(34))


@pytest.mark.slow
def test_a_failing_process_ends_the_run(manifest: Path, home: Path, monkeypatch, capfd) -> None:
    monkeypatch.chdir(home)
    arguments = [f"data.root={manifest}", "run_id=broken", *RUN, "data.batch_size=4", "trainer.devices=2"]
    assert train.main([*arguments, "optimizer.lr=1e30"]) == 2
    assert "the training loss became" in capfd.readouterr().err
    assert not (home / "outputs/broken/metrics.json").exists()
