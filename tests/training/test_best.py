"""`effort=best` as a user starts it: several seeds from one head, and one run to be used."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from animeid import train, tune
from animeid.config.compose import compose
from animeid.data.prepare import prepare
from animeid.data.settings import DataSettings
from animeid.recipe import choose as recipe
from animeid.recipe.choose import choose
from animeid.runs.folder import RunFolder
from animeid.system.files import read_yaml
from animeid.training import best
from tests.small_runs import QUICK, trained_home

pytestmark = pytest.mark.usefixtures("without_reports")

BEST = (
    *(*QUICK, "effort=best", "effort.runs=2", "data.root=pictures", "logger=none", "trainer.precision=32-true"),
    *("data.val_ratio=0.25", "data.test_ratio=0.25", "trainer.max_epochs=1", "run_id=all"),
)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A head, two seeds from there, and what was made of them."""
    return trained_home(tmp_path_factory, {"many": 40, "少": 16}, (train.main, BEST))


def figures(home: Path, run: str) -> dict:
    return json.loads((home / "outputs" / "all" / run / "metrics.json").read_text())


def test_seeds_go_on_from_the_head_and_are_mixed(home: Path) -> None:
    plans = [read_yaml(RunFolder(home / "outputs" / "all" / run).config) for run in ("0", "1", "2", "best")]
    assert plans[0]["stage"]["_target_"].endswith("LinearProbe")
    assert [plan["from_run"] for plan in plans[1:3]] == ["outputs/all/0"] * 2
    assert [plan["seed"] for plan in plans[1:3]] == [1, 2]
    assert plans[3]["stage"]["runs"] == "outputs/all/1:outputs/all/2:outputs/all/0"
    assert {plan["data"]["image_size"] for plan in plans} == {32}


def test_no_seed_reads_the_test_part_and_none_is_better(home: Path) -> None:
    assert [figures(home, run)["test"] is None for run in ("0", "1", "2", "best")] == [True, True, True, False]
    best = figures(home, "best")["val"]["f1_macro"]
    assert best >= max(figures(home, run)["val"]["f1_macro"] for run in "012")


def test_the_head_is_fitted_to_what_is_trained(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(home)
    arguments = [word for word in BEST if not word.startswith(("recipe", "data.image_size"))]
    request = compose("train", arguments)
    prepared = prepare(DataSettings(root="pictures", cache="off"))
    chosen, probe = choose(request, prepared, "cpu").request, best.probe_of(*best.settled(request))
    assert probe["data"]["image_size"] == chosen["data"]["image_size"]
    assert probe["loss"] == chosen["loss"] != compose("train", [])["loss"]
    assert best.probe_of(*best.settled(compose("train", BEST)))["data"]["image_size"] == 32


@pytest.mark.parametrize("budget", ["null", "30s"])
def test_seeds_see_with_the_network_of_the_head_in_its_size(
    budget: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is chosen from published weights is not chosen from a head on them, or within a budget, but shared."""
    monkeypatch.chdir(home)
    monkeypatch.setattr(recipe, "epochs_within", lambda *_: 1)
    arguments = [word for word in BEST if not word.startswith(("recipe", "data.image_size", "model", "trainer.max"))]
    request = compose("train", [*arguments, f"budget={budget}"])
    common, trained_as = best.settled(request)
    assert common["model"]["name"] == trained_as["model"]["name"] == "tf_efficientnet_lite0"
    prepared = prepare(DataSettings(root="pictures", cache="off"))
    member = choose(best.member_of(common, "outputs/all/0", 3), prepared, "cpu").request
    assert member["model"] == common["model"]
    assert member["data"]["image_size"] == best.probe_of(common, trained_as)["data"]["image_size"]


def test_the_same_command_does_nothing_again(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(home)
    before = {path: path.stat().st_mtime_ns for path in home.rglob("metrics.json")}
    assert train.main(list(BEST)) == 0
    assert {path: path.stat().st_mtime_ns for path in home.rglob("metrics.json")} == before
    assert "the best of them is there already: outputs/all/best" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("main", "arguments", "sentence"),
    [
        (train.main, ["data.folds=2", "data.fold=all"], "effort=best and data.fold=all both train several runs"),
        (train.main, ["stage=probe"], "effort=best trains whole networks, and stage=NAME changes a trained one"),
        (
            tune.main,
            ["trials=1", "space=none", "space.seed=[1]"],
            "effort=best trains several runs, and a trial is a single run",
        ),
    ],
)
def test_what_is_of_several_runs_already_is_refused(
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    main,  # type: ignore[no-untyped-def]
    arguments: list[str],
    sentence: str,
) -> None:
    monkeypatch.chdir(home)
    assert main([*BEST, *arguments, "run_id=refused"]) == 2
    assert sentence in capsys.readouterr().err
