"""Folders that hold no classes where classes should be: refused or said, with a command that works."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from animeid.errors import InputError
from tests.data.test_folders import CLASSES, class_folders, read, splits, write


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ("trainval test", "train test"),
        ("fit eval", "train val"),
        ("train+val test", "train test"),
        ("tr te", "train test"),
        ("tr va te", "train val test"),
        ("xtrain xtest", "train test"),
        ("a_test z_fit", "test train"),
        ("fold_1 fold_2 test_1", "train train test"),
    ],
)
def test_the_command_of_the_refusal_goes_by_the_names(tmp_path: Path, names: str, expected: str) -> None:
    class_folders(tmp_path, *names.split())
    with pytest.raises(InputError) as refusal:
        read(tmp_path)
    given = yaml.safe_load(str(refusal.value).split("'data.parts=")[1].split("'")[0])
    assert {name: part for part, folders in given.items() for name in folders} == dict(
        zip(names.split(), expected.split(), strict=True)
    )


def test_folders_that_no_name_tells_apart_are_judged_by_size(tmp_path: Path) -> None:
    class_folders(tmp_path, "A", "B")
    write(tmp_path, "B/Rin/2.png", "B/Rin/3.png")
    with pytest.raises(InputError, match=r"train:\[B\],test:\[A\]"):
        read(tmp_path)


@pytest.mark.parametrize(
    "pictures",
    [
        "train/1.png test/1.png",
        "Train/1.png Test/1.png",
        "flat/train/1.png flat/test/1.png",
        "train/1.png test/a/1.png test/b/1.png",
        "Training/1.png Training/a/1.png Testing/a/1.png Testing/b/1.png",
        "seg_train/1.png seg_test/1.png",
        "val/1.png test/1.png",
        "train_1/1.png train_2/1.png",
    ],
)
def test_parts_without_classes_are_refused(tmp_path: Path, pictures: str) -> None:
    write(tmp_path, *pictures.split())
    with pytest.raises(InputError, match=r"named as parts are, and \w+ holds pictures .*data\.parts=off"):
        read(tmp_path)
    assert len(read(tmp_path, parts="off").manifest.table)


def test_a_character_that_is_named_as_a_part_is_said(tmp_path: Path) -> None:
    source = read(write(tmp_path, "Miku/1.png", "Rin/1.png", "test/1.png", "Test Dummy/1.png"))
    assert any("taken for characters: test (data.parts" in note for note in source.notes)


@pytest.mark.parametrize("inner", ["images masks", "front back", "images labels"])
def test_folders_round_the_classes_of_a_part_are_refused_with_the_command(tmp_path: Path, inner: str) -> None:
    class_folders(tmp_path, *(f"{part}/{name}" for part in ("train", "test") for name in inner.split()))
    with pytest.raises(InputError, match="say where the class folders are") as refusal:
        read(tmp_path)
    given = yaml.safe_load(str(refusal.value).split("'data.parts=")[1].split("'")[0])
    table = read(tmp_path, parts=given).manifest.table
    assert set(table["label"]) == set(CLASSES)
    assert splits(table) == {"train", "test"}


@pytest.mark.parametrize(
    "pictures",
    [
        "images/1.png masks/1.png",
        "train/images/1.png train/masks/1.png test/images/1.png test/masks/1.png",
        "images/train/1.png images/val/1.png labels/train/1.png labels/val/1.png",
        "images/1.png labels/1.txt",
    ],
)
def test_pictures_and_what_is_told_of_them_are_no_classes(tmp_path: Path, pictures: str) -> None:
    write(tmp_path, *pictures.split())
    with pytest.raises(InputError, match="named as pictures and what is told of them"):
        read(tmp_path)


def test_a_folder_of_texts_is_no_class(tmp_path: Path) -> None:
    source = read(write(tmp_path, "Miku/1.png", "Rin/1.png", "notes/1.txt"))
    assert set(source.manifest.table["label"]) == {"Miku", "Rin"}
    assert source.skipped == (("notes/1.txt", "not a picture"),)
    assert any("no classes: notes" in note for note in source.notes)


@pytest.mark.parametrize("third", ["c/1.png", "c/test/1.png c/x/1.png", "c/train/1.png c/test/1.png c/1.png"])
def test_parts_inside_some_classes_only_are_refused(tmp_path: Path, third: str) -> None:
    write(tmp_path, *(f"{name}/{part}/1.png" for name in "ab" for part in ("train", "test")), *third.split())
    with pytest.raises(InputError, match=r"as \w has test, train, but others hold .*: c: .*data\.parts=off"):
        read(tmp_path)


def test_a_character_that_begins_with_a_dot_is_said(tmp_path: Path) -> None:
    plain = write(tmp_path / "plain", "Miku/1.png", ".hack/1.png", ".ipynb_checkpoints/1.png", ".Trash-1000/1.png")
    (plain / ".empty").mkdir()
    parts = write(tmp_path / "parts", "train/Miku/1.png", "train/.hack/1.png", "test/Miku/1.png")
    for root in (plain, parts):
        told = [note for note in read(root).notes if "begin with a dot" in note]
        assert len(told) == 1
        assert "left out: .hack (" in told[0]
