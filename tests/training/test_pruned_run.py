"""`prune=channels from_run=RUN` as a user starts it; what is measured is told by a clock of these tests."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch
import yaml

from animeid import export, train
from animeid.artefacts.artefact import Artefact
from animeid.assembly.plan import FinalPlan
from animeid.assembly.run import rebuild
from animeid.assembly.transfer import earlier_run
from animeid.config.compose import compose
from animeid.errors import InputError
from animeid.inference.predictor import Predictor
from animeid.metrics.table import summary_table
from animeid.runs.finished import FinishedRun
from animeid.runs.folder import RunFolder
from animeid.system.files import read_json, write_json
from animeid.training.resume import read_prepared
from tests.old_runs import RUNS, set_root

ASKED = ("prune=channels", "recipe=none", "trainer=cpu", "trainer.max_epochs=1", "data.num_workers=0", "logger=none")
FROM = "from_run=outputs/finished"
Turns = Callable[..., list[dict[str, Sequence[np.ndarray]]]]


def clock(before: Sequence[float], after: Sequence[float]) -> Turns:
    """Milliseconds of each round for the whole network and for the pruned one, whatever they do."""

    def in_turn(works: Sequence[Mapping[str, Any]], rounds: int, seconds: float) -> Any:
        for work in works:
            work["picture"]()
        return [{"picture": [np.array([one / 1000]) for one in each]} for each in (before, after)]

    return in_turn


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A working folder with a finished run of an earlier version, `finished`, and the same pruned, `pruned`."""
    home = tmp_path_factory.mktemp("home")
    shutil.copytree(RUNS / "pictures", home / "pictures")
    shutil.copytree(RUNS / "outputs" / "finished", home / "outputs" / "finished")
    set_root(home / "outputs" / "finished", home / "pictures")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(home)
        patch.setattr("animeid.assembly.pruning.in_turn", clock([9, 8, 9, 9, 8], [7, 6, 7, 8.9, 7]))
        assert train.main([FROM, *ASKED, "prune.ratio=0.5", "run_id=pruned"]) == 0
    return home


