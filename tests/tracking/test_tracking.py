"""Runs under W&B and TensorBoard, read back from what those wrote."""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import wandb
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from animeid import train
from animeid.data.picture_files import decode
from animeid.errors import InputError
from animeid.explain.overlay import overlay
from animeid.imaging.evaluation import EvalTransform
from animeid.runs.finished import FinishedRun, flatten
from animeid.runs.folder import RunFolder
from animeid.system.files import read_yaml
from animeid.tracking import server as availability
from animeid.tracking.dashboard import BARS, CHOICES, CURVES, GALLERIES, OUTCOMES, STEP
from animeid.tracking.results import read_results
from animeid.tracking.session import tracked
from animeid.tracking.wandb_media import tables
from animeid.tracking.weights_and_biases import WeightsAndBiases, default_group
from experiments.tracking.offline import OfflineRun, entries, offline_runs
from tests.tracking.wandb_stand_in import wandb_stand_in
from tests.training.test_run import NAMES, draw

KEY = "0123456789" * 4
NOWHERE = "http://127.0.0.1:9"
"""Nothing listens there."""

QUICK = (
    "recipe=none",
    "model.name=test_resnet.r160_in1k",
    "model.pretrained=false",
    "data.image_size=32",
    "data.num_workers=0",
    "data.batch_size=16",
    "trainer.max_epochs=2",
    "trainer.log_every_n_steps=1",
    "trainer.precision=32-true",
    "optimizer=sgd",
    "scheduler=constant",
    "trainer.gradient_clip_val=null",
)
ALL_LOGGERS = (
    "logger=wandb_csv",
    'logger.loggers.wandb.tags=["二次元",test]',
    "logger.loggers.tensorboard._target_=animeid.tracking.tensorboard.TensorBoard",
    "logger.loggers.tensorboard._partial_=true",
)


@pytest.fixture(scope="module", autouse=True)
def _own_wandb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """W&B without a key, without a server, and with folders of its own."""
    folder = tmp_path_factory.mktemp("wandb")
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("WANDB_")]:
            patch.delenv(name)
        for name in ("DATA_DIR", "CACHE_DIR", "CONFIG_DIR"):
            patch.setenv(f"WANDB_{name}", str(folder / name))
        patch.setenv("NETRC", str(folder / "netrc"))
        patch.setenv("WANDB_BASE_URL", NOWHERE)
        patch.setenv("WANDB_HTTP_TIMEOUT", "1")
        patch.setattr(availability, "why_offline", asked_once())
        wandb.teardown()
        yield
        wandb.teardown()


