"""Greedy soups: which models are taken in, their mean, and the stage as a user starts it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from animeid import train
from animeid.assembly.soup import best_first, mean_effective_prior
from animeid.data.datamodule import CharacterDataModule, PictureLoader
from animeid.models.soup import greedy_soup, mean_state
from animeid.runs.finished import FinishedRun
from animeid.runs.folder import RunFolder
from animeid.system.files import write_json
from tests.small_runs import QUICK, trained_home

RUN = (*QUICK, "data.val_ratio=0.25", "data.test_ratio=0.25", "trainer.precision=32-true")
RUNS = ("first", "more-2", "more-3")
START = (*RUN, "data.root=pictures", "logger=none")


def test_models_that_lower_the_score_stay_out() -> None:
    values = [0.5, 0.9, 0.1, 0.6]
    scores = {(0,): 0.5, (0, 1): 0.7, (0, 1, 2): 0.69, (0, 1, 3): 0.7}
    taken, after = greedy_soup(len(values), lambda members: scores[tuple(members)])
    assert taken == [0, 1, 3]
    assert after == [0.5, 0.7, 0.7, 0.7]


def test_the_mean_leaves_counts_alone() -> None:
    states = [
        {"w": torch.tensor([1.0, 2.0]), "n": torch.tensor(3)},
        {"w": torch.tensor([3.0, 6.0]), "n": torch.tensor(9)},
    ]
    mean = mean_state(states)
    assert torch.equal(mean["w"], torch.tensor([2.0, 4.0]))
    assert torch.equal(mean["n"], torch.tensor(3))


def test_a_soup_begins_with_the_lowest_loss_of_equal_runs(tmp_path: Path) -> None:
    figures = {"a": (0.9, 0.5), "b": (0.9, 0.3), "c": (0.95, 0.9), "d": (0.9, 0.3)}
    runs = []
    for name, (f1_macro, loss) in figures.items():
        folder = RunFolder(tmp_path / name)
        folder.create()
        write_json(folder.metrics, {"val": {"f1_macro": f1_macro, "loss": loss}})
        runs.append(FinishedRun(folder))
    assert [run.folder.path.name for run in best_first(runs)] == ["c", "b", "d", "a"]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run, and two that go on from it with other seeds."""
    further = ("from_run=outputs/first", "trainer.max_epochs=1", "optimizer.lr=1e-4")
    soup = ("stage=soup", "from_run=outputs/more-2", "stage.runs=outputs/more-*:outputs/first")
    commands = [
        (*START, "trainer.max_epochs=2", "run_id=first"),
        *((*START, *further, f"seed={seed}", f"run_id=more-{seed}") for seed in (2, 3)),
        (*soup, "logger=none", "trainer.precision=32-true", "run_id=soup"),
    ]
    return trained_home(tmp_path_factory, {"many": 60, "少": 24}, *((train.main, command) for command in commands))


def state(home: Path, run: str) -> dict[str, torch.Tensor]:
    return torch.load(RunFolder(home / "outputs" / run).best, weights_only=True)["state_dict"]


def val_f1(home: Path, run: str) -> float:
    return json.loads((home / "outputs" / run / "metrics.json").read_text())["val"]["f1_macro"]


def test_the_soup_is_no_worse_on_validation(home: Path) -> None:
    assert val_f1(home, "soup") >= max(val_f1(home, run) for run in RUNS)