@pytest.fixture(autouse=True)
def inside(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(home)


def pruned() -> FinishedRun:
    return FinishedRun(RunFolder(Path("outputs/pruned")))


def predictor() -> Predictor:
    return Predictor.load("outputs/pruned", accelerator="cpu", precision="32-true")


def held_out() -> list[Path]:
    table = pruned().manifest.table
    return [pruned().manifest.root / path for path in table.iloc[pruned().predictions_of("test").rows]["path"]]


def test_what_was_saved_and_lost_is_in_the_figures() -> None:
    found, whole = pruned().metrics["pruning"], FinishedRun(RunFolder(Path("outputs/finished")))
    counts = [run.metrics["cost"]["params"] for run in (whole, pruned())]
    assert list(found["parameters"].values()) == counts
    assert counts[1] < 0.8 * counts[0]
    assert found["multiply_adds"]["after"] < 0.8 * found["multiply_adds"]["before"]
    assert found["latency_ms"] == pytest.approx({"before": 9.0, "after": 7.0})
    assert found["f1_macro"]["before"] == pytest.approx(whole.metrics["val"]["f1_macro"])
    assert found["f1_macro"]["after"] == pytest.approx(pruned().metrics["val"]["f1_macro"])
    assert found["lost"] == pytest.approx(found["f1_macro"]["before"] - found["f1_macro"]["after"])
    assert found["accepted"] is (found["lost"] <= 0.005)
    said = "accepted" if found["accepted"] else "not accepted, since at most 0.5 points may be lost"
    assert f": {said}" in summary_table(pruned().metrics)
    page = Path("outputs/pruned/report.html").read_text(encoding="utf-8")
    assert "Pruned from 0." in page
    assert said in page


def test_the_folder_holds_the_network() -> None:
    plan = yaml.safe_load(Path("outputs/pruned/config.yaml").read_text(encoding="utf-8"))
    assert plan["model"]["shapes"]["conv_stem.weight"] == [16, 3, 3, 3]
    saved, again = pruned().predictions_of("test"), predictor()(held_out())
    np.testing.assert_allclose(again.logits, saved.logits, atol=1e-5)
    np.testing.assert_allclose(again.embeddings, saved.embeddings, atol=1e-5)


def judged(*, accepted: bool) -> None:
    """Has the run say that it passed its gate, or did not."""
    metrics = read_json(Path("outputs/pruned/metrics.json"))
    write_json(Path("outputs/pruned/metrics.json"), metrics | {"pruning": metrics["pruning"] | {"accepted": accepted}})


def test_an_artefact_answers_as_the_run_and_says_that_timm_cannot_load_it() -> None:
    judged(accepted=True)
    assert export.main(["run=outputs/pruned", "output=artefact"]) == 0
    batches = predictor().batches(held_out())
    seen = np.concatenate([batch["image"].permute(0, 2, 3, 1).numpy() for batch, _ in batches])
    session = onnxruntime.InferenceSession("artefact/model.onnx", providers=["CPUExecutionProvider"])
    (logits,) = session.run(["logits"], {"pictures": seen})
    np.testing.assert_allclose(logits, pruned().predictions_of("test").logits, rtol=1e-4, atol=1e-4)
    (network,) = Artefact.load("artefact").own["networks"]
    assert (network["architecture"], network["timm"]) == ("test_efficientnet", "nothing")
    assert network["shapes"]["conv_stem.weight"] == [16, 3, 3, 3]
    card = Path("artefact/README.md").read_text(encoding="utf-8")
    assert "Not loadable by timm: its channels were pruned" in card
    assert "library_name: onnx" in card


def test_one_that_lost_too_much_is_exported_only_when_asked(capsys: pytest.CaptureFixture[str]) -> None:
    judged(accepted=False)
    assert export.main(["run=outputs/pruned", "output=refused"]) == 2
    said = capsys.readouterr().err
    assert "outputs/pruned is not exported (pruned from 0." in said
    assert "not accepted, since at most 0.5 points may be lost" in said
    assert "not_accepted=export" in said
    assert not Path("refused").exists()
    assert export.main(["run=outputs/pruned", "output=asked_for", "not_accepted=export"]) == 0


def test_whoever_starts_from_it_has_its_network() -> None:
    request = compose("train", ["from_run=outputs/pruned"])
    assert request["model"]["shapes"]["conv_stem.weight"] == [16, 3, 3, 3]
    assert earlier_run(request) is not None
    with pytest.raises(InputError, match=r"from_run=outputs/pruned was pruned, and model.name=test_efficientnet is"):
        earlier_run({**request, "model": {**request["model"], "shapes": None}})


def test_one_that_is_not_faster_is_refused_before_training(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("animeid.assembly.pruning.in_turn", clock([9, 9, 9, 9, 9], [7, 7, 7, 7, 9.1]))
    assert train.main([FROM, *ASKED, "run_id=slow"]) == 2
    said = capsys.readouterr().err
    assert "test_efficientnet answers a picture in 7 ms on cpu, and whole in 9 ms (faster in 4 of 5 rounds)" in said
    assert "a pruned network that is not faster is not trained" in said
    assert not Path("outputs/slow").exists()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("prune=channels",), "prune takes channels out of a finished run: write from_run=RUN"),
        ((FROM, "prune=channels", "from_run_parts=backbone"), "head and all: leave out from_run_parts"),
        ((FROM, "prune=channels", "stage=crt"), "a second stage mends the head of a run, and prune trains all of it"),
        ((FROM, "prune=channels", "head_init=fitted"), "prune goes on with the head of the run in from_run"),
        ((FROM, "prune=channels", "effort=best"), "effort=best trains several runs that start from one another"),
        ((FROM, "prune=channels", "data.refit=true"), "what pruning loses is judged on val, which a refit would learn"),
        ((FROM, "prune=channels", "prune.ratio=1"), "prune.ratio must be"),
        ((FROM, "prune=chanels"), "channels"),
        (("from_run=outputs/nobody", "prune=channels"), "outputs/nobody"),
    ],
    ids=lambda value: None if isinstance(value, tuple) else value[:20],
)
def test_what_cannot_be_beside_it_is_one_sentence(
    arguments: tuple[str, ...], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train.main([*arguments, "run_id=refused"]) == 2
    said = capsys.readouterr().err
    assert sentence in said
    assert said.count("\n") == 1
    assert not Path("outputs/refused").exists()


def test_a_run_that_learnt_val_is_not_pruned(capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copytree("outputs/finished", "outputs/refitted", dirs_exist_ok=True)
    config = Path("outputs/refitted/config.yaml")
    plan = yaml.safe_load(config.read_text(encoding="utf-8"))
    config.write_text(yaml.safe_dump({**plan, "data": {**plan["data"], "refit": True}}), encoding="utf-8")
    assert train.main(["from_run=outputs/refitted", "prune=channels"]) == 2
    assert "take from_run=outputs/refitted/twin" in capsys.readouterr().err


def test_a_run_that_was_cut_off_goes_on_with_the_same_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """From its first epoch it prunes as it did, and measures nothing again."""
    monkeypatch.setattr("animeid.assembly.pruning.in_turn", None)
    folder = RunFolder(Path("outputs/pruned"))
    plan = FinalPlan.read(folder.config)
    afresh, later = (rebuild(plan, read_prepared(folder), from_scratch=scratch) for scratch in (True, False))
    for components in (afresh, later):
        sizes = {name: list(tensor.shape) for name, tensor in components.module.model.backbone.net.state_dict().items()}
        assert {name: sizes[name] for name in plan["model"]["shapes"]} == {
            name: list(shape) for name, shape in plan["model"]["shapes"].items()
        }
    whole = Predictor.load("outputs/finished", accelerator="cpu").model.classifier
    assert torch.equal(afresh.module.model.head.linear.weight, whole.head.linear.weight)
    own = afresh.module.model.backbone.net.state_dict()["conv_stem.weight"]
    assert all(torch.isin(one, whole.backbone.net.state_dict()["conv_stem.weight"]).all() for one in own)