def asked_once() -> Callable[[], str | None]:
    """The same server with the same key is asked once: each time a process imports wandb."""
    ask = cache(lambda *_: asked())
    asked = availability.why_offline
    return lambda: ask(os.environ["WANDB_BASE_URL"], os.environ.get("WANDB_API_KEY"))


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A server that takes runs, and a key for it."""
    with wandb_stand_in() as (url, received):
        monkeypatch.setenv("WANDB_BASE_URL", url)
        monkeypatch.setenv("WANDB_API_KEY", KEY)
        wandb.teardown()
        yield received
        wandb.teardown()


@pytest.fixture(scope="module")
def sweep(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[RunFolder], str]:
    """Three jobs of one process, the second of which fails, and what they printed."""
    home = tmp_path_factory.mktemp("home")
    for label, (name, count) in enumerate(zip(NAMES, (24, 16, 12), strict=True)):
        for number in range(count):
            draw(home / "pictures" / name / f"{number} 図.png", label, number)
    arguments = ["-m", "data.root=pictures", "run_id=sweep", "optimizer.lr=1e-3,1e30,2e-3", *QUICK, *ALL_LOGGERS]
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(home)
        printed: list[str] = []
        patch.setattr("animeid.tracking.server.say", printed.append)
        assert train.main(arguments) == 2
    return [RunFolder(home / "outputs" / "sweep" / str(job)) for job in range(3)], "\n".join(printed)


@pytest.fixture(scope="module")
def folder(sweep: tuple[list[RunFolder], str]) -> RunFolder:
    return sweep[0][0]


@pytest.fixture(scope="module")
def record(folder: RunFolder) -> OfflineRun:
    (found,) = records(folder)
    return found


@pytest.fixture
def copy(folder: RunFolder, tmp_path: Path) -> RunFolder:
    """The finished run in a folder that no tracker has seen."""
    path = shutil.copytree(folder.path, tmp_path / "初音 run", ignore=shutil.ignore_patterns("wandb", "tensorboard"))
    return RunFolder(Path(path))


def records(folder: RunFolder) -> list[OfflineRun]:
    """What W&B wrote offline; its process may still be closing the file."""
    deadline = time.monotonic() + 10
    while True:
        found = offline_runs(folder.path)
        if all(run.exit_code is not None for run in found) or time.monotonic() > deadline:
            return found
        time.sleep(0.1)


def table(record: OfflineRun, name: str) -> pd.DataFrame:
    """A logged table, from the file that W&B wrote."""
    (found,) = record.values(name)
    content = json.loads((record.media / found["path"]).read_text(encoding="utf-8"))
    return pd.DataFrame(content["data"], columns=content["columns"])


def track(folder: RunFolder, **options: Any) -> WeightsAndBiases:
    """Logs a finished run's results once more, without training."""
    logger = WeightsAndBiases(folder.path, **options)
    with tracked([logger], folder):
        pass
    return logger


def test_each_job_is_a_finished_run_of_its_own(sweep: tuple[list[RunFolder], str]) -> None:
    found = [records(folder) for folder in sweep[0]]
    assert [len(parts) for parts in found] == [1, 1, 1]
    runs = [run for parts in found for run in parts]
    assert [run.exit_code for run in runs] == [0, 1, 0]
    assert [run.run.display_name for run in runs] == ["0", "1", "2"]
    assert {run.run.run_group for run in runs} == {"sweep"}
    ids = [run.run.run_id for run in runs]
    assert len(set(ids)) == 3
    assert ids == [(folder.path / "wandb" / "run_id.txt").read_text() for folder in sweep[0]]
    assert [run.config["optimizer"]["lr"] for run in runs] == [1e-3, 1e30, 2e-3]


def test_no_key_is_said_once_a_job_and_the_folder_is_whole(sweep: tuple[list[RunFolder], str]) -> None:
    folders, printed = sweep
    assert printed.count("there is no key") == 3
    assert folders[0].metrics.is_file()
    assert folders[2].best.is_file()
    assert not folders[1].metrics.exists()


def test_a_log_that_is_still_written_is_read_up_to_its_last_whole_entry(record: OfflineRun, tmp_path: Path) -> None:
    whole, data = list(entries(record.path)), record.path.read_bytes()
    for length in range(0, len(data), 997):
        part = tmp_path / "part.wandb"
        part.write_bytes(data[:length])
        found = list(entries(part))
        assert found == whole[: len(found)]
        assert len(found) < len(whole)


def test_the_header_and_the_configuration_are_the_runs(record: OfflineRun, folder: RunFolder) -> None:
    assert (record.run.project, record.run.job_type, list(record.run.tags)) == ("animeid", "train", ["二次元", "test"])
    plan = read_yaml(folder.config)
    assert {name: record.config[name] for name in plan} == plan
    assert record.config["environment"] == json.loads(folder.environment.read_text(encoding="utf-8"))


