"""A run that starts from an earlier one: what is kept by class name, and what is refused or said."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from torch import Tensor

from animeid import evaluate, train
from animeid.assembly.planning import make_plan
from animeid.assembly.run import build
from animeid.config.compose import compose
from animeid.data.duplicates.trained import trained_before
from animeid.data.manifest import Manifest, complete
from animeid.data.prepare import Prepared, prepare
from animeid.data.settings import DataSettings
from animeid.errors import InputError
from animeid.inference.labelled import PUT_ASIDE, TRAINED
from animeid.inference.predictor import Predictor
from animeid.models import published
from animeid.models.backbone import TimmBackbone
from animeid.models.classifier import Classifier
from animeid.models.heads.cosine import CosineHead
from animeid.models.heads.linear import LinearHead
from animeid.models.transfer import move_head
from animeid.optim.optimizers import AdamW, default_learning_rate
from animeid.runs.folder import RunFolder
from animeid.runs.saved import SavedRun
from animeid.system.files import read_yaml
from animeid.training.run import begin

pytestmark = pytest.mark.usefixtures("without_reports")

OLD = ("Asuka", "Rei", "雷电将军")
NEW = ("Kaworu", "Misato", "Rei", "雷电将军")
QUICK = (
    "model.name=test_resnet",
    "data.image_size=32",
    "data.num_workers=0",
    "data.batch_size=8",
    "trainer.max_epochs=1",
    "augment=none",
    "logger=none",
)


def draw(folder: Path, name: str, pictures: int, start: int = 0) -> None:
    (folder / name).mkdir(parents=True, exist_ok=True)
    for number in range(start, start + pictures):
        random = np.random.default_rng([*name.encode(), number])
        noise = random.integers(0, 256, (6, 6, 3), dtype=np.uint8)
        Image.fromarray(noise).resize((40, 40)).save(folder / name / f"{number}.png")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Two folders of pictures, `old` and `new`, and two finished runs on `old`: `first`, and `cosine` by its head."""
    home = tmp_path_factory.mktemp("home")
    for name in OLD:
        draw(home / "old", name, 8)
    for name in NEW:
        draw(home / "new", name, 8)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(home)
        random = ("model.pretrained=false", "data.root=old", "data.refit=false")
        assert train.main([*QUICK, *random, "run_id=first"]) == 0
        assert train.main([*QUICK, *random, "run_id=cosine", "head=cosine"]) == 0
        yield home


