"""Replay of an earlier run's pictures beside new ones."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from animeid.config.compose import compose
from animeid.data.manifest import read_manifest
from animeid.data.prepare import Prepared, prepare
from animeid.data.replay import with_replayed
from animeid.data.settings import DataSettings
from animeid.data.shards.layout import FORMAT, INDEX
from animeid.errors import InputError

SPLITS = ("train", "train", "train", "train", "val", "test")


def pictures(root: Path, labels: tuple[str, ...], seed: int) -> DataSettings:
    """Six pictures of each class with their parts, each of its own noise."""
    random = np.random.default_rng(seed)
    rows = []
    for label in labels:
        for number, split in enumerate(SPLITS):
            path = f"{label}-{number}.png"
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            pixels = random.integers(0, 256, (6, 6, 3), dtype=np.uint8)
            Image.fromarray(pixels).resize((48, 48), Image.Resampling.NEAREST).save(root / path)
            rows.append({"path": path, "label": label, "split": split})
    pd.DataFrame(rows).to_csv(root / "manifest.csv", index=False)
    return DataSettings(root=str(root / "manifest.csv"), cache="off")


@pytest.fixture
def old(tmp_path: Path) -> Prepared:
    return prepare(pictures(tmp_path / "old", ("a", "b"), 0))


@pytest.fixture
def new(tmp_path: Path) -> DataSettings:
    return pictures(tmp_path / "new", ("c", "d"), 1)


def counts(prepared: Prepared) -> dict[tuple[str, str], int]:
    return prepared.manifest.table.groupby(["label", "split"]).size().to_dict()


def test_old_pictures_stand_beside_new_ones_in_their_parts(old: Prepared, new: DataSettings) -> None:
    found = with_replayed(prepare(new), old.manifest, replace(new, replay="auto"))
    assert found.labels == ("a", "b", "c", "d")
    assert counts(found) == {
        (label, split): count for label in "abcd" for split, count in (("train", 4), ("val", 1), ("test", 1))
    }
    table = found.manifest.table
    assert [found.labels[target] for target in table["target"]] == table["label"].tolist()
    assert all((found.manifest.root / path).is_file() for path in table["path"])
    assert "replayed of the earlier run: 8 training pictures of 2 classes, and 4 of val and test" in found.notes


def test_a_name_that_is_spelt_otherwise_there_is_told(old: Prepared, tmp_path: Path) -> None:
    new = pictures(tmp_path / "new", ("A", "c"), 1)
    found = with_replayed(prepare(new), old.manifest, replace(new, replay="auto"))
    assert any("'A' and 'a'" in note for note in found.notes)


def test_a_run_reads_them_again(old: Prepared, new: DataSettings, tmp_path: Path) -> None:
    """Resuming, judging again and the page read the manifest that the run saved."""
    found = with_replayed(prepare(new), old.manifest, replace(new, replay="auto")).manifest
    assert found.root == tmp_path.resolve()
    found.write(tmp_path / "manifest.parquet")
    read = read_manifest(tmp_path / "manifest.parquet")
    assert read.root == found.root
    assert read.table["path"].tolist() == found.table["path"].tolist()
    assert {path.split("/")[0] for path in read.table["path"]} == {"old", "new"}


def test_shards_are_refused(old: Prepared, new: DataSettings, tmp_path: Path) -> None:
    (tmp_path / "new" / INDEX).write_text(json.dumps({"format": FORMAT}))
    with pytest.raises(InputError, match=r"pictures of two folders together, and those of .*new are in shards"):
        with_replayed(prepare(new), old.manifest, replace(new, replay="auto"))


def test_a_number_thins_training_alone(old: Prepared, new: DataSettings) -> None:
    found = counts(with_replayed(prepare(new), old.manifest, replace(new, replay=2)))
    assert [found["a", split] for split in ("train", "val", "test")] == [2, 1, 1]
    assert found["c", "train"] == 4


def test_what_is_trained_on_now_is_not_replayed_into_test(old: Prepared, new: DataSettings, tmp_path: Path) -> None:
    """The old test picture of `a`, stored anew a little smaller, is a training picture of `a` here."""
    with Image.open(tmp_path / "old" / "a-5.png") as picture:
        picture.resize((44, 44)).save(tmp_path / "new" / "a-again.png")
    table = pd.read_csv(tmp_path / "new" / "manifest.csv")
    again = pd.DataFrame([{"path": "a-again.png", "label": "a", "split": "train"}])
    pd.concat([table, again]).to_csv(tmp_path / "new" / "manifest.csv", index=False)
    found = counts(with_replayed(prepare(new), old.manifest, replace(new, replay="auto")))
    assert ("a", "test") not in found
    assert found["a", "train"] == 5
    assert found["b", "test"] == 1


def test_copies_come_once(old: Prepared, new: DataSettings) -> None:
    again = with_replayed(old, old.manifest, replace(new, replay="auto"))
    assert counts(again) == counts(old)


def test_pictures_that_are_gone_are_said(old: Prepared, new: DataSettings, tmp_path: Path) -> None:
    shutil.rmtree(tmp_path / "old")
    found = with_replayed(prepare(new), old.manifest, replace(new, replay="auto"))
    assert found.labels == ("c", "d")
    (note,) = [note for note in found.notes if note.startswith("WARNING: of the earlier run 12 pictures are not where")]
    assert "all training pictures of a, b among them" in note
    assert note.endswith("a, b will not be named any more")


def test_there_is_no_replay_without_an_earlier_run() -> None:
    with pytest.raises(InputError, match=r"data\.replay trains on the pictures of an earlier run as well"):
        compose("train", ["data.replay=auto", "recipe=none"])