def test_training_figures_are_those_of_the_history(record: OfflineRun, folder: RunFolder) -> None:
    history = pd.read_csv(folder.history)
    for name in ("val/loss", "val/f1_macro", "val/acc_macro", "val/acc_micro"):
        assert record.values(name) == pytest.approx(history[name].tolist(), rel=1e-4)
    assert record.values("train/loss_epoch") == pytest.approx(history["train/loss"].tolist(), rel=1e-4)
    steps = read_yaml(folder.config)["facts"]["total_steps"]
    assert len(record.values("train/loss")) == len(record.values("lr")) == steps
    assert set(record.values("lr")) == {1e-3}


def test_the_summary_is_that_of_metrics_json(record: OfflineRun, folder: RunFolder) -> None:
    metrics = json.loads(folder.metrics.read_text())
    for part in ("val", "test"):
        for name in ("acc_micro", "acc_macro", "f1_macro", "f1_macro_ci", "ece", "nll", "few/f1_macro"):
            assert record.summary[f"{part}/{name}"] == pytest.approx(metrics[part][name])
    assert record.summary["baselines/test/majority/acc_micro"] == metrics["baselines"]["test"]["majority"]["acc_micro"]
    assert record.summary["cost/params"] == metrics["cost"]["params"]


def test_classes_are_a_table_with_their_names(record: OfflineRun, folder: RunFolder) -> None:
    metrics = json.loads(folder.metrics.read_text())
    for part in ("val", "test"):
        found = table(record, f"{part}/per_class")
        assert list(found.columns) == ["label", "support", "precision", "recall", "f1"]
        assert sorted(found["label"]) == sorted(NAMES)
        for row, expected in zip(found.to_dict("records"), metrics[part]["per_class"], strict=True):
            assert row == {name: expected[name] for name in row}


def test_the_confusion_matrix_counts_the_saved_predictions(record: OfflineRun, folder: RunFolder) -> None:
    found = table(record, "test/confusion_matrix_table")
    predictions = pd.read_parquet(folder.predictions)
    for row in found.itertuples():
        same = (predictions["split"] == "test") & (predictions["label"] == row.Actual)
        assert row.nPredictions == (same & (predictions["predicted"] == row.Predicted)).sum() > 0
    assert found["nPredictions"].sum() == (predictions["split"] == "test").sum()


def test_the_worst_answers_have_their_pictures(record: OfflineRun, folder: RunFolder) -> None:
    found = table(record, "test/worst_predictions")
    assert list(found.columns) == ["path", "true", "predicted", "probability", "image", "grad_cam"]
    predictions = pd.read_parquet(folder.predictions)
    test = predictions[predictions["split"] == "test"]
    logits = np.exp(np.load(folder.logits).astype(np.float64))[test.index]
    of_truth = logits[np.arange(len(test)), test["target"]] / logits.sum(axis=1)
    assert found["path"].tolist() == test["path"].to_numpy()[np.argsort(of_truth)].tolist()
    by_path = test.set_index("path")
    for row in found.itertuples():
        assert (row.true, row.predicted) == tuple(by_path.loc[row.path, ["label", "predicted"]])
        assert row.path.startswith(row.true)


def test_the_worst_answers_have_their_heat_maps(record: OfflineRun, folder: RunFolder) -> None:
    found = table(record, "test/worst_predictions")
    row_of = pd.read_parquet(folder.predictions).query("split == 'test'").set_index("path")["row"]
    with np.load(folder.cams) as stored:
        cams = dict(zip(stored["row"].tolist(), stored["cam"], strict=True))
    seen = EvalTransform((32, 32), read_yaml(folder.config)["data"]["crop_pct"])
    (gallery,) = record.values("test/worst_grad_cam")
    for path, name in zip(found["path"], gallery["filenames"], strict=True):
        own = seen(decode(Path(folder.path.parents[2], "pictures", path), 10**6))
        with Image.open(record.media / name) as logged:
            assert np.array_equal(np.asarray(logged), overlay(own, cams[row_of[path]]))
    assert found["grad_cam"].tolist() == found["image"].tolist()  # W&B keeps a table's pictures in its artifact


