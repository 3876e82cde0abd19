"""Manifests prepared from every kind of source: labels, parts, groups, folds, and what is refused."""

from __future__ import annotations

import os
import shutil
import unicodedata
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from animeid.data.manifest import Manifest, complete, read_manifest
from animeid.data.prepare import prepare
from animeid.data.settings import DataSettings
from animeid.errors import InputError


def picture(path: Path, seed: int) -> Path:
    """Noise: no two are near duplicates."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.random.default_rng(seed).integers(0, 256, (24, 24, 3), dtype=np.uint8)).save(path)
    return path


def folder(root: Path, counts: dict[str, int], first: int = 0) -> Path:
    seed = first
    for label, count in counts.items():
        for number in range(count):
            seed += 1
            picture(root / label / f"{number}.png", seed)
    return root


def prepared(root: Path, **settings: object):
    return prepare(DataSettings(root=str(root), **settings))  # type: ignore[arg-type]


def test_class_folders_with_names_of_any_script(tmp_path: Path) -> None:
    names = {"初音 ミク": 10, "Tom & Jerry": 8, "蕾米莉亚": 9}
    result = prepared(folder(tmp_path, names))
    assert result.labels == tuple(sorted(names))
    table = result.manifest.table
    assert table["label"].value_counts().to_dict() == names
    assert set(table["split"]) == {"train", "val", "test"}
    assert (table["path"].sort_values().to_numpy() == table["path"].to_numpy()).all()
    assert (table["target"] == table["label"].map({name: i for i, name in enumerate(result.labels)})).all()


def test_decomposed_names_become_one_label(tmp_path: Path) -> None:
    composed = unicodedata.normalize("NFC", "Béa ガ")
    folder(tmp_path, {unicodedata.normalize("NFD", composed): 6, "other": 6})
    assert prepared(tmp_path).labels == (composed, "other")


def test_given_parts_are_kept_and_unknown_is_no_class(tmp_path: Path) -> None:
    folder(tmp_path / "train", {"a": 8, "b": 8})
    folder(tmp_path / "test", {"a": 3, "b": 3}, first=100)
    picture(tmp_path / "unknown" / "stranger.png", 999)
    result = prepared(tmp_path)
    table = result.manifest.table
    assert result.labels == ("a", "b")
    assert table.loc[table["split"] == "test", "path"].str.startswith("test/").all()
    assert (table["split"] == "val").sum() > 0
    assert table.loc[table["split"] == "val", "path"].str.startswith("train/").all()
    assert table.loc[table["split"] == "unknown", "target"].tolist() == [-1]
    assert any("carved" in note for note in result.notes)


def test_without_test_it_is_said_and_test_is_never_used_for_val(tmp_path: Path) -> None:
    folder(tmp_path / "train", {"a": 10, "b": 10})
    result = prepared(tmp_path)
    assert "test" not in set(result.manifest.table["split"])
    assert any("no test part" in note for note in result.notes)


def test_a_leak_of_given_parts_drops_the_training_copy(tmp_path: Path) -> None:
    folder(tmp_path / "train", {"a": 8, "b": 8})
    folder(tmp_path / "val", {"a": 3, "b": 3}, first=200)
    folder(tmp_path / "test", {"a": 3, "b": 3}, first=100)
    (tmp_path / "train" / "a" / "copy.png").write_bytes((tmp_path / "test" / "a" / "0.png").read_bytes())
    mirrored = Image.open(tmp_path / "test" / "b" / "0.png").transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    mirrored.save(tmp_path / "train" / "b" / "mirror.png")
    result = prepared(tmp_path)
    split = result.manifest.table.set_index("path")["split"]
    assert split["train/a/copy.png"] == split["train/b/mirror.png"] == "excluded"
    assert split["test/a/0.png"] == split["test/b/0.png"] == "test"
    assert {"train/a/copy.png", "train/b/mirror.png"} <= set(result.skipped["path"])
    with pytest.raises(InputError, match="overlap"):
        prepared(tmp_path, leaks="fail")
    reported = prepared(tmp_path, leaks="report").manifest.table.set_index("path")["split"]
    assert reported["train/a/copy.png"] == "train"


def test_our_own_split_never_leaks_and_says_so_when_it_is_broken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder(tmp_path, {"a": 20, "b": 20})
    for number in range(10):
        source = tmp_path / "a" / f"{number}.png"
        (tmp_path / "a" / f"copy {number}.png").write_bytes(source.read_bytes())
    assert prepared(tmp_path).audit["overlap"] == {}

    def careless(pool: object, ratios: dict[str, float]) -> tuple[np.ndarray, tuple[int, ...]]:
        count = len(pool.targets)  # type: ignore[attr-defined]
        return np.array((["train", "test", "val"] * count)[:count], dtype=object), ()

    monkeypatch.setattr("animeid.data.splits.parts.split_by_ratio", careless)
    with pytest.raises(InputError, match="overlap"):
        prepared(tmp_path)


def test_exact_copies_with_two_labels_leave_all_parts_and_are_listed(tmp_path: Path) -> None:
    folder(tmp_path, {"a": 8, "b": 8})
    (tmp_path / "b" / "wrong.png").write_bytes((tmp_path / "a" / "0.png").read_bytes())
    result = prepared(tmp_path)
    split = result.manifest.table.set_index("path")["split"]
    assert split["a/0.png"] == split["b/wrong.png"] == "excluded"
    assert result.conflicts[["kind", "path", "other_path"]].to_numpy().tolist() == [["exact", "a/0.png", "b/wrong.png"]]


def test_groups_of_the_manifest_and_offline_copies_stay_together(tmp_path: Path) -> None:
    folder(tmp_path, {"a": 12, "b": 12})
    for number in range(6):
        picture(tmp_path / "a" / f"{number}_aug1.png", 500 + number)
    result = prepared(tmp_path, copy_pattern=r"(?P<original>.+)_aug\d+")
    split = result.manifest.table.set_index("path")["split"]
    assert all(split[f"a/{number}.png"] == split[f"a/{number}_aug1.png"] for number in range(6))

    paths = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.png"))
    rows = pd.DataFrame({"path": paths, "label": [path[0] for path in paths]})
    rows["group"] = [f"{path[0]}-{number % 4}" for number, path in enumerate(paths)]
    rows.to_csv(tmp_path / "manifest.csv", index=False)
    table = prepared(tmp_path / "manifest.csv").manifest.table
    assert (table.groupby("group")["split"].nunique() == 1).all()
    assert table["group"].nunique() == 8


def test_folds_cover_train_and_val_and_leave_test_alone(tmp_path: Path) -> None:
    folder(tmp_path, {"a": 20, "b": 12})
    held: list[set[str]] = []
    tests = set()
    for fold in range(3):
        table = prepared(tmp_path, folds=3, fold=fold).manifest.table
        held.append(set(table.loc[table["split"] == "val", "path"]))
        tests.add(tuple(table.loc[table["split"] == "test", "path"]))
    assert len(tests) == 1
    assert len(set.union(*held)) == sum(map(len, held)) == 32 - len(next(iter(tests)))


def test_fewer_folds_are_made_where_the_smallest_class_is_small(tmp_path: Path) -> None:
    folder(tmp_path, {"a": 20, "b": 5})
    result = prepared(tmp_path, folds=5, fold=0, test_ratio=0.2)
    assert any("fold 0 of 4" in note for note in result.notes)
    with pytest.raises(InputError, match="choose 0 to 3"):
        prepared(tmp_path, folds=5, fold=4, test_ratio=0.2)


def test_the_split_does_not_depend_on_where_the_folder_lies(tmp_path: Path) -> None:
    first = prepared(folder(tmp_path / "one", {"a": 20, "b": 12})).manifest.table
    second = prepared(folder(tmp_path / "two", {"a": 20, "b": 12})).manifest.table
    other = prepared(tmp_path / "one", split_seed=1).manifest.table
    assert (first["split"] == second["split"]).all()
    assert (first["split"] != other["split"]).any()


def test_attributes_arrive_and_a_saved_manifest_reads_back(tmp_path: Path) -> None:
    folder(tmp_path, {"a": 6, "b": 6})
    paths = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.png"))
    rows = pd.DataFrame({"path": paths, "label": [path[0] for path in paths], "smile": ["1", ""] * 6})
    rows.to_csv(tmp_path / "manifest.csv", index=False)
    manifest = prepared(tmp_path / "manifest.csv", attributes=("smile",)).manifest
    assert manifest.attributes == ("smile",)
    assert manifest.table["smile"].isna().sum() == 6
    manifest.write(tmp_path / "saved.parquet")
    again = read_manifest(tmp_path / "saved.parquet")
    pd.testing.assert_frame_equal(again.table, manifest.table)
    assert again.root.resolve() == tmp_path.resolve()
    assert again.attributes == ("smile",)


def listed(root: Path) -> Path:
    """As a data set for Hugging Face lists its pictures, beside them."""
    return text(root / "metadata.csv", "file_name,label\n1.png,a\n")


TWICE = r"'A' has pictures in val and none in train \('a' of train may be the same one\): add some to train, give it"
VAL_ONLY = r"'c' has pictures in val and none in train: add some to train"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda root: root / "nothing", "is not there"),
        (lambda root: root, "no pictures"),
        (lambda root: folder(root, {"only": 5}), "at least two classes"),
        (lambda root: picture(root / "loose.png", 1).parent, "no class folders"),
        (
            lambda root: listed(picture(root / "1.png", 1).parent).parent,
            r"or give the list .*=.*metadata\.csv",
        ),
        (lambda root: listed(folder(root, {"train": 5}) / "train").parents[1], r"give the list, .*train.metadata\.csv"),
        (lambda root: (folder(root, {"a": 3, "b": 3}), (root / "empty").mkdir())[0], "has no pictures"),
        (lambda root: (folder(root, {"a": 3}), broken(root / "b" / "x.png"))[0], "no picture that can be read"),
        (lambda root: text(root / "manifest.csv", "file,label\nx.png,a\n"), "no column 'path'"),
        (lambda root: text(root / "manifest.csv", "path,label\n../../x.png,a\n"), "outside"),
        (lambda root: text(root / "manifest.csv", "path,label\n"), "no rows"),
        (lambda root: text(root / "manifest.csv", "path,label,split\nx.png,a,trian\n"), "trian"),
        (lambda root: text(root / "manifest.txt", "path,label\n"), "neither a folder nor"),
        (lambda root: text(root / "set.zip", ""), "unpack it first"),
        (lambda root: Path("https://example.org/set.zip"), "is not there"),
        (lambda root: (folder(root / "train", {"a": 3, "b": 3}), folder(root / "val", {"A": 3}, 10), root)[2], TWICE),
        (
            lambda root: (folder(root / "train", {"a": 3, "b": 3}), folder(root / "val", {"c": 3}, 10), root)[2],
            VAL_ONLY,
        ),
        (lambda root: with_splits(root, ["val", "test"]), "no picture is in the part train"),
        (lambda root: (folder(root, {"a": 3, "b": 3}), (root / "c").symlink_to("a"))[0], "of a, c each picture is exc"),
    ],
)
def test_bad_input_is_one_sentence(tmp_path: Path, make, message: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(InputError, match=message) as caught:
        prepared(make(tmp_path))
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"val_ratio": 0.5, "test_ratio": 0.5}, "leave no training part"),
        ({"folds": 3}, "needs data.fold"),
        ({"fold": 1}, "needs data.folds"),
        ({"attributes": ("smile",)}, "needs a manifest"),
    ],
)
def test_settings_that_do_not_fit_are_refused(tmp_path: Path, settings: dict[str, object], message: str) -> None:
    folder(tmp_path, {"a": 4, "b": 4})
    with pytest.raises(InputError, match=message):
        prepared(tmp_path, **settings)


def test_a_file_name_that_is_no_text_is_named(tmp_path: Path) -> None:
    folder(tmp_path, {"a": 4, "b": 4})
    odd = os.fsencode(tmp_path / "a") + b"/\xff.png"
    try:
        shutil.copy(tmp_path / "a" / "0.png", odd)
    except OSError:
        pytest.skip("this file system takes text only as names")
    with pytest.raises(InputError, match=r"xff.png is not UTF-8"):
        prepared(tmp_path)


def test_a_link_that_leads_to_itself_is_a_picture_that_is_missing(tmp_path: Path) -> None:
    folder(tmp_path, {"a": 4, "b": 4})
    (tmp_path / "a" / "loop.png").symlink_to("loop.png")
    (tmp_path / "loop").symlink_to("loop")
    found = prepared(tmp_path)
    assert len(found.manifest.table) == 8
    assert found.skipped["path"].tolist() == ["a/loop.png"]


def test_classes_that_hold_folders_alone_are_said_to_be_taken_whole(tmp_path: Path) -> None:
    """Series with a folder for each character, of which the series would be learnt without a word."""
    folder(tmp_path / "Vocaloid", {"Miku": 2, "Rin": 2})
    folder(tmp_path / "Touhou", {"Reimu": 4}, first=9)
    (note,) = (note for note in prepared(tmp_path).notes if "taken together" in note)
    assert "(Touhou: Reimu; Vocaloid: Miku, Rin)" in note
    picture(tmp_path / "Touhou" / "all.png", 99)
    assert not [note for note in prepared(tmp_path).notes if "taken together" in note]


def test_linked_folders_are_read_once(tmp_path: Path) -> None:
    folder(tmp_path / "set", {"a": 4, "b": 4})
    folder(tmp_path / "elsewhere", {"more": 3}, first=50)
    (tmp_path / "set" / "a" / "more").symlink_to(tmp_path / "elsewhere" / "more")
    (tmp_path / "set" / "a" / "loop").symlink_to(tmp_path / "set")
    assert prepared(tmp_path / "set").manifest.table["label"].value_counts().to_dict() == {"a": 7, "b": 4}


def test_a_row_that_is_there_again_counts_once(tmp_path: Path) -> None:
    folder(tmp_path, {"a": 3, "b": 3})
    rows = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.png"))
    text(tmp_path / "m.csv", "path,label\n" + "".join(f"{path},{path[0]}\n" for path in (*rows, *rows[:2])))
    found = prepared(tmp_path / "m.csv")
    assert sorted(found.manifest.table["path"]) == rows
    assert any(note.startswith("2 rows left out that the manifest has already") for note in found.notes)


def test_a_picture_that_is_listed_with_two_groups_joins_them(tmp_path: Path) -> None:
    folder(tmp_path, {"a": 3, "b": 3})
    rows = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.png"))
    listing = [(path, path[0], f"g{number}") for number, path in enumerate(rows)]
    text(
        tmp_path / "m.csv",
        "path,label,group\n" + "".join(",".join(row) + "\n" for row in [*listing, (rows[0], "a", "g1")]),
    )
    table = prepared(tmp_path / "m.csv").manifest.table
    assert table.loc[table["path"].isin(rows[:2]), "group"].nunique() == 1


def test_rows_without_a_label_are_told(tmp_path: Path) -> None:
    folder(tmp_path, {"a": 3, "b": 3, "c": 2})
    rows = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.png"))
    labels = ["" if path[0] == "c" else path[0] for path in rows]
    text(tmp_path / "m.csv", "path,label\n" + "".join(map("{},{}\n".format, rows, labels)))
    assert any(
        note.startswith("2 pictures without a label: in the part unknown")
        for note in prepared(tmp_path / "m.csv").notes
    )
    splits = ["unknown" if not label else "" for label in labels]
    text(tmp_path / "m.csv", "path,label,split\n" + "".join(map("{},{},{}\n".format, rows, labels, splits)))
    assert not any("without a label" in note for note in prepared(tmp_path / "m.csv").notes)


def with_splits(root: Path, splits: list[str]) -> Path:
    """A manifest of pictures of two classes, as many of each as there are splits."""
    folder(root, {"a": len(splits), "b": len(splits)})
    rows = [f"{label}/{number}.png,{label},{split}" for label in "ab" for number, split in enumerate(splits)]
    return text(root / "manifest.csv", "\n".join(["path,label,split", *rows]))


def test_a_class_of_copies_alone_is_left_out_by_name(tmp_path: Path) -> None:
    folder(tmp_path, {"a": 4, "b": 4, "d": 4})
    (tmp_path / "c").symlink_to("a")
    found = prepared(tmp_path)
    assert found.labels == ("b", "d")
    (note,) = (note for note in found.notes if note.startswith("WARNING"))
    assert "2 classes are left out" in note
    assert "'a', 'c'; pictures of one character belong into one folder" in note


def broken(path: Path) -> Path:
    return text(path, "no picture")


def text(path: Path, content: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    return path


def test_a_manifest_is_complete() -> None:
    table = complete(pd.DataFrame({"path": ["a"], "label": ["b"]}))
    assert table["split"].tolist() == [""]
    assert Manifest(table, Path()).attributes == ()
