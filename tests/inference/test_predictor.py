"""The predictor: what it answers, what it is built of, and that it is the same for everyone."""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from animeid import evaluate, predict, train
from animeid.config import gateway
from animeid.config.compose import compose
from animeid.config.locate import conf_dir
from animeid.data.manifest import read_manifest
from animeid.errors import InputError
from animeid.inference.predictor import Predictor
from animeid.inference.requests import InferenceRequest
from animeid.inference.sorting import folder_names, sort
from animeid.losses.contract import adjusts_by_prior, lifts_rare_classes
from animeid.runs.finished import FinishedRun
from animeid.runs.folder import RunFolder
from animeid.runs.several import run_paths
from animeid.system.files import write_json
from tests.small_runs import QUICK, class_folders

RUN = (*QUICK, "trainer.max_epochs=1", "data.val_ratio=0.3", "data.test_ratio=0.3")
HEAVY = ("lightning", "torchmetrics", "albumentations", "pandas", "matplotlib", "pyarrow", "wandb")
"""What no answer needs, and what takes seconds to import."""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures of two classes, and a run with all that training can have beside its network."""
    home = tmp_path_factory.mktemp("home")
    class_folders(home / "pictures", {"many": 40, "少": 10}, coarse=4)
    beside = ("loss=ldam_drw", "averaging=ema", "mixing=mixup", "deep_supervision=taps", "trainer.precision=32-true")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(home)
        assert train.main(["data.root=pictures", *RUN, *beside, "run_id=run"]) == 0
    return home


@pytest.fixture
def run(home: Path, monkeypatch: pytest.MonkeyPatch) -> RunFolder:
    monkeypatch.chdir(home)
    return RunFolder(home / "outputs" / "run")


def held_out(run: RunFolder) -> list[Path]:
    """The pictures of the run's test part, in the order of its manifest."""
    manifest = read_manifest(run.manifest)
    table = manifest.table
    return [manifest.root / path for path in table.loc[table["split"] == "test", "path"]]


def test_training_evaluation_and_the_predictor_answer_alike(run: RunFolder) -> None:
    saved = FinishedRun(run).predictions_of("test")
    predictor = Predictor.load(run.path, batch_size="auto")
    found = predictor(held_out(run))
    np.testing.assert_array_equal(found.rows, np.arange(len(saved.rows)))
    np.testing.assert_array_equal(found.logits, saved.logits)
    np.testing.assert_array_equal(found.embeddings, saved.embeddings)
    assert np.isnan(found.losses).all()
    assert evaluate.main([f"run={run.path}", "accelerator=cpu", "precision=32-true", "num_workers=1"]) == 0
    (folder,) = (run.path / "evaluations").iterdir()
    judged = FinishedRun(RunFolder(folder)).predictions_of("test")
    np.testing.assert_array_equal(judged.logits, saved.logits)
    np.testing.assert_array_equal(judged.losses, saved.losses)


def test_predict_writes_what_the_predictor_says(run: RunFolder, tmp_path: Path) -> None:
    settings = ("accelerator=cpu", "precision=bf16-mixed", "tta=flip", "logit_adjustment=0.5", "batch_size=7")
    assert predict.main([f"run={run.path}", "input=pictures", f"output={tmp_path / 'a.jsonl'}", *settings]) == 0
    lines = [json.loads(line) for line in (tmp_path / "a.jsonl").read_text(encoding="utf-8").splitlines()]
    views = gateway.build({"_target_": "animeid.engine.views.Views"})
    predictor = Predictor.load(
        run.path, accelerator="cpu", precision="bf16-mixed", views=views, adjustment=0.5, batch_size=7
    )
    names = predictor.names(predictor("pictures"), k=5)
    assert [line["names"] for line in lines] == names
    assert {name["label"] for name in names[0]} == {"many", "少"}
    other = Predictor.load(run.path, accelerator="cpu", precision="32-true", views=None)
    assert names != other.names(other("pictures"), k=5)