def test_calibration_is_in_the_summary(record: OfflineRun, folder: RunFolder) -> None:
    found = json.loads(folder.calibration.read_text())
    assert record.summary["temperature"] == pytest.approx(found["temperature"])
    for part in ("val", "test"):
        assert record.summary[f"{part}/ece"] == pytest.approx(found["parts"][part]["ece"])
        assert record.summary[f"{part}/ece_scaled"] == pytest.approx(found["parts"][part]["ece_scaled"])


def test_pictures_are_kept_as_they_are(record: OfflineRun, folder: RunFolder) -> None:
    names = sorted(path.stem for path in folder.figures.glob("*.png"))
    assert "confusion_test" in names
    for name in names:
        (found,) = record.values(f"figures/{name}")
        assert (record.media / found["path"]).read_bytes() == (folder.figures / f"{name}.png").read_bytes()
    (gallery,) = record.values("test/worst_pictures")
    worst = table(record, "test/worst_predictions")
    for path, caption, row in zip(gallery["filenames"], gallery["captions"], worst.itertuples(), strict=True):
        assert caption == f"{row.true} → {row.predicted} ({row.probability:.2f})"
        with (
            Image.open(record.media / path) as logged,
            Image.open(Path(folder.path.parents[2], "pictures", row.path)) as own,
        ):
            assert np.array_equal(np.asarray(logged), np.asarray(own))


def test_the_learning_rate_is_a_curve(record: OfflineRun, folder: RunFolder) -> None:
    rates = pd.read_csv(folder.history)
    assert (
        table(record, "learning_rate_table")[["epoch", "lr"]].to_numpy().tolist()
        == rates[["epochs_done", "lr"]].to_numpy().tolist()
    )


def test_epochs_are_counted_from_one(record: OfflineRun, folder: RunFolder) -> None:
    epochs = len(pd.read_csv(folder.history))
    assert set(record.values("epoch")) == set(range(1, epochs + 1))
    written = EventAccumulator(str(folder.path / "tensorboard")).Reload().Scalars("epoch")
    assert {event.value for event in written} == set(range(1, epochs + 1))


def test_the_best_checkpoint_and_the_manifest_are_artifacts(record: OfflineRun, folder: RunFolder) -> None:
    own = {artifact.type: artifact for artifact in record.artifacts if artifact.type in ("model", "dataset")}
    paths = {kind: {Path(entry.local_path) for entry in own[kind].manifest.contents} for kind in own}
    assert paths == {"model": {folder.best}, "dataset": {folder.manifest, folder.labels}}
    assert "best" in own["model"].aliases
    metadata = json.loads(own["model"].metadata)
    assert metadata["test/f1_macro"] == json.loads(folder.metrics.read_text())["test"]["f1_macro"]


def test_the_csv_file_and_tensorboard_stand_beside_it(folder: RunFolder, record: OfflineRun) -> None:
    rows = list(csv.DictReader((folder.path / "logs" / "metrics.csv").open()))
    assert [float(row["train/loss"]) for row in rows if row["train/loss"]] == pytest.approx(record.values("train/loss"))
    events = EventAccumulator(str(folder.path / "tensorboard")).Reload()
    found = [event.value for event in events.Scalars("train/loss")]
    assert found == pytest.approx(record.values("train/loss"))
    metrics = json.loads(folder.metrics.read_text())
    (final,) = events.Scalars("test/f1_macro")
    assert final.value == pytest.approx(metrics["test"]["f1_macro"])
    assert final.step == read_yaml(folder.config)["facts"]["total_steps"]
    assert len(events.Scalars("val/f1_macro")) == 2
    assert {"figures/confusion_test", "test/worst_00"} <= set(events.Tags()["images"])
    text = events.Tensors("test/worst_00/text_summary")[0].tensor_proto.string_val[0].decode()
    assert any(name in text for name in NAMES)