def test_runs_that_validation_does_not_lose_by_are_mixed(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(home)
    monkeypatch.setattr("animeid.assembly.soup.validated", lambda *_: 0.5)
    soup = ["stage=soup", "from_run=outputs/more-2", "stage.runs=outputs/more-*:outputs/first", "logger=none"]
    assert train.main([*soup, "trainer.precision=32-true", "run_id=mixed"]) == 0
    assert "the mean of 3 of 3 runs" in capsys.readouterr().out
    weight = "model.head.linear.weight"
    found, own = state(home, "mixed")[weight], [state(home, run)[weight] for run in RUNS]
    torch.testing.assert_close(found, torch.stack(own).mean(0), atol=1e-6, rtol=0)
    assert not any(torch.allclose(found, one, atol=1e-5) for one in own)


def test_the_soup_says_what_it_cost(home: Path) -> None:
    costs = {
        run: json.loads((home / "outputs" / run / "metrics.json").read_text())["cost"]
        for run in ("first", "more-2", "more-3", "soup")
    }
    soup = costs.pop("soup")
    assert soup["train_s"] > 0
    assert soup["earlier_s"] == pytest.approx(sum(cost["train_s"] for cost in costs.values()), abs=0.01)


def test_statistics_of_batch_norm_are_estimated_anew(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With every mean taken in, the running statistics are no mean of the runs'."""
    monkeypatch.chdir(home)
    monkeypatch.setattr(
        "animeid.assembly.soup.greedy_soup", lambda number, score: (list(range(number)), [0.0, score([0, 1])])
    )
    soup = ["stage=soup", "from_run=outputs/more-2", "stage.runs=outputs/more-*", "logger=none", "run_id=all"]
    assert train.main([*soup, "trainer.precision=32-true"]) == 0
    mean = mean_state([state(home, "more-2"), state(home, "more-3")])
    found = state(home, "all")
    for name, tensor in found.items():
        if tensor.is_floating_point():
            is_statistic = name.endswith(("running_mean", "running_var"))
            assert torch.allclose(tensor, mean[name], atol=1e-6) != is_statistic, name
            assert not is_statistic or not torch.equal(tensor, torch.full_like(tensor, float(name.endswith("var")))), (
                f"{name} was forgotten and not estimated"
            )


def test_they_are_estimated_from_what_the_kept_epoch_showed(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(home)
    seen: list[int] = []
    original = CharacterDataModule.fresh_train_dataloader

    def fresh(self: CharacterDataModule) -> PictureLoader:
        seen.append(int(self.epoch))
        return original(self)

    monkeypatch.setattr(CharacterDataModule, "fresh_train_dataloader", fresh)
    monkeypatch.setattr("animeid.assembly.soup.read_torch", lambda *_, **__: {"epoch": 7})
    monkeypatch.setattr(
        "animeid.assembly.soup.greedy_soup", lambda number, score: (list(range(number)), [0.0, score([0, 1])])
    )
    soup = ["stage=soup", "from_run=outputs/more-2", "stage.runs=outputs/more-*", "logger=none", "run_id=kept"]
    assert train.main([*soup, "trainer.precision=32-true"]) == 0
    assert set(seen) == {7}


def test_a_soup_was_shown_what_its_members_were_on_average(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runs = [RunFolder(home / "outputs" / run) for run in RUNS]
    priors = {
        run.path: torch.tensor(prior, dtype=torch.float64)
        for run, prior in zip(runs, ([0.5, 0.5], [0.8, 0.2], [0.2, 0.8]), strict=True)
    }
    monkeypatch.setattr("animeid.assembly.soup.effective_prior", lambda run, _: priors.get(run.path))
    torch.testing.assert_close(mean_effective_prior(runs[:2]), torch.tensor([0.65, 0.35], dtype=torch.float64))
    del priors[runs[2].path]
    assert mean_effective_prior(runs) is None


@pytest.mark.parametrize(
    ("runs", "words"),
    [
        ("outputs/nothing*", "finds no finished run beside from_run"),
        ("outputs/focal", "has another network, head, classes, picture size, parts, loss or sampler"),
        ("outputs/other", "has another network, head, classes, picture size, parts, loss or sampler"),
    ],
)
def test_what_makes_no_soup(
    runs: str, words: str, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(home)
    own = {"other": "data.split_seed=5", "focal": "loss=focal"}.get(Path(runs).name)
    if own and not (home / runs).exists():
        assert train.main([*START, own, "trainer.max_epochs=1", f"run_id={Path(runs).name}"]) == 0
    capsys.readouterr()
    assert train.main(["stage=soup", "from_run=outputs/first", f"stage.runs={runs}", "run_id=none"]) == 2
    assert words in capsys.readouterr().err
