"""The reader of a finished run: each file is read once, and says what the file says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.special import softmax
from sklearn.metrics import confusion_matrix

from animeid.data import manifest
from animeid.errors import InputError
from animeid.runs import saved
from animeid.runs.finished import FinishedRun
from animeid.runs.folder import RunFolder
from animeid.system import files
from tests.runs.fake_runs import PARTS, fake_manifest, fake_run

READERS = (
    (files, "read_json"), (saved, "read_json"), (saved, "read_yaml"), (manifest, "read_manifest"),
    (np, "load"), (pd, "read_parquet"), (pd, "read_csv"),
)  # fmt: skip
EVERYTHING = (
    "metrics", "parts", "part", "judged", "named_figures", "training_s", "labels", "plan", "manifest", "environment",
    "skipped", "conflicts", "history", "calibration", "cams", "predictions", "logits", "embeddings", "targets",
    "positions", "worst_positions",
)  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    return fake_run(tmp_path / "run", fake_manifest(tmp_path))


def test_each_file_is_read_once_and_none_before_it_is_asked_for(
    folder: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: Counter[str] = Counter()

    def counting(original: Callable[..., Any]) -> Callable[..., Any]:
        def reader(path: Path, *arguments: Any, **more: Any) -> Any:
            read[path.name] += 1
            return original(path, *arguments, **more)

        return reader

    for owner, attribute in READERS:
        monkeypatch.setattr(owner, attribute, counting(getattr(owner, attribute)))
    run = FinishedRun(folder)
    assert not read
    for _ in range(2):
        for name in EVERYTHING:
            getattr(run, name)
        run.confusion("val"), run.predictions_of("val"), run.class_figures("test"), run.figure("val", "f1_macro")
    expected = {
        "metrics.json", "config.yaml", "labels.json", "manifest.parquet", "environment.json", "skipped.csv",
        "conflicts.csv", "history.csv", "calibration.json", "cams.npz", "predictions.parquet", "logits.npy",
        "embeddings.npy",
    }  # fmt: skip
    assert dict(read) == dict.fromkeys(expected, 1)


@pytest.mark.parametrize(
    ("file", "what"),
    [("metrics", "metrics"), ("predictions", "targets"), ("logits", "logits"), ("embeddings", "embeddings")],
)
def test_what_is_missing_is_said_with_what_to_do(file: str, what: str, folder: RunFolder) -> None:
    path: Path = getattr(folder, file)
    path.unlink()
    with pytest.raises(InputError, match=rf"the run .*run is not finished, for it has no {path.name}: let it go on"):
        getattr(FinishedRun(folder), what)


def test_only_a_judged_run_is_opened(tmp_path: Path, folder: RunFolder) -> None:
    assert FinishedRun.open(folder.path).part == "test"
    without_test = fake_run(tmp_path / "val", fake_manifest(tmp_path, PARTS[:9], "abcdefghi"))
    assert FinishedRun.open(without_test.path).part == "val"
    without_any = fake_run(tmp_path / "none", fake_manifest(tmp_path, PARTS[:6], "abcdef"))
    with pytest.raises(InputError, match="neither a test nor a val part"):
        FinishedRun.open(without_any.path)
    with pytest.raises(InputError, match="there is no run folder"):
        FinishedRun.open(tmp_path / "nowhere")


def test_a_damaged_file_is_said(folder: RunFolder) -> None:
    folder.metrics.write_text("{")
    with pytest.raises(InputError, match=r"metrics\.json cannot be read, for it is damaged"):
        FinishedRun.of(folder)


@pytest.mark.parametrize(
    ("file", "what"),
    [
        ("predictions", "predictions"), ("logits", "logits"), ("embeddings", "embeddings"), ("cams", "cams"),
        ("manifest", "manifest"), ("metrics", "parts"), ("labels", "labels"), ("environment", "environment"),
        ("calibration", "calibration"),
    ],
)  # fmt: skip
def test_half_a_file_is_said_to_be_damaged(folder: RunFolder, file: str, what: str) -> None:
    """As copying to a full disk or a broken download leaves it."""
    path: Path = getattr(folder, file)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(InputError, match=rf"run/{path.name} cannot be read, for it is damaged: put back a copy of it$"):
        getattr(FinishedRun(folder), what)


@pytest.mark.parametrize("file", ["history", "skipped", "conflicts", "metrics", "labels", "environment"])
def test_a_file_that_was_emptied_is_said_to_be_damaged(folder: RunFolder, file: str) -> None:
    getattr(folder, file).write_bytes(b"")
    with pytest.raises(InputError, match=rf"run/{file}\..* cannot be read, for it is damaged: put back a copy of it$"):
        getattr(FinishedRun(folder), file)


def test_a_file_of_the_beginning_that_is_gone_is_said(folder: RunFolder) -> None:
    for name in ("environment", "skipped", "conflicts"):
        getattr(folder, name).unlink()
        with pytest.raises(InputError, match=rf"run/{name}\..* is not there: put back a copy of it$"):
            getattr(FinishedRun(folder), name)


def test_classes_that_were_renamed_are_said(folder: RunFolder) -> None:
    folder.labels.write_text('["another"]')
    with pytest.raises(InputError, match=r"predictions\.parquet names classes that .*labels\.json lacks: put back"):
        _ = FinishedRun(folder).predictions
    folder.labels.write_text('{"a": 1}')
    with pytest.raises(InputError, match=r"labels\.json cannot be read, for it is damaged"):
        _ = FinishedRun(folder).labels


def test_answers_are_the_saved_ones(folder: RunFolder) -> None:
    run, table = FinishedRun(folder), pd.read_parquet(folder.predictions)
    rows = np.flatnonzero(table["split"] == "unknown")
    found = run.predictions_of("unknown")
    assert found.rows.tolist() == [PARTS.index("unknown")]
    np.testing.assert_array_equal(found.logits, np.load(folder.logits)[rows])
    np.testing.assert_array_equal(found.embeddings, np.load(folder.embeddings)[rows])
    assert len(run.positions_in("unknown")) == 0, "a stranger has no class"
    test = table[table["split"] == "test"]
    np.testing.assert_array_equal(
        run.confusion("test").toarray(), confusion_matrix(test["label"], test["predicted"], labels=run.labels)
    )
    chances = softmax(np.load(folder.logits)[test.index], axis=1)[np.arange(len(test)), test["target"]]
    assert run.worst_positions.tolist() == test.index[np.argsort(chances)].tolist()


def test_figures_have_one_name_each(folder: RunFolder) -> None:
    run = FinishedRun(folder)
    assert run.named_figures["test/f1_macro_ci"] == [0.4, 0.6]
    assert (run.named_figures["temperature"], run.named_figures["test/ece_scaled"]) == (1.5, 0.1)
    assert run.training_s == 5.0
    assert run.figure("val", "f1_macro") == 0.5
    assert run.figure("val", "acc_macro") is None
    folder.calibration.unlink()  # as earlier versions left it
    assert "temperature" not in FinishedRun(folder).named_figures