def test_the_fitted_temperature_is_used_where_it_helps(run: RunFolder, tmp_path: Path, capsys) -> None:
    kept = run.calibration.read_text()
    plain = Predictor.load(run.path, temperature=1.0)
    try:
        for scaled, used in ((0.1, 2.5), (0.3, 1.0)):
            tried = {"groups": 60, "needed": 50, "nll": 0.2, "nll_scaled": scaled, "helps": scaled < 0.2}
            write_json(run.calibration, {"temperature": 2.5, "held_out": tried})
            predictor = Predictor.load(run.path)
            assert predictor.temperature == used
            answers = predictor(held_out(run))
            expected = torch.from_numpy(answers.logits / used).softmax(1).amax(1)
            found = [names[0]["probability"] for names in predictor.names(answers)]
            np.testing.assert_allclose(found, expected.numpy(), rtol=1e-5)
            assert [len(predictor.notes), len(Predictor.load(run.path, views=None).notes)] == [1, 0]
        assert (plain.temperature, Predictor.load(run.path, adjustment=0.5).temperature) == (1.0, 1.0)
        write_json(run.calibration, {"temperature": 2.5, "held_out": {**tried, "nll_scaled": 0.1, "helps": True}})
        assert predict.main([f"run={run.path}", "input=pictures", f"output={tmp_path / 'a.csv'}"]) == 0
        assert "scaled by the temperature 2.5 of" in capsys.readouterr().err
    finally:
        run.calibration.write_text(kept)


def test_several_runs_answer_by_their_mean(run: RunFolder, tmp_path: Path) -> None:
    """As a pattern, and as the folder of folds or of a multirun."""
    other = RunFolder(run.path.with_name("other"))
    if not other.path.exists():
        shutil.copytree(run.path, other.path)
        state = torch.load(other.best, weights_only=True)
        state["state_dict"] = {name: value * 1.1 for name, value in state["state_dict"].items()}
        torch.save(state, other.best)
    arguments = ["input=pictures", "temperature=1"]
    lists = []
    for name, which in (("a", "outputs/run"), ("b", "outputs/other"), ("both", "outputs/run:outputs/oth*")):
        file = tmp_path / f"{name}.jsonl"
        assert predict.main([f"run='{which}'", *arguments, f"output={file}"]) == 0
        lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
        lists.append([{name["label"]: name["probability"] for name in line["names"]} for line in lines])
    for one, two, both in zip(*lists, strict=True):
        for label, value in both.items():
            assert value == pytest.approx((one[label] + two[label]) / 2, abs=1e-5)
    assert lists[0] != lists[1]
    write_json(tmp_path / "multirun.json", {"jobs": []})
    for number in (0, 1):
        shutil.copytree(run.path, tmp_path / str(number))
    assert run_paths(str(tmp_path)) == [tmp_path / "0", tmp_path / "1"]


