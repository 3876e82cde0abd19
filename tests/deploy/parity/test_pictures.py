"""Engines are chosen on validation pictures, and never on those of the test part."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from animeid.data.manifest import read_manifest
from animeid.deploy.parity import pictures
from animeid.deploy.parity.pictures import mates_of, of_some_classes, parity_pictures, spread
from animeid.inference.predictor import Predictor
from animeid.runs.folder import RunFolder


def test_classes_take_turns() -> None:
    table = pd.DataFrame({"target": [0, 0, 0, 0, 1, 1, 2], "path": list("abcdefg")})
    assert spread(table)["path"].tolist() == ["a", "e", "g", "b", "f", "c", "d"]


def test_of_many_classes_some_are_looked_at_with_several_pictures_each() -> None:
    table = pd.DataFrame({"target": np.repeat(np.arange(1000), 5)})
    chosen = np.unique(of_some_classes(table, 150)["target"])
    assert (len(chosen), chosen[0], chosen[-1]) == (150, 0, 999) and set(np.diff(chosen)) == {6, 7}
    assert len(of_some_classes(table, 1000)) == 5000


def test_a_class_that_one_group_shows_gets_a_picture_of_another() -> None:
    shown = pd.DataFrame({"target": [0, 0, 1, 1, 2], "group": ["a", "a", "b", "c", "d"]})
    others = pd.DataFrame(
        {"target": [0, 1, 0, 0, 2, 3], "group": ["a", "e", "f", "g", "d", "h"]}, index=[10, 11, 12, 13, 14, 15]
    )
    assert mates_of(shown, others).tolist() == [12], "1 has two groups, 2 has no other, and 3 is not shown"


def test_mates_take_their_place_among_those_that_choose_an_engine(
    home: Path, parts: Callable[[str], set[Path]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pictures, "WANTED", 1)
    monkeypatch.setattr(pictures, "CALIBRATING", 5)
    monkeypatch.setattr(pictures, "mates_of", lambda shown, others: others.index[:2].to_numpy())
    shown, calibrating = parity_pictures([loaded(home)], choose=True)
    mates = set(shown.paths[-2:])
    assert mates <= parts("train") and not mates & set(calibrating.paths)
    assert set(shown.paths[:-2]) == parts("val")
    monkeypatch.setattr(pictures, "MOST_BYTES", 5 * 32 * 32 * 3)
    assert len(parity_pictures([loaded(home)], choose=True)[0]) == 5
    monkeypatch.setattr(pictures, "WANTED", len(parts("val")) + 4)
    assert len(parity_pictures([loaded(home)], choose=True)[0]) == len(parts("val")) + 4, (
        "no more than there is room for"
    )
    monkeypatch.setattr(pictures, "mates_of", None)
    parity_pictures([loaded(home)], choose=False)


@pytest.fixture
def parts(home: Path) -> Callable[[str], set[Path]]:
    manifest = read_manifest(RunFolder(home / "outputs" / "run").manifest)
    table = manifest.table
    return lambda part: {manifest.root / path for path in table.loc[table["split"] == part, "path"]}


def loaded(home: Path, run: str = "run") -> Predictor:
    return Predictor.load(home / "outputs" / run, accelerator="cpu", precision="32-true")


def test_validation_comes_first_and_the_test_part_not_at_all(home: Path, parts: Callable[[str], set[Path]]) -> None:
    shown, calibrating = parity_pictures([loaded(home)], choose=True)
    count = len(parts("val"))
    assert shown.held_out.tolist() == [True] * count + [False] * (len(shown) - count)
    assert set(shown.paths[:count]) == parts("val")
    assert set(shown.paths[count:]) == parts("train")
    assert set(calibrating.paths) <= parts("train") and len(calibrating)


def test_other_pictures_calibrate_where_there_are_enough(
    home: Path, parts: Callable[[str], set[Path]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pictures, "WANTED", len(parts("val")) + 2)
    monkeypatch.setattr(pictures, "CALIBRATING", 5)
    shown, calibrating = parity_pictures([loaded(home)], choose=True)
    assert (len(shown) - shown.held_out.sum(), len(calibrating)) == (2, 5)
    assert not set(calibrating.paths) & set(shown.paths)


def test_of_several_runs_all_must_have_held_a_picture_out(home: Path, parts: Callable[[str], set[Path]]) -> None:
    """The two runs were split with other seeds, so that each has learnt validation pictures of the other."""
    both = [loaded(home), loaded(home, "partner")]
    other = read_manifest(both[1].folder.manifest)
    learnt = {other.root / path for path in other.table.loc[other.table["split"] == "train", "path"]}
    shown, _ = parity_pictures(both, choose=False)
    judged = {other.root / path for path in other.table.loc[other.table["split"] == "test", "path"]}
    held_out = {path for path, yes in zip(shown.paths, shown.held_out, strict=True) if yes}
    assert held_out and held_out == parts("val") - learnt - judged


def test_more_pictures_choose_an_engine_than_see_that_one_is_right(
    home: Path, parts: Callable[[str], set[Path]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pictures, "WANTED", 3)
    assert len(parity_pictures([loaded(home)], choose=False)[0]) == 3
    assert len(parity_pictures([loaded(home)], choose=True)[0]) == len(parts("val"))
    monkeypatch.setattr(pictures, "MOST_BYTES", 5 * 32 * 32 * 3)
    assert len(parity_pictures([loaded(home)], choose=True)[0]) == 5


def test_files_that_are_gone_give_way_to_others(
    home: Path, parts: Callable[[str], set[Path]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pictures, "WANTED", 10)
    monkeypatch.setattr(pictures, "is_there", lambda path: path not in parts("val"))
    shown, _ = parity_pictures([loaded(home)], choose=True)
    assert len(shown) == 10 and set(shown.paths) <= parts("train") and not shown.held_out.any()


def test_what_a_refit_has_learnt_is_not_held_out(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("animeid.runs.saved.SavedRun.is_refit", property(lambda run: True))
    shown, _ = parity_pictures([loaded(home)], choose=True)
    assert not shown.held_out.any() and len(shown)


def test_the_artefact_tells_how_closely_it_answers(home: Path) -> None:
    record = json.loads((home / "artefact" / "parity.json").read_text(encoding="utf-8"))
    (engine,) = record["engines"]
    assert (engine["library"], engine["file"], engine["precision"]) == ("onnxruntime", "model.onnx", "float32")
    assert engine["taken"] and engine["relative_error"] <= record["gate"]["relative_error"] == 1e-4
    assert engine["top1_agreement"] == 1.0 and engine["milliseconds"] is None
    assert 0 < record["held_out"] < record["pictures"]
    card = (home / "artefact" / "README.md").read_text(encoding="utf-8")
    assert f"on {record['pictures']} pictures" in card and "| float32 | onnxruntime | yes |" in card
