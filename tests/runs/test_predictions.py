"""Answers on disk: as they come, in blocks, and never whole in memory."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from animeid import predictions
from animeid.predictions import Predictions, join, merge
from animeid.runs.finished import FinishedRun
from animeid.runs.folder import RunFolder
from animeid.runs.predictions import save_predictions, save_table, write_answers
from tests.runs.fake_runs import LABELS, fake_manifest, fake_run

MIB = 2**20


def answers_for(rows: np.ndarray, classes: int, seed: int = 0) -> Predictions:
    random = np.random.default_rng(seed)
    values = random.standard_normal((len(rows), classes + 4), np.float32)
    return Predictions(rows, values[:, :classes], values[:, classes:], random.random(len(rows)).astype(np.float32))


def equal(one: Predictions, other: Predictions) -> bool:
    return all(np.array_equal(vars(one)[name], vars(other)[name]) for name in vars(one))


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two rows of a fake run's answers at once."""
    monkeypatch.setattr(predictions, "BLOCK_BYTES", 2 * 4 * (len(LABELS) + 4))


def test_answers_are_written_as_they_come_and_read_back_by_part(tmp_path: Path) -> None:
    val, test = answers_for(np.arange(7), 3), answers_for(np.arange(20, 25), 3, seed=1)
    parts = {"val": iter([val.at(slice(0, 4)), val.at(slice(4, 7))]), "test": iter([test]), "unknown": iter([])}
    found = write_answers(tmp_path / "logits.npy", tmp_path / "embeddings.npy", parts)
    assert list(found) == ["val", "test", "unknown"]
    assert equal(found["val"], val) and equal(found["test"], test)
    assert len(found["unknown"].rows) == 0
    assert np.array_equal(np.load(tmp_path / "logits.npy"), np.concatenate([val.logits, test.logits]))
    assert np.load(tmp_path / "embeddings.npy").dtype == np.float32


def test_no_answers_at_all_are_files_too(tmp_path: Path) -> None:
    found = write_answers(tmp_path / "logits.npy", tmp_path / "embeddings.npy", {})
    assert found == {}
    assert np.load(tmp_path / "logits.npy").shape == (0, 0)
    folder = RunFolder(tmp_path)
    save_table(folder, found, fake_manifest(tmp_path), LABELS)
    assert pd.read_parquet(folder.predictions).empty


def test_rows_of_another_width_are_a_mistake(tmp_path: Path) -> None:
    parts = {"val": [answers_for(np.arange(2), 3), answers_for(np.arange(2), 4)]}
    with pytest.raises(ValueError, match="a row of 4 values cannot follow rows of 3"):
        write_answers(tmp_path / "logits.npy", tmp_path / "embeddings.npy", parts)
    assert list(tmp_path.iterdir()) == [], "half a file is none"


@pytest.mark.usefixtures("small_blocks")
def test_merged_shares_are_the_joined_ones(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    rows = random.permutation(23)
    whole = answers_for(np.arange(23), 3)
    shares = [whole.at(np.sort(rows[:11])), whole.at(np.sort(rows[11:])), whole.at([])]
    blocks = list(merge(shares))
    assert len(blocks) == 12
    assert equal(predictions.concatenate(blocks), join(shares)) and equal(join(shares), whole)
    assert list(merge([whole.at([])])) == []


@pytest.mark.usefixtures("small_blocks")
def test_the_table_of_blocks_is_the_table_of_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    manifest = fake_manifest(tmp_path)
    run = fake_run(tmp_path / "blocks", manifest)
    monkeypatch.undo()
    whole = fake_run(tmp_path / "whole", manifest)
    pd.testing.assert_frame_equal(pd.read_parquet(run.predictions), pd.read_parquet(whole.predictions))
    assert pq.ParquetFile(run.predictions).num_row_groups == 8  # 6, 3, 4 and 1 rows, two at a time
    assert pq.ParquetFile(whole.predictions).num_row_groups == 4


def test_memory_holds_a_block_of_answers_however_many_there_are(tmp_path: Path, monkeypatch) -> None:
    """160 MiB of logits, in batches and blocks of 2 MiB: written, collected from two processes, tabled and read."""
    monkeypatch.setattr(predictions, "BLOCK_BYTES", 2 * MIB)
    classes, batches, size = 16_384, 40, 64
    labels = tuple(f"class {number}" for number in range(classes))
    splits = ["val"] * (batches * size)
    manifest = fake_manifest(tmp_path, splits, [str(number) for number in range(len(splits))], labels)

    def batch(number: int, step: int) -> Predictions:
        return answers_for(np.arange(number * size, (number + 1) * size), classes, seed=number * step)

    def share(first: int) -> Iterator[Predictions]:
        return (batch(number, 1) for number in range(first, batches, 2))

    folder = RunFolder(tmp_path / "run")
    folder.create()
    answers_for(np.arange(2), classes)  # what is imported at first use is not counted
    tracemalloc.start()
    shares = [
        write_answers(tmp_path / f"{rank}-logits.npy", tmp_path / f"{rank}-embeddings.npy", {"val": share(rank)})
        for rank in range(2)
    ]
    merged = {"val": merge([own["val"] for own in shares])}
    answers = write_answers(folder.logits, folder.embeddings, merged)
    save_table(folder, answers, manifest, labels)
    copy = RunFolder(tmp_path / "copy")
    copy.create()
    save_predictions(copy, answers, manifest, labels)
    manifest.write(folder.manifest)
    (folder.labels).write_text("[]", encoding="utf-8")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert answers["val"].rows.tolist() == list(range(batches * size))
    assert np.array_equal(answers["val"].logits[-1], batch(batches - 1, 1).logits[-1])
    assert peak < 80 * MIB, f"{peak / MIB:.0f} MiB"
    found = np.load(copy.logits, mmap_mode="r")
    assert np.array_equal(found[::997], answers["val"].logits[::997])


def test_a_part_that_is_read_stays_in_its_file(tmp_path: Path) -> None:
    run = FinishedRun(fake_run(tmp_path / "run", fake_manifest(tmp_path)))
    found = run.predictions_of("val")
    assert np.shares_memory(found.logits, run.logits) and np.shares_memory(found.embeddings, run.embeddings)
    apart = run.predictions_at(np.array([0, 2]))
    assert np.array_equal(apart.logits, run.logits[[0, 2]])
