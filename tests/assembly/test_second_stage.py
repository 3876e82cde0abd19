"""Second stages as a user starts them: on a finished run, with one command."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from animeid import evaluate, report, train
from animeid.runs.folder import RunFolder
from animeid.system.files import read_yaml
from tests.small_runs import QUICK, class_folders

RUN = (*QUICK, "trainer.max_epochs=1", "data.val_ratio=0.25", "data.test_ratio=0.25")
SECOND = ("trainer.accelerator=cpu", "trainer.precision=32-true", "logger=none")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A first stage with settings of its own, one with a cosine head, and each stage on the first."""
    home = tmp_path_factory.mktemp("home")
    class_folders(home / "pictures", {"many": 40, "少": 12}, coarse=4)
    class_folders(home / "others", {"many": 40, "third": 12}, coarse=4)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(home)
        own = ["data.split_seed=3", "augment=none", "head.dropout=0.1"]
        assert train.main(["data.root=pictures", *RUN, *own, "run_id=first"]) == 0
        assert train.main(["data.root=pictures", *RUN, "head=cosine", "run_id=cosine"]) == 0
        for stage in ("crt", "lws", "tau_norm"):
            epochs = [] if stage == "tau_norm" else ["trainer.max_epochs=2"]
            arguments = [f"stage={stage}", "from_run=outputs/first", *SECOND, *epochs, f"run_id={stage}"]
            assert train.main(arguments) == 0
    return home


def state(home: Path, run: str) -> dict[str, torch.Tensor]:
    return torch.load(RunFolder(home / "outputs" / run).best, weights_only=True)["state_dict"]


def head(home: Path, run: str) -> tuple[torch.Tensor, torch.Tensor]:
    found = state(home, run)
    return found["model.head.linear.weight"], found["model.head.linear.bias"]


@pytest.mark.parametrize("stage", ["crt", "lws", "tau_norm"])
def test_the_backbone_stays(stage: str, home: Path) -> None:
    first, second = state(home, "first"), state(home, stage)
    assert first.keys() == second.keys()
    for name, tensor in first.items():
        if name.startswith("model.backbone."):
            assert torch.equal(tensor, second[name]), name


@pytest.mark.parametrize("stage", ["crt", "lws", "tau_norm"])
def test_data_and_network_are_the_first_stages(stage: str, home: Path) -> None:
    first, second = (read_yaml(RunFolder(home / "outputs" / run).config) for run in ("first", stage))
    assert first["data"] | {"num_workers": second["data"]["num_workers"], "cache": "auto"} == second["data"]
    for name in ("augment", "head"):
        assert first[name] == second[name]
    assert first["model"]["name"] == second["model"]["name"]
    parts = [RunFolder(home / "outputs" / run).manifest.read_bytes() for run in ("first", stage)]
    assert parts[0] == parts[1]


def test_a_new_head_is_trained(home: Path) -> None:
    (before, _), (after, _) = head(home, "first"), head(home, "crt")
    assert not torch.allclose(before, after)
    moved = pd.read_csv(RunFolder(home / "outputs" / "crt").transfer).set_index("name")["outcome"]
    assert (moved["backbone"], moved["head.linear.weight"]) == ("kept", "new")
    assert read_yaml(RunFolder(home / "outputs" / "crt").config)["sampler"]["_target_"].endswith("ClassAware")


def test_learnt_lengths_leave_directions(home: Path) -> None:
    (before, bias), (after, moved) = head(home, "first"), head(home, "lws")
    torch.testing.assert_close(torch.nn.functional.cosine_similarity(before, after), torch.ones(2))
    lengths = after.norm(dim=1) / before.norm(dim=1)
    assert (lengths - 1).abs().max() > 1e-4
    torch.testing.assert_close(moved / bias, lengths)


def test_normalised_vectors_need_no_training(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (before, _), (after, bias) = head(home, "first"), head(home, "tau_norm")
    assert not bias.any()
    powers = (before.norm(dim=1) / after.norm(dim=1)).log() / before.norm(dim=1).log()
    assert powers[0] == pytest.approx(float(powers[1]), abs=1e-3)
    folder = RunFolder(home / "outputs" / "tau_norm")
    assert not folder.history.exists()
    assert "Nothing was trained" in folder.report.read_text(encoding="utf-8")
    monkeypatch.chdir(home)
    assert report.main(["runs=outputs/first:outputs/tau_norm", "output=both.html"]) == 0
    assert train.main(["stage=tau_norm", "from_run=outputs/first", *SECOND, "run_id=tau_norm", "resume=must"]) == 0


@pytest.mark.parametrize("stage", ["crt", "lws", "tau_norm"])
def test_it_is_a_run_like_any_other(stage: str, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(home)
    folder = RunFolder(home / "outputs" / stage)
    assert evaluate.main([f"run={folder.path}", "trainer.precision=32-true"]) == 0
    (again,) = (folder.path / "evaluations").iterdir()
    figures = [json.loads(RunFolder(path).metrics.read_text())["test"]["loss"] for path in (folder.path, again)]
    assert figures[0] == pytest.approx(figures[1], rel=1e-5)
    runs = (RunFolder(home / "outputs" / run) for run in ("first", stage))
    first, second = (json.loads(run.metrics.read_text())["cost"] for run in runs)
    assert second["earlier_s"] == first["train_s"]
    logits, embeddings = np.load(folder.logits), np.load(folder.embeddings)
    weight, bias = (tensor.numpy() for tensor in head(home, stage))
    np.testing.assert_allclose(logits, embeddings @ weight.T + bias, atol=1e-4)


def test_the_command_line_goes_before_the_first_stage(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(home)
    changes = ["data.batch_size=5", "augment=basic", "sampler=square_root", "trainer.max_epochs=1", "run_id=changed"]
    assert train.main(["stage=crt", "from_run=outputs/first", *SECOND, *changes]) == 0
    plan = read_yaml(RunFolder(home / "outputs" / "changed").config)
    assert (plan["data"]["batch_size"], plan["data"]["split_seed"]) == (5, 3)
    assert plan["sampler"]["power"] == 0.5
    assert plan["augment"] != read_yaml(RunFolder(home / "outputs" / "first").config)["augment"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["stage=crt"], "write from_run=RUN"),
        (["stage=crt", "from_run=outputs/nothing"], "outputs/nothing"),
        (["stage=crt", "from_run=outputs/first", "data.root=others"], "has other classes"),
        (["stage=lws", "from_run=outputs/cosine"], "take stage=crt"),
        (["stage=tau_norm", "from_run=outputs/cosine"], "take stage=crt"),
        (["stage=tau_norm", "from_run=outputs/first", "stage.tau=-1"], "stage.tau"),
        (["stage=tau_norm", "from_run=outputs/first", "stage.power=1"], "power"),
    ],
)
def test_what_cannot_be_a_second_stage(
    arguments: list[str], sentence: str, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(home)
    assert train.main([*arguments, "run_id=refused"]) == 2
    told = capsys.readouterr().err
    assert sentence in told
    assert told.count("\n") == 1
    assert not (home / "outputs" / "refused").exists()