def test_every_name_of_the_dashboard_is_logged(record: OfflineRun) -> None:
    history = {name for row in record.history for name in row}
    assert {STEP, *CURVES.values()} <= history
    assert {figure for figures in BARS.values() for figure in figures} | set(OUTCOMES) <= set(record.summary)
    assert {key for keys in GALLERIES.values() for key in keys} <= history
    for choice in CHOICES:
        value = record.config
        for key in choice.split("."):
            value = value[key]


def test_a_run_that_goes_on_in_its_folder_keeps_its_id(copy: RunFolder) -> None:
    track(copy, mode="offline")
    track(copy, mode="offline")
    first, second = records(copy)
    assert first.run.run_id == second.run.run_id


def test_what_fails_is_finished_as_failed(copy: RunFolder) -> None:
    with pytest.raises(KeyboardInterrupt), tracked([WeightsAndBiases(copy.path, mode="offline")], copy):
        raise KeyboardInterrupt
    (found,) = records(copy)
    assert found.exit_code == 1
    assert "test/f1_macro" not in found.summary


def test_disabled_writes_nothing(copy: RunFolder) -> None:
    track(copy, mode="disabled")
    assert not list(copy.path.rglob("wandb/*"))


def test_artifacts_can_be_left_out(copy: RunFolder) -> None:
    track(copy, mode="offline", artifacts=False, group="a group")
    (found,) = records(copy)
    assert {artifact.type for artifact in found.artifacts} == {"run_table"}
    assert (found.run.display_name, found.run.run_group) == ("初音 run", "a group")