@pytest.mark.parametrize("how", ["copy", "link"])
def test_pictures_are_sorted_into_folders(run: RunFolder, tmp_path: Path, capsys, how: str) -> None:
    """Two of one name both stay, what cannot be read is listed, and the originals are where they were."""
    mixed = tmp_path / "mixed"
    shutil.copytree("pictures", mixed)
    (mixed / "many" / "broken.png").write_text("no picture")
    before = sorted(mixed.rglob("*"))
    sorted_ = tmp_path / "sorted"
    assert predict.main([f"run={run.path}", f"input={mixed}", f"output={sorted_}/", f"sort={how}"]) == 0
    assert sorted(mixed.rglob("*")) == before
    with (sorted_ / "names.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    files = list(sorted_.rglob("*.png"))
    assert len(rows) == 51 and len(files) == 50
    assert all(path.is_symlink() == (how == "link") for path in files)
    contents = {path.parent.name: set() for path in files}
    for path in files:
        contents[path.parent.name].add(path.read_bytes())
    for row in rows:
        if not row["error"]:
            assert Path(row["path"]).read_bytes() in contents[row["label_1"]]
    assert "50 pictures were" in capsys.readouterr().out
    assert predict.main([f"run={run.path}", f"input={mixed}", f"output={sorted_}/"]) == 2
    assert "is not overwritten" in capsys.readouterr().err


def test_the_unsure_go_to_unknown_and_no_name_leads_elsewhere(tmp_path: Path) -> None:
    picture = tmp_path / "0.png"
    picture.write_bytes(b"one")
    labels = {"../up": 0.9, "..": 0.9, "a/b": 0.9, "sure": 0.4}
    pairs = [(picture, {"path": "", "error": "", "names": [{"label": k, "probability": v}]}) for k, v in labels.items()]
    list(sort(iter(pairs), tmp_path / "out" / "sorted", "copy", 0.5, folder_names(list(labels))))
    found = sorted(path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.png"))
    assert found == ["sorted/.._up/0.png", "sorted/_../0.png", "sorted/a_b/0.png", "sorted/unknown/0.png"]


def test_a_picture_is_named_alike_from_a_file_and_from_memory(run: RunFolder) -> None:
    predictor, paths = Predictor.load(run.path), held_out(run)[:3]
    expected = predictor(paths).logits
    opened = [Image.open(path) for path in paths]
    arrays = [np.array(picture.convert("RGB")) for picture in opened]
    for given in (opened, arrays, np.stack(arrays), [str(paths[0]), opened[1], arrays[2]]):
        np.testing.assert_array_equal(predictor(given).logits, expected)
    for one in (str(paths[0]), paths[0], opened[0], arrays[0]):
        np.testing.assert_allclose(predictor(one).logits, expected[:1], atol=1e-5)


def test_what_cannot_be_read_is_said_and_left_out(run: RunFolder, tmp_path: Path, capsys) -> None:
    predictor, paths = Predictor.load(run.path), held_out(run)[:2]
    (tmp_path / "broken.png").write_text("no picture")
    found = predictor([paths[0], tmp_path / "broken.png", paths[1], tmp_path / "none.png"])
    assert found.rows.tolist() == [0, 2]
    np.testing.assert_array_equal(found.logits.shape, (2, 2))
    told = capsys.readouterr().err
    assert "broken.png: not a picture" in told
    assert "2 of 4 files could not be read" in told
    with pytest.raises(InputError, match="none of 1 file"):
        predictor([tmp_path / "broken.png"])
    with pytest.raises(InputError, match="no picture is found"):
        predictor("nowhere/")
    with pytest.raises(InputError, match="uint8 in RGB"):
        predictor(np.zeros((4, 4, 3)))


def test_one_module_holds_normalisation_network_and_offset(run: RunFolder) -> None:
    """Written out: the network of the checkpoint on `(x / 255 - mean) / std`, less `tau log prior`."""
    predictor = Predictor.load(run.path, accelerator="cpu", precision="32-true", adjustment=1.5)
    image = torch.randint(0, 256, (3, 3, 32, 32), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    classifier = predictor.model.classifier
    mean, std = (torch.tensor(values).view(3, 1, 1) for values in (classifier.backbone.mean, classifier.backbone.std))
    targets = read_manifest(run.manifest).table.query("split == 'train'")["target"]
    prior = torch.tensor([(targets == target).mean() for target in (0, 1)])
    with torch.inference_mode():
        expected = classifier((image / 255 - mean) / std).logits - 1.5 * prior.log()
        torch.testing.assert_close(predictor.model(image).logits, expected.float())
    best = torch.load(run.best, weights_only=True)["state_dict"]
    parts = predictor.model.state_dict()
    torch.testing.assert_close(parts["offset"], 1.5 * prior.log().float())
    network = {name.removeprefix("classifier."): value for name, value in parts.items() if name != "offset"}
    assert all(torch.equal(best[f"model.{name}"], value) for name, value in network.items())
    assert network


def test_nothing_is_built_that_only_training_needs(run: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    built, settings, original = [], ("data", "trainer"), gateway.build

    def recorded(node, key="", /, **facts):
        built.append(key)
        return original(node, key, **facts)

    monkeypatch.setattr(gateway, "build", recorded)
    Predictor.load(run.path, views="own", adjustment=0.0)
    assert {key.partition(".")[0] for key in built} == {"model", "head", "tta", *settings}


def test_naming_a_picture_imports_nothing_of_training(run: RunFolder, tmp_path: Path) -> None:
    arguments = [f"run={run.path}", f"input={held_out(run)[0]}", f"output={tmp_path / 'names.csv'}"]
    program = (
        "import sys; from animeid import predict\n"
        f"assert predict.main({arguments!r}) == 0\n"
        f"print(*[name for name in {HEAVY} if name in sys.modules], file=sys.stderr)"
    )
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr
    begins, *notes, imported = found.stderr.splitlines()
    assert begins == "animeid predict: loading its libraries"
    assert all(note.startswith("probabilities are ") for note in notes)
    assert not imported
    with (tmp_path / "names.csv").open(encoding="utf-8") as stream:
        assert len(list(csv.DictReader(stream))) == 1


def test_evaluate_and_predict_take_the_same_settings_by_the_same_names() -> None:
    asked = ("run=x", "accelerator=cpu", "precision=32-true", "batch_size=4", "num_workers=0", "tta=flip")
    evaluating = compose("evaluate", [*asked, "logit_adjustment=auto"])
    predicting = compose("predict", [*asked, "logit_adjustment=auto", "input=y"])
    names = [field.name for field in fields(InferenceRequest)]
    assert len(names) == 7
    assert {name: evaluating[name] for name in names} == {name: predicting[name] for name in names}
    older = compose("evaluate", ["run=x", "trainer.accelerator=cpu", "trainer.precision=bf16-mixed"])
    assert (older["accelerator"], older["precision"]) == ("cpu", "bf16-mixed")
    assert compose("evaluate", ["run=x", "trainer=cpu"])["precision"] == "32-true"


def test_losses_tell_their_traits() -> None:
    lifting = {"class_balanced", "class_balanced_asymmetric", "class_balanced_focal", "class_balanced_poly1", "ldam"}
    lifting |= {"ldam_drw", "online_class_balance", "seesaw"}
    cards = [path.stem for path in (conf_dir() / "loss").glob("*.yaml")]
    for trait, expected in (
        (lifts_rare_classes, lifting),
        (adjusts_by_prior, {"balanced_softmax", "logit_adjustment"}),
    ):
        losses = {name: gateway.part_class(compose("train", [f"loss={name}"])["loss"]) for name in cards}
        assert {name for name, loss in losses.items() if trait(loss)} == expected


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"accelerator": "foo"}, "accelerator"),
        ({"precision": "foo"}, "precision"),
        ({"adjustment": "foo"}, "logit_adjustment"),
        ({"adjustment": -1}, "logit_adjustment"),
        ({"batch_size": 0}, "batch_size"),
        ({"num_workers": -1}, "num_workers"),
        ({"views": "flip"}, "views=flip"),
    ],
)
def test_settings_are_those_of_the_commands(run: RunFolder, settings: dict[str, object], named: str) -> None:
    with pytest.raises(InputError, match=named):
        Predictor.load(run.path, **settings)  # type: ignore[arg-type]


@pytest.mark.parametrize("given", [None, 5, [5], [], [np.zeros((0, 0, 3), np.uint8)]], ids=str)
def test_what_is_no_picture_is_refused(run: RunFolder, given: object) -> None:
    with pytest.raises(InputError, match="picture"):
        Predictor.load(run.path, num_workers=0)(given)  # type: ignore[arg-type]