@pytest.fixture(autouse=True)
def _offline(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks the hub for weights fails."""

    def asked(*_: Any) -> None:
        raise AssertionError("the hub was asked")

    monkeypatch.setattr(published, "try_to_load_from_cache", asked)
    monkeypatch.setattr(published, "_wait_for_answer", asked)


def run_of(home: Path, name: str = "first") -> RunFolder:
    return RunFolder(home / "outputs" / name)


@pytest.fixture(scope="module")
def new_pictures(home: Path) -> Prepared:
    return prepare(DataSettings(root=str(home / "new")))


@pytest.fixture(scope="module")
def old_pictures(home: Path) -> Prepared:
    return prepare(DataSettings(root=str(home / "old")))


def built(prepared: Prepared, root: str, *overrides: str) -> Any:
    request = compose("train", [*QUICK, f"data.root={root}", *overrides])
    return build(make_plan(request, prepared, "cpu"), prepared)


def logits(model: Classifier) -> Tensor:
    with torch.inference_mode():
        return model.eval()(torch.randn(4, 3, 32, 32, generator=torch.Generator().manual_seed(3))).logits


@pytest.mark.parametrize("head", ["linear", "cosine"])
def test_known_classes_answer_as_before(head: str, home: Path, new_pictures: Prepared) -> None:
    """Before training, the logits of kept classes are those of the earlier run, wherever the class stands now."""
    run = "first" if head == "linear" else "cosine"
    start = built(new_pictures, "new", f"from_run=outputs/{run}", f"head={head}")
    # The head's rows: two kept and moved, two as a fresh head of the same seed has them.
    earlier = Predictor.load(run_of(home, run).path).model.classifier
    before, after = logits(earlier), logits(start.module.model)  # type: ignore[arg-type]
    for name in ("Rei", "雷电将军"):
        torch.testing.assert_close(after[:, NEW.index(name)], before[:, OLD.index(name)])
    assert not torch.allclose(after[:, NEW.index("Misato")], before[:, OLD.index("Asuka")])
    table = start.transfer.table
    classes = table[table["kind"] == "class"].set_index("name")["outcome"].to_dict()
    assert classes == {"Kaworu": "new", "Misato": "new", "Rei": "kept", "雷电将军": "kept", "Asuka": "dropped"}
    tensors = table[table["kind"] == "tensor"].set_index("name")
    by_class = {"head.linear.weight", "head.linear.bias"} if head == "linear" else {"head.weight"}
    assert set(tensors.index[tensors["outcome"] == "by class"]) == by_class
    assert set(tensors.loc[list(by_class), "detail"]) == {"2 of 4 rows"}
    if head == "cosine":
        assert tensors.loc["head.log_scale", "outcome"] == "kept"


def test_the_plan_records_where_weights_come_from(home: Path, new_pictures: Prepared) -> None:
    start = built(new_pictures, "new", "from_run=outputs/first")
    weights = start.plan["facts"]["weights"]
    assert weights["source"] == "run"
    assert weights["classes"] == {"kept": 2, "new": 2, "dropped": 1}
    assert weights["seen"] == {"val": 0, "test": 0}
    assert start.plan["optimizer"]["lr"] == default_learning_rate(AdamW, True, 8)
    said = [note for note in start.notes if "cannot be compared" in note]
    assert len(said) == 1
    assert "2 new (Kaworu, Misato), 1 dropped (Asuka)" in said[0]


def test_a_class_that_is_spelt_otherwise_in_the_run_is_told(home: Path) -> None:
    for name in ("REI", "雷电将军"):
        draw(home / "spelt", name, 4)
    start = built(prepare(DataSettings(root=str(home / "spelt"))), "spelt", "from_run=outputs/first")
    assert any("'REI' and 'Rei'" in note for note in start.notes)


def test_the_same_classes_are_taken_over_whole(home: Path, old_pictures: Prepared) -> None:
    start = built(old_pictures, "old", "from_run=outputs/first")
    stored = torch.load(run_of(home).best, weights_only=True)["state_dict"]
    for name, tensor in start.module.model.state_dict().items():
        assert torch.equal(tensor, stored[f"model.{name}"]), name
    assert not any("cannot be compared" in note for note in start.notes)
    assert start.plan["facts"]["weights"]["seen"] == {"val": 0, "test": 0}, "the same split is no leak"


@pytest.mark.parametrize("root", ["train", "tune", "doctor"])
def test_pictures_that_are_not_named_are_those_of_the_earlier_run(root: str, home: Path) -> None:
    """It was the built-in cast, without a word."""
    data = compose(root, ["from_run=outputs/first"])["data"]
    assert (data["root"], data["image_size"], data["cache"]) == ("old", 32, "auto")
    assert compose(root, ["from_run=outputs/first", "data.split_seed=5"])["data"]["split_seed"] == 5
    assert compose(root, ["from_run=outputs/first", "data.root=new"])["data"]["root"] == "new"
    for drawn in ("data.root=null", "data=synthetic", "data.cast.characters=3"):
        assert compose(root, ["from_run=outputs/first", drawn])["data"]["root"] is None


def test_the_earlier_runs_pictures_are_found_from_another_folder(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "old").mkdir()
    assert compose("train", [f"from_run={run_of(home).path}"])["data"]["root"] == str(home / "old")


def test_a_run_says_that_it_trains_on_the_earlier_runs_pictures(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    quick = [word for word in QUICK if not word.startswith("data.")]
    state = begin(RunFolder(tmp_path / "again"), compose("train", [*quick, "from_run=outputs/first"]))
    pd.testing.assert_frame_equal(state.prepared.manifest.table, SavedRun(run_of(home)).manifest.table)
    assert "the pictures are those of outputs/first: old\n" in capsys.readouterr().out
    begin(RunFolder(tmp_path / "new"), compose("train", [*QUICK, "from_run=outputs/first", "data.root=new"]))
    assert "the pictures are those of" not in capsys.readouterr().out


def test_gradual_unfreezing_reaches_a_run(home: Path) -> None:
    gradual = ("freezing=gradual", "freezing.every=2", "trainer.max_epochs=2")
    assert train.main([*QUICK, "data.root=new", "from_run=outputs/first", "run_id=gradual", "keep=all", *gradual]) == 0
    before, after = (
        torch.load(path, weights_only=True)["state_dict"] for path in (run_of(home).best, run_of(home, "gradual").last)
    )
    backbone = [name for name in after if name.startswith("model.backbone.")]
    assert all(torch.equal(before[name], after[name]) for name in backbone)
    assert len(torch.load(run_of(home, "gradual").last, weights_only=True)["optimizer_states"][0]["state"]) == 2


def test_lora_leaves_a_run_that_needs_no_peft(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    random = ("model.pretrained=false", "model.name=test_vit", "data.root=old")
    assert train.main([*QUICK, *random, "run_id=lora", "keep=all", "freezing=lora", "optimizer.layer_decay=0.8"]) == 0
    assert "WARNING: the frozen weights of test_vit are RANDOM" in capsys.readouterr().out
    run = run_of(home, "lora")
    assert not any("lora" in name for name in torch.load(run.best, weights_only=True)["state_dict"])
    assert any("lora" in name for name in torch.load(run.last, weights_only=True)["state_dict"])
    monkeypatch.setitem(sys.modules, "peft", None)
    assert evaluate.main([f"run={run.path}"]) == 0
    saved = pd.read_parquet(run.predictions)
    again = RunFolder(run.path / "evaluations" / "test")
    np.testing.assert_allclose(
        np.load(again.logits), np.load(run.logits)[(saved["split"] == "test").to_numpy()], rtol=1e-4, atol=1e-5
    )


def test_a_backbone_alone_takes_a_new_head(home: Path, new_pictures: Prepared) -> None:
    with pytest.raises(InputError, match=r"has a LinearHead and this run a CosineHead: .*from_run_parts=backbone"):
        built(new_pictures, "new", "from_run=outputs/first", "head=cosine")
    start = built(new_pictures, "new", "from_run=outputs/first", "head=cosine", "from_run_parts=backbone")
    stored = torch.load(run_of(home).best, weights_only=True)["state_dict"]
    for name, tensor in start.module.model.backbone.state_dict().items():
        assert torch.equal(tensor, stored[f"model.backbone.{name}"]), name
    classes = start.plan["facts"]["weights"]["classes"]
    assert classes == {"kept": 0, "new": 4, "dropped": 1}
    fresh = built(new_pictures, "new", "from_run=outputs/first", "from_run_parts=backbone").module.model.head
    assert not any(torch.equal(row, old) for row in fresh.linear.weight for old in stored["model.head.linear.weight"])


def test_a_run_on_other_classes_trains_and_lists_what_it_took(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert train.main([*QUICK, "data.root=new", "from_run=outputs/first", "run_id=second", "keep=all"]) == 0
    out = capsys.readouterr().out
    assert out.count("cannot be compared") == 1
    assert "head.linear.weight  by class  2 of 4 rows" in out
    second = run_of(home, "second")
    table = pd.read_csv(second.transfer)
    assert list(table.columns) == ["kind", "name", "outcome", "detail"]
    assert read_yaml(second.config)["facts"]["weights"]["run"].endswith("first")
    assert read_yaml(second.config)["model"]["pretrained"] == "auto"
    predictor = Predictor.load(second.path)
    plan = predictor.plan
    assert predictor.stats.names == NEW
    assert predictor.model.classifier.head.linear.out_features == 4  # type: ignore[union-attr]
    last = torch.load(second.last, weights_only=True)
    assert last["epoch"] == 0
    assert {float(state["step"]) for state in last["optimizer_states"][0]["state"].values()} == {
        float(plan["facts"]["total_steps"])
    }, "the optimiser begins anew"
    first = run_of(home)
    assert not first.transfer.exists()


def test_training_pictures_of_the_earlier_run_are_refused_as_test(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest = pd.read_parquet(run_of(home).manifest)
    for part, taken in (("test", "train"), ("train", "val"), ("val", "test")):
        for row in manifest[manifest["split"] == taken].itertuples():
            target = tmp_path / "swapped" / part / row.label / Path(row.path).name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(home / "old" / row.path, target)
    command = [*QUICK, f"data.root={tmp_path / 'swapped'}", "from_run=outputs/first"]
    assert train.main([*command, "run_id=leaks"]) == 2
    error = capsys.readouterr().err
    assert f"of the test part, {(manifest['split'] == 'train').sum()} pictures were in the training of" in error
    assert "data.leaks=report" in error
    assert not run_of(home, "leaks").path.exists()
    assert train.main([*command, "run_id=leaks", "data.leaks=report"]) == 0
    assert "the figures of test are better than they would be" in capsys.readouterr().out


@pytest.mark.slow
def test_a_grandparents_training_pictures_are_found_by_every_command(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train.main([*QUICK, "data.root=new", "from_run=outputs/first", "run_id=child"]) == 0
    trained = pd.read_parquet(run_of(home).manifest).query("split == 'train' and label == 'Asuka'")["path"]
    for name in ("Rei", "Misato"):
        for part in ("train", "test"):
            draw(tmp_path / "third" / part, name, 4, start=100 if part == "train" else 200)
    for number, path in enumerate(trained):
        Image.open(home / "old" / path).save(tmp_path / "third" / "test" / "Misato" / f"copy {number}.bmp")
    for origin in ("from_run=outputs/child", "model.weights=outputs/child/checkpoints/best.ckpt"):
        assert train.main([*QUICK, f"data.root={tmp_path / 'third'}", origin, "run_id=third"]) == 2
        error = capsys.readouterr().err
        assert f"of the test part, {len(trained)} pictures were in the training of outputs/first" in error
    # One picture under two names is in no part, and so is not judged.
    for name in ("Rei", "Misato"):
        draw(tmp_path / "both", "same", 1)
        shutil.copy(tmp_path / "both" / "same" / "0.png", tmp_path / "third" / "test" / name / "same.png")
    assert evaluate.main(["run=outputs/child", f"data.root={tmp_path / 'third' / 'test'}"]) == 0
    judged = RunFolder(run_of(home, "child").path / "evaluations" / "test")
    assert len(pd.read_parquet(judged.predictions)) == 8
    reasons = pd.read_csv(judged.skipped).set_index("path")["reason"]
    assert set(reasons.filter(like="copy").unique()) == {TRAINED}
    assert reasons[["Rei/same.png", "Misato/same.png"]].tolist() == [PUT_ASIDE] * 2


def test_changed_pictures_of_a_run_are_named(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = pd.read_parquet(run_of(home).manifest).query("split == 'test'")["path"].iloc[0]
    before = (home / "old" / path).read_bytes()
    assert evaluate.main(["run=outputs/first"]) == 0
    assert "what the run was made with" not in capsys.readouterr().out
    try:
        Image.new("RGB", (40, 40)).save(home / "old" / path)
        assert evaluate.main(["run=outputs/first"]) == 0
    finally:
        (home / "old" / path).write_bytes(before)
    said = capsys.readouterr().out
    assert "WARNING: 1 file is not what the run was made with" in said
    assert path in said


def test_what_cannot_be_started_from_is_told_before_data_is_read(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    nothing = tmp_path / "nothing"  # refused once it is read
    nothing.mkdir()
    weights = tmp_path / "some.pth"
    weights.touch()
    for overrides, message in (
        (("from_run=outputs/none",), "there is no run folder"),
        (
            ("from_run=outputs/first", "model.name=resnet10t"),
            "model.name=test_resnet, whose weights do not fit model.name=resnet10t",
        ),
        (("from_run=outputs/first", "model.pretrained=true"), "from_run and model.pretrained=true both say"),
        (("from_run=outputs/first", f"model.weights={weights}"), "from_run and model.weights both say"),
        (("from_run=outputs/first", "from_run_parts=head"), "from_run_parts"),
    ):
        assert train.main([*QUICK, f"data.root={nothing}", *overrides]) == 2
        assert message in capsys.readouterr().err


def save_head(path: Path, model: Classifier) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save({"state_dict": {f"model.{name}": tensor for name, tensor in model.state_dict().items()}}, path)
    return path


def classifier(head: Any) -> Classifier:
    return Classifier(TimmBackbone("test_resnet", (32, 32), pretrained=False), head)


class Deep(torch.nn.Module):
    """A head with a hidden layer, class vectors and a table by class."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.hidden = torch.nn.Linear(4, len(OLD))
        self.vectors = torch.nn.Parameter(torch.randn(classes, 2, 3))
        self.register_buffer("seen", torch.rand(classes))


def test_any_tensor_by_class_goes_with_the_names(tmp_path: Path) -> None:
    earlier, model = classifier(Deep(3)), classifier(Deep(4))
    fresh = model.head.vectors.detach().clone()
    rows = {row.name: row.outcome for row in move_head(model, save_head(tmp_path / "a.ckpt", earlier), OLD, NEW)}
    assert rows == {
        "head.hidden.weight": "kept",
        "head.hidden.bias": "kept",
        "head.vectors": "by class",
        "head.seen": "by class",
    }
    for name in ("Rei", "雷电将军"):
        here, there = NEW.index(name), OLD.index(name)
        assert torch.equal(model.head.vectors[here], earlier.head.vectors[there])
        assert torch.equal(model.head.seen[here], earlier.head.seen[there])
    assert torch.equal(model.head.vectors[0], fresh[0])
    assert torch.equal(model.head.hidden.weight, earlier.head.hidden.weight)


@pytest.mark.parametrize("head", [CosineHead(32, 4), LinearHead(16, 4)], ids=["kind", "size"])
def test_another_head_is_refused(head: Any, tmp_path: Path) -> None:
    path = save_head(tmp_path / "a.ckpt", classifier(LinearHead(32, 3)))
    with pytest.raises(InputError, match="take from_run_parts=backbone"):
        move_head(classifier(head), path, OLD, NEW)


def manifest(root: Path, rows: list[tuple[str, str, str, str]]) -> Manifest:
    table = pd.DataFrame(rows, columns=["path", "split", "group", "sha256"])
    return Manifest(complete(table.assign(label="a")), root)


def test_copies_and_their_groups_count_as_trained_on(tmp_path: Path) -> None:
    run = manifest(tmp_path / "a", [("1", "train", "g", "x"), ("2", "val", "h", "y"), ("3", "train", "i", "")])
    rows = [("p", "test", "k", "x"), ("q", "test", "k", "other"), ("r", "val", "h", "y"), ("s", "test", "g", "z")]
    elsewhere, same = manifest(tmp_path / "b", rows), manifest(tmp_path / "a", rows)
    none = np.zeros(4, dtype=bool)
    assert trained_before(elsewhere, run, none, 100, None).rows.tolist() == [True, True, False, False]
    assert trained_before(same, run, none, 100, None).rows.tolist() == [True, True, False, True]