def test_a_server_that_does_not_answer_is_no_obstacle(
    copy: RunFolder, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WANDB_API_KEY", KEY)
    wandb.teardown()
    assert track(copy).mode == "offline"
    assert f"W&B: {NOWHERE} does not answer" in capsys.readouterr().out
    assert records(copy)[0].exit_code == 0
    with pytest.raises(InputError, match="logger\\.mode=offline"):
        WeightsAndBiases(copy.path, mode="online")
    wandb.teardown()


def test_online_without_a_key_is_refused_before_the_folder_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert train.main(["logger=wandb", "logger.mode=online", "run_id=refused"]) == 2
    assert "there is no key" in capsys.readouterr().err
    assert not (tmp_path / "outputs").exists()


def test_tensorboard_that_is_not_installed_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("animeid.tracking.tensorboard.find_spec", lambda name: None)
    assert train.main(["logger=tensorboard", "run_id=refused"]) == 2
    assert "pip install -e '.[tensorboard]'" in capsys.readouterr().err
    assert not (tmp_path / "outputs").exists()


def test_a_key_and_a_server_make_the_run_online(
    copy: RunFolder, server: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    logger = track(copy, finish_timeout_s=60.0)
    assert logger.mode == "online"
    run_id = (copy.path / "wandb" / "run_id.txt").read_text()
    assert f"/runs/{run_id}" in capsys.readouterr().err
    assert (server.exit_codes, server.unknown) == ({run_id: 0}, [])
    assert server.runs[run_id]["displayName"] == "初音 run"
    assert server.summary(run_id)["test/f1_macro"] == json.loads(copy.metrics.read_text())["test"]["f1_macro"]
    assert server.files_of(f"model-{run_id}") == {"best.ckpt"}


def test_a_run_that_the_server_does_not_take_in_time_goes_offline(
    copy: RunFolder, server: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    server.silent_on.add("UpsertBucket")
    assert track(copy, start_timeout_s=1.0).mode == "offline"
    assert "W&B does not accept the run" in capsys.readouterr().out
    assert records(copy)[-1].exit_code == 0


@pytest.mark.slow
def test_a_server_that_is_lost_before_the_results_does_not_fail_the_run(
    copy: RunFolder, server: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    logger = WeightsAndBiases(copy.path, finish_timeout_s=1.0)
    with tracked([logger], copy):
        server.is_gone = True
    printed = capsys.readouterr().out
    assert "not all results could be logged" in printed
    assert "not everything was sent" in printed
    assert server.exit_codes == {}


@pytest.mark.slow
def test_wandb_sync_sends_an_offline_run_whole(copy: RunFolder, tmp_path: Path, server: Any) -> None:
    track(copy, mode="offline")
    (found,) = records(copy)
    command = [sys.executable, "-m", "wandb", "sync", str(found.path.parent)]
    sent = subprocess.run(command, cwd=tmp_path, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)
    assert sent.returncode == 0, sent.stderr
    run_id = found.run.run_id
    assert (server.exit_codes, server.unknown) == ({run_id: 0}, [])
    assert len(server.history(run_id)) == len(found.history)
    assert server.summary(run_id)["test/f1_macro"] == found.summary["test/f1_macro"]
    assert server.files_of(f"model-{run_id}") == {"best.ckpt"}
    assert server.files_of(f"manifest-{run_id}") == {"manifest.parquet", "labels.json"}
    assert json.loads(server.runs[run_id]["config"])["environment"]["value"] == found.config["environment"]
    media = {name for name in server.uploads if name.startswith("files/media/")}
    assert f"files/{found.values('figures/confusion_test')[0]['path']}" in media
    tables = [name for name in server.uploads if name.endswith("test/per_class.table.json")]
    assert any(NAMES[0] in json.dumps(json.loads(server.uploads[name]), ensure_ascii=False) for name in tables)


def test_results_without_a_test_part_show_the_worst_of_validation(copy: RunFolder) -> None:
    metrics = json.loads(copy.metrics.read_text())
    copy.metrics.write_text(json.dumps({**metrics, "test": None}))
    calibration = json.loads(copy.calibration.read_text())
    copy.calibration.write_text(json.dumps({**calibration, "parts": {"val": calibration["parts"]["val"]}}))
    results = read_results(FinishedRun(copy))
    assert results.worst_part == "val"
    assert set(results.classes) == {"val"}
    assert not any(name.startswith("test/") for name in results.figures)


def test_a_network_without_heat_maps_has_no_column_of_them(copy: RunFolder) -> None:
    copy.cams.unlink()
    assert all(answer.looked_at is None for answer in read_results(FinishedRun(copy)).worst)
    assert list(tables(read_results(FinishedRun(copy)))["test/worst_predictions"].columns)[-1] == "image"


def test_a_picture_that_is_gone_is_said_and_left_out(copy: RunFolder, capsys: pytest.CaptureFixture[str]) -> None:
    table = pd.read_parquet(copy.predictions)
    table.loc[table["split"] == "test", "path"] = "gone.png"
    table.to_parquet(copy.predictions)
    assert read_results(FinishedRun(copy)).worst == []
    assert "gone.png" in capsys.readouterr().out


def test_figures_are_named_by_the_way_to_them() -> None:
    metrics = {"test": {"acc": 0.5, "acc_ci": [0.1, 0.9], "many/acc": None, "n": 3, "per_class": [{"f1": 1.0}]}}
    assert dict(flatten(metrics)) == {"test/acc": 0.5, "test/acc_ci": [0.1, 0.9], "test/n": 3}


@pytest.mark.parametrize(
    ("run_id", "group"),
    [("sweep/0", "sweep"), ("2026-11-22/10-00-00/3", "2026-11-22/10-00-00"), ("a", "a"), (None, None)],
)
def test_the_group_is_the_multirun_or_the_run_id(run_id: str | None, group: str | None) -> None:
    assert default_group(run_id) == group


@pytest.mark.slow
def test_a_run_without_wandb_does_not_import_it() -> None:
    imports = "import sys, animeid.training.run, animeid.models.network"
    code = f"{imports}; print(sorted({{'wandb', 'tensorboard'}} & set(sys.modules)))"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert printed.strip() == "[]"
