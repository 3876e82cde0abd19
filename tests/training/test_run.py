"""The main job end to end, on small real files: train, evaluate, predict."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image, ImageDraw
from torch import nn

from animeid import evaluate, predict, train
from animeid.predictions import softmax
from animeid.runs.folder import RunFolder
from animeid.runs.saved import SavedRun
from animeid.runs.temperature import usable_temperature
from tests.small_runs import QUICK

NAMES = ("初音ミク", "Tom & Jerry", "レミリア スカーレット")
RUN = (*QUICK, "trainer.max_epochs=2")
Command = Callable[..., int]


def draw(path: Path, label: int, number: int) -> None:
    """A picture whose shape tells its class, each with another place, size and colours."""
    random = np.random.default_rng([label, number])
    ground, ink = (tuple(int(value) for value in random.integers(0, 256, 3)) for _ in range(2))
    # A pattern of its own, so that no two pictures of a class are near duplicates.
    coarse = Image.fromarray(random.integers(0, 256, (5, 5, 3), dtype=np.uint8)).resize((48, 48))
    image = Image.blend(Image.new("RGB", (48, 48), ground), coarse, 0.6)
    pen = ImageDraw.Draw(image)
    left, top, size = (int(value) for value in random.integers((2, 2, 18), (14, 14, 30)))
    box = (left, top, left + size, top + size)
    if label == 0:
        pen.ellipse(box, fill=ink)
    elif label == 1:
        pen.rectangle(box, outline=ink, width=4)
    else:
        pen.line(box, fill=ink, width=6)
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three characters with 24, 16 and 12 pictures, and two files that are none."""
    root = tmp_path_factory.mktemp("my pictures")
    for label, (name, count) in enumerate(zip(NAMES, (24, 16, 12), strict=True)):
        for number in range(count):
            draw(root / name / f"{number} 図.png", label, number)
    (root / NAMES[0] / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n broken")
    (root / NAMES[1] / "empty.jpg").write_bytes(b"")
    return root


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(autouse=True)
def _in_home(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(home)


@pytest.fixture(scope="module")
def run(pictures: Path, home: Path) -> RunFolder:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(home)
        assert train.main([f"data.root={pictures}", "run_id=first", *RUN]) == 0
    return RunFolder(home / "outputs" / "first")


def weights(folder: RunFolder) -> dict[str, torch.Tensor]:
    return torch.load(folder.best, weights_only=True)["state_dict"]


def test_a_run_leaves_what_the_design_lists(run: RunFolder) -> None:
    files = ("request", "config", "manifest", "skipped", "labels", "environment", "history", "best")
    outcome = ("predictions", "logits", "embeddings", "metrics")
    assert [name for name in (*files, *outcome) if not getattr(run, name).is_file()] == []
    assert SavedRun(run).labels == tuple(sorted(NAMES))
    assert sorted(picture.suffix for picture in run.figures.iterdir())[0] == ".png"


def test_the_plan_has_no_auto_left_to_guess(run: RunFolder) -> None:
    from animeid.system.files import read_yaml

    plan = read_yaml(run.config)
    for group, key in (("data", "batch_size"), ("trainer", "precision"), ("optimizer", "lr"), ("data", "image_size")):
        assert plan[group][key] != "auto"
    assert plan["facts"]["weights"]["source"] == "random"
    assert read_yaml(run.request)["data"]["batch_size"] == "auto"


def test_skipped_files_are_listed_with_their_reason(run: RunFolder) -> None:
    skipped = pd.read_csv(run.skipped)
    assert sorted(Path(path).name for path in skipped["path"]) == ["broken.png", "empty.jpg"]
    assert skipped["reason"].notna().all()


def test_figures_have_the_designs_names(run: RunFolder) -> None:
    metrics = json.loads(run.metrics.read_text())
    assert set(metrics) == {"val", "test", "baselines", "cost"}
    names = {"acc_micro", "acc_macro", "f1_macro", "f1_weighted", "top5", "ece", "nll", "loss", "per_class"}
    assert names <= set(metrics["test"])
    assert {"train_s", "images_per_s", "peak_mem", "params", "size_mb", "latency_ms"} == set(metrics["cost"])
    assert set(metrics["baselines"]["test"]) == {"majority", "colour_histogram"}


def test_figures_can_be_recomputed_from_saved_logits(run: RunFolder) -> None:
    table = pd.read_parquet(run.predictions)
    test = (table["split"] == "test").to_numpy()
    logits = np.load(run.logits)[test]
    accuracy = (logits.argmax(1) == table["target"].to_numpy()[test]).mean()
    assert json.loads(run.metrics.read_text())["test"]["acc_micro"] == pytest.approx(accuracy)
    assert len(table) == len(np.load(run.embeddings))


def test_no_group_crosses_parts(run: RunFolder) -> None:
    manifest = pd.read_parquet(run.manifest)
    assert (manifest.groupby("group")["split"].nunique() == 1).all()
    assert {"train", "val", "test"} == set(manifest["split"])


def test_history_has_a_row_an_epoch(run: RunFolder) -> None:
    rows = list(csv.DictReader(run.history.open()))
    assert [row["epoch"] for row in rows] == ["0", "1"]
    assert all(float(row["train/loss"]) > 0 and float(row["val/f1_macro"]) >= 0 for row in rows)


def test_a_finished_run_keeps_its_best_weights_and_no_state_of_the_optimiser(run: RunFolder) -> None:
    assert [path.name for path in run.checkpoints.iterdir()] == ["best.ckpt"]
    best = torch.load(run.best, weights_only=True)
    assert best["hyper_parameters"]["labels"] == list(SavedRun(run).labels)
    assert "optimizer_states" not in best


def test_a_finished_folder_is_refused(run: RunFolder, pictures: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = run.metrics.read_bytes()
    assert train.main([f"data.root={pictures}", "run_id=first", *RUN]) == 2
    assert "never overwritten" in capsys.readouterr().err
    assert run.metrics.read_bytes() == before


def test_the_last_line_names_the_folder(pictures: Path, capsys: pytest.CaptureFixture[str], home: Path) -> None:
    arguments = [f"data.root={pictures}", "run_id=named", *RUN, "trainer.max_epochs=1", "embeddings=off"]
    assert train.main(arguments) == 0
    last = capsys.readouterr().out.strip().splitlines()[-1]
    assert last.endswith(str(Path("outputs") / "named"))


def test_training_pictures_are_answered_unless_they_are_left_out(run: RunFolder, home: Path) -> None:
    """In the run before this one they were; the page has all but their neighbours."""
    without = RunFolder(home / "outputs" / "named")
    tables = {name: pd.read_parquet(folder.predictions) for name, folder in (("with", run), ("without", without))}
    assert set(tables["with"]["split"]) == {"train", "val", "test"}
    assert set(tables["without"]["split"]) == {"val", "test"}
    assert len(np.load(without.logits)) == len(np.load(without.embeddings)) == len(tables["without"])
    pages = {name: folder.report.read_text(encoding="utf-8") for name, folder in (("with", run), ("without", without))}
    for told in ('<p class="strip near"><span>', "training pictures that the model finds most alike"):
        assert [told in pages[name] for name in ("with", "without")] == [True, False]
    assert json.loads(without.metrics.read_text())["baselines"]["test"].keys() == {"majority", "colour_histogram"}
    assert (without.figures / "f1_by_size_test.png").is_file(), "sizes of classes are known without answers"


@pytest.mark.usefixtures("without_report")
def test_one_seed_gives_equal_weights_and_predictions_with_0_or_2_workers(
    run: RunFolder, pictures: Path, home: Path
) -> None:
    assert train.main([f"data.root={pictures}", "run_id=again", *RUN, "data.num_workers=2", "keep=all"]) == 0
    again = RunFolder(home / "outputs" / "again")
    assert torch.load(again.last, weights_only=True)["epoch"] == 1
    assert again.previous.is_file()
    assert all(torch.equal(value, weights(again)[name]) for name, value in weights(run).items())
    assert np.array_equal(np.load(run.logits), np.load(again.logits))


@pytest.mark.usefixtures("without_report")
def test_the_seed_moves_training_and_not_the_split(run: RunFolder, pictures: Path, home: Path) -> None:
    assert train.main([f"data.root={pictures}", "run_id=other", *RUN, "seed=2"]) == 0
    other = RunFolder(home / "outputs" / "other")
    assert pd.read_parquet(run.manifest)["split"].equals(pd.read_parquet(other.manifest)["split"])
    assert not np.array_equal(np.load(run.logits), np.load(other.logits))


def test_evaluating_again_gives_the_same_figures(run: RunFolder) -> None:
    assert evaluate.main([f"run={run.path}"]) == 0
    again = json.loads((run.path / "evaluations" / "test" / "metrics.json").read_text())
    before = json.loads(run.metrics.read_text())
    for name in ("acc_micro", "acc_macro", "f1_macro", "nll"):
        assert again["test"][name] == pytest.approx(before["test"][name], rel=1e-5)


def test_new_pictures_are_matched_by_name_and_seen_ones_left_out(
    run: RunFolder, pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(100, 106):
        draw(tmp_path / "new" / NAMES[2] / f"{number}.png", 2, number)
        draw(tmp_path / "new" / NAMES[0] / f"{number}.png", 0, number)
    draw(tmp_path / "new" / "a stranger" / "1.png", 1, 200)
    manifest = pd.read_parquet(run.manifest)
    seen = manifest[(manifest["split"] == "train") & (manifest["label"] == NAMES[0])]["path"].iloc[0]
    (tmp_path / "new" / NAMES[0] / "seen.png").write_bytes((pictures / seen).read_bytes())
    assert evaluate.main([f"run={run.path}", f"data.root={tmp_path / 'new'}"]) == 0
    folder = RunFolder(run.path / "evaluations" / "new")
    metrics = json.loads(folder.metrics.read_text())
    assert metrics["test"]["support"] == 12
    left_out = pd.read_csv(folder.skipped)
    assert len(left_out) == 2
    assert "a stranger" in capsys.readouterr().out


def test_pictures_without_a_class_are_not_judged_and_parts_are_judged_together(
    run: RunFolder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    parts = {"1": "train", "2": "val", "3": "test", "4": "unknown", "5": "test"}
    for number in parts:
        draw(tmp_path / f"{number}.png", 2, 300 + int(number))
    rows = [f"{number}.png,{'' if number == '5' else NAMES[2]},{part}\n" for number, part in parts.items()]
    (tmp_path / "n.csv").write_text("".join(["path,label,split\n", *rows]), encoding="utf-8")
    assert evaluate.main([f"run={run.path}", f"data.root={tmp_path / 'n.csv'}"]) == 0
    told = capsys.readouterr().out
    assert "not judged, for no label says what they are: 2 pictures" in told
    assert "pictures of the parts test, train, val are judged together" in told
    assert "does not know" not in told
    folder = RunFolder(run.path / "evaluations" / "n.csv")
    assert json.loads(folder.metrics.read_text())["test"]["support"] == 3
    assert set(pd.read_csv(folder.skipped)["reason"]) == {"it has no label, or is in the part unknown"}


def test_seen_pictures_can_be_refused(run: RunFolder, pictures: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert evaluate.main([f"run={run.path}", f"data.root={pictures}", "data.leaks=fail"]) == 2
    assert "training" in capsys.readouterr().err


def test_prediction_names_pictures_and_survives_broken_files(run: RunFolder, pictures: Path, tmp_path: Path) -> None:
    output = tmp_path / "names.csv"
    assert predict.main([f"run={run.path}", f"input={pictures}", f"output={output}", "top_k=2"]) == 0
    rows = list(csv.DictReader(output.open()))
    assert len(rows) == 54
    broken = [row for row in rows if row["error"]]
    assert sorted(Path(row["path"]).name for row in broken) == ["broken.png", "empty.jpg"]
    assert all(row["label_1"] == "" for row in broken)
    named = [row for row in rows if not row["error"]]
    assert all(row["label_1"] in NAMES and row["label_2"] in NAMES for row in named)
    assert all(float(row["probability_1"]) >= float(row["probability_2"]) for row in named)


def test_prediction_takes_names_that_are_no_text(run: RunFolder, pictures: Path, tmp_path: Path) -> None:
    picture = next((pictures / NAMES[2]).glob("*.png")).read_bytes()
    odd = os.fsencode(tmp_path) + b"/in/caf\xe9.png"
    (tmp_path / "in").mkdir()
    try:
        Path(os.fsdecode(odd)).write_bytes(picture)
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    for ending in ("csv", "jsonl"):
        output = tmp_path / f"names.{ending}"
        assert predict.main([f"run={run.path}", f"input={tmp_path / 'in'}", f"output={output}"]) == 0
        assert "caf\\xe9.png" in output.read_text(encoding="utf-8").replace("\\\\", "\\")


@pytest.mark.slow
def test_a_reader_that_has_enough_ends_prediction_quietly(run: RunFolder, pictures: Path) -> None:
    """As `| head -1`: the pipe is closed before the answers are written."""
    read, write = os.pipe()
    os.close(read)
    command = [sys.executable, "-m", "animeid.predict", f"run={run.path}", f"input={pictures / NAMES[2]}"]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    try:
        done = subprocess.run(command, stdout=write, stderr=subprocess.PIPE, text=True, env=environment, check=False)
    finally:
        os.close(write)
    said = [line for line in done.stderr.splitlines() if not line.startswith("probabilities are ")]
    assert (done.returncode, said) == (0, ["animeid predict: loading its libraries"])


def test_prediction_agrees_with_the_runs_own(run: RunFolder, pictures: Path, tmp_path: Path) -> None:
    table = pd.read_parquet(run.predictions)
    row = table[table["split"] == "test"].iloc[0]
    output = tmp_path / "names.jsonl"
    assert predict.main([f"run={run.path}", f'input="{pictures / row["path"]}"', f"output={output}"]) == 0
    answer = json.loads(output.read_text())
    assert answer["names"][0]["label"] == row["predicted"]
    temperature, _ = usable_temperature(SavedRun(run), "it")
    logits = np.load(run.logits)[row.name] / temperature
    assert answer["names"][0]["probability"] == pytest.approx(float(softmax(logits[None]).max()), rel=1e-4)


def test_prediction_refuses_what_it_cannot_do(
    run: RunFolder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "broken.png").write_bytes(b"no picture")
    assert predict.main([f"run={run.path}", f"input={tmp_path / 'nothing'}"]) == 2
    assert "no picture is found" in capsys.readouterr().err
    assert predict.main([f"run={run.path}", f"input={tmp_path}", f"output={tmp_path / 'x.txt'}"]) == 2
    assert ".jsonl" in capsys.readouterr().err
    assert predict.main([f"run={tmp_path}", f"input={tmp_path}"]) == 2
    assert "finished run" in capsys.readouterr().err
    assert predict.main([f"run={run.path}", f"input={tmp_path}"]) == 2
    assert "none of 1 file" in capsys.readouterr().err


def test_a_loss_that_is_not_finite_ends_the_run_with_a_sentence(
    pictures: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wild = ("optimizer=sgd", "optimizer.lr=1e30", "scheduler=constant", "trainer.gradient_clip_val=null")
    assert train.main([f"data.root={pictures}", "run_id=wild", *RUN, *wild]) == 2
    assert "optimizer.lr" in capsys.readouterr().err


def test_a_multirun_trains_every_combination(pictures: Path, home: Path) -> None:
    sweep = ("-m", "run_id=sweep", "loss=focal,class_balanced", "trainer.max_epochs=1")
    assert train.main([f"data.root={pictures}", *RUN[:-1], *sweep]) == 0
    assert [RunFolder(home / "outputs" / "sweep" / job).metrics.is_file() for job in ("0", "1")] == [True, True]


def test_unknown_pictures_are_answered_and_not_judged(pictures: Path, home: Path, tmp_path: Path) -> None:
    for label, name in enumerate(NAMES):
        for number in range(12):
            draw(tmp_path / "train" / name / f"{number}.png", label, 300 + number)
    for number in range(5):
        draw(tmp_path / "unknown" / f"{number}.png", 1, 900 + number)
    assert train.main([f"data.root={tmp_path}", "run_id=unknown", *RUN, "trainer.max_epochs=1"]) == 0
    folder = RunFolder(home / "outputs" / "unknown")
    table = pd.read_parquet(folder.predictions)
    strangers = table[table["split"] == "unknown"]
    assert len(strangers) == 5
    assert (strangers["target"] == -1).all()
    assert strangers["loss"].isna().all()
    metrics = json.loads(folder.metrics.read_text())
    assert metrics["test"] is None
    assert metrics["val"] is not None


def test_classes_too_small_to_be_split_are_trained_without_validation(
    tmp_path: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for label, name in enumerate(NAMES):
        for number in range(2):
            draw(tmp_path / name / f"{number}.png", label, 700 + number)
    data = (f"data.root={tmp_path}", *RUN)
    assert train.main([*data, "run_id=tiny"]) == 0
    metrics = json.loads((home / "outputs" / "tiny" / "metrics.json").read_text())
    assert metrics["val"] is metrics["test"] is None
    assert "no val part" in capsys.readouterr().out
    assert train.main([*data, "run_id=tiny2", "scheduler=reduce_on_plateau"]) == 2
    assert "no val part" in capsys.readouterr().err
    assert train.main([*data, "run_id=tiny3", "callbacks.patience=2"]) == 2
    assert "validation part" in capsys.readouterr().err


def test_a_figure_that_does_not_exist_cannot_be_followed(capsys: pytest.CaptureFixture[str]) -> None:
    assert train.main(["callbacks.monitor=val/f1"]) == 2
    assert "val/f1_macro" in capsys.readouterr().err


@pytest.mark.usefixtures("without_report")
def test_the_pixel_cache_changes_nothing_but_speed(pictures: Path, tmp_path: Path, monkeypatch) -> None:
    """Also `data.cache` may be another one when a run goes on."""
    monkeypatch.chdir(tmp_path)
    arguments = [f"data.root={pictures}", *RUN, "trainer.max_epochs=1", "augment=basic"]
    assert train.main([*arguments, "run_id=files"]) == 0
    for workers in (0, 1):
        cached = [*arguments, f"data.num_workers={workers}", f"run_id=cached{workers}"]
        assert train.main([*cached, "data.cache=my cache"]) == 0
        folders = [RunFolder(Path("outputs") / name) for name in ("files", f"cached{workers}")]
        states = [torch.load(folder.best, weights_only=True)["state_dict"] for folder in folders]
        assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])
        assert np.array_equal(*(np.load(folder.logits) for folder in folders))
    assert len(list(Path("my cache").rglob("*.pixels"))) == 1
    assert train.main([*cached, "data.cache=off", "resume=must"]) == 0


@pytest.mark.usefixtures("without_report")
def test_that_first_epochs_are_in_another_precision_is_said(
    pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`resizing=progressive` begins with half of the 32 px."""
    monkeypatch.chdir(tmp_path)
    seen: set[tuple[int, bool]] = set()
    forward = nn.Conv2d.forward

    def watched(self: nn.Conv2d, image: torch.Tensor) -> torch.Tensor:
        if self.training and image.shape[1] == 3:
            seen.add((image.shape[-1], torch.is_autocast_enabled("cpu")))
        return forward(self, image)

    monkeypatch.setattr(nn.Conv2d, "forward", watched)
    asked = [f"data.root={pictures}", *QUICK, "trainer.precision=bf16-mixed", "trainer.max_epochs=1", "test=false"]
    assert train.main([*asked, "resizing=progressive", "run_id=small"]) == 0
    assert "computing on cpu in bf16-mixed, pictures as small as 16 px in 32-true" in capsys.readouterr().out
    assert train.main([*asked, "run_id=whole"]) == 0
    assert "px in 32-true" not in capsys.readouterr().out
    assert seen == {(16, False), (32, True)}
