"""Folders of pictures: which are parts, which are characters, and what every command finds in them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

from animeid.config.compose import compose
from animeid.config.gateway import build
from animeid.data.files import check_pictures, find_pictures
from animeid.data.part_names import part_of
from animeid.data.settings import DataSettings
from animeid.data.sources import Source, read_source
from animeid.errors import InputError

CLASSES = ("初音ミク", "Rin")


def write(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (8, 8)).save(root / name, format="PNG")
    return root


def class_folders(root: Path, *parts: str) -> Path:
    return write(root, *(f"{part}/{name}/1.png" for part in parts for name in CLASSES))


def read(root: Path, **settings: object) -> Source:
    return read_source(DataSettings(root=str(root), **settings))  # type: ignore[arg-type]


def splits(table: pd.DataFrame) -> set[str]:
    return set(table["split"])


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ("Training Testing", "train test"),
        ("Train Valid", "train val"),
        ("TRAIN EVAL", "train val"),
        ("Training Test", "train test"),
        ("training_set test_set", "train test"),
        ("train_images val_images test_images", "train val test"),
        ("trainImages testImages", "train test"),
        ("TrainData ValidationData", "train val"),
        ("train2017 val2017", "train val"),
        ("train_1 train_2 test", "train train test"),
        ("seg_train seg_test", "train test"),
        ("Trainingsdaten Validierungsdaten Testdaten", "train val test"),
        ("entraînement validation test", "train val test"),
        ("entrenamiento prueba", "train test"),
        ("訓練データ 検証データ テストデータ", "train val test"),
        ("学習用 評価用", "train val"),
        ("训练集 验证集 测试集", "train val test"),
        ("훈련 테스트", "train test"),
        ("ｔｒａｉｎ ｔｅｓｔ", "train test"),
        ("train dev test", "train val test"),
        ("Train Test Unknown", "train test unknown"),
        ("set/Training set/Testing", "train test"),
        ("seg_train/seg_train seg_test/seg_test", "train test"),
    ],
)
def test_folders_that_are_named_as_parts_are_parts(tmp_path: Path, parts: str, expected: str) -> None:
    source = read(class_folders(tmp_path, *parts.split()))
    wanted = {f"{part}/": split for part, split in zip(parts.split(), expected.split(), strict=True)}
    for path, label, split in source.manifest.table[["path", "label", "split"]].itertuples(index=False):
        assert split == next(given for part, given in wanted.items() if path.startswith(part))
        assert label == ("" if split == "unknown" else path.split("/")[-2])
    assert len(source.manifest.table) == len(CLASSES) * len(wanted)
    if parts != expected:
        assert any("taken as parts" in note for note in source.notes)


def test_parts_inside_each_class_are_parts(tmp_path: Path) -> None:
    source = read(write(tmp_path, *(f"{name}/{part}/1.png" for name in CLASSES for part in ("Train", "test"))))
    table = source.manifest.table
    assert set(table["label"]) == set(CLASSES)
    assert (table["split"] == table["path"].map(lambda path: path.split("/")[1].lower())).all()


@pytest.mark.parametrize("beside", [("config.yaml", "manifest.parquet"), ("labels.json", "model.onnx")])
def test_folders_of_runs_and_artefacts_are_no_characters(tmp_path: Path, beside: tuple[str, str]) -> None:
    write(tmp_path, *(f"{name}/1.png" for name in CLASSES), "kept/2026-11-30/12-00-00/figures/chart.png")
    for name in beside:
        (tmp_path / "kept/2026-11-30/12-00-00" / name).touch()
    source = read(tmp_path)
    assert set(source.manifest.table["label"]) == set(CLASSES)
    assert f"runs and artefacts in {tmp_path} are left out, with the pictures in them: kept" in source.notes


def test_a_run_among_the_pictures_of_a_character_is_left_out_alone(tmp_path: Path) -> None:
    write(tmp_path, *(f"{name}/1.png" for name in CLASSES), f"{CLASSES[0]}/old/run/chart.png")
    for name in ("config.yaml", "manifest.parquet"):
        (tmp_path / CLASSES[0] / "old/run" / name).touch()
    source = read(tmp_path)
    assert sorted(source.manifest.table["path"]) == sorted(f"{name}/1.png" for name in CLASSES)
    assert any(note.endswith(f"{CLASSES[0]}/old/run") for note in source.notes)


def test_the_folder_that_runs_are_written_to_is_no_character(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, *(f"{name}/1.png" for name in CLASSES))
    (tmp_path / "outputs").mkdir()
    with pytest.raises(InputError, match=r"the class folder .*outputs has no pictures"):
        read(tmp_path)
    monkeypatch.chdir(tmp_path)
    source = read(Path())
    assert set(source.manifest.table["label"]) == set(CLASSES)
    assert any("are left out" in note and note.endswith(": outputs") for note in source.notes)


def test_the_folder_that_runs_are_written_to_stands_beside_no_part(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, *(f"{name}/{part}/1.png" for name in CLASSES for part in ("train", "test")), "outputs/run/1.png")
    monkeypatch.chdir(tmp_path)
    assert splits(read(Path()).manifest.table) == {"train", "test"}


@pytest.mark.parametrize(
    "names",
    [
        "fold_1 fold_2 fold_3",
        "1 2 3 4 5",
        "A B",
        "train training test",
        "val eval train",
        "data/one data/two",
        "one/images two/images",
        "seg_train seg_test old_train old_test",
    ],
)
def test_folders_that_only_could_be_parts_are_refused_with_the_command(tmp_path: Path, names: str) -> None:
    class_folders(tmp_path, *names.split())
    with pytest.raises(InputError, match=r"say which is which with 'data\.parts=\{train:\[.*\],(val|test):\[.*\]\}'"):
        read(tmp_path)


def test_the_command_of_the_refusal_works(tmp_path: Path, untried_transforms: None) -> None:
    class_folders(tmp_path, "fold 1", "fold2", "三")
    with pytest.raises(InputError) as refusal:
        read(tmp_path)
    given = 'data.parts={train:["fold 1",fold2],test:["三"]}'
    assert f"say which is which with '{given}'" in str(refusal.value)
    request = compose("train", [f"data.root={tmp_path}", given])
    table = read_source(build(request["data"], "data")).manifest.table
    expected = {"fold 1": "train", "fold2": "train", "三": "test"}
    assert (table["split"] == table["path"].map(lambda path: expected[path.split("/")[0]])).all()


def test_parts_can_be_taken_for_characters(tmp_path: Path) -> None:
    class_folders(tmp_path, "Training", "Testing")
    table = read(tmp_path, parts="off").manifest.table
    assert set(table["label"]) == {"Training", "Testing"}
    assert splits(table) == {""}


@pytest.mark.parametrize(
    ("parts", "sentence"),
    [
        ({"train": ("fold3",)}, "data.parts.train names fold3, and .* has no such folder: it has fold1, fold2"),
        ({"test": ("fold1",)}, "names no folder for train"),
        ({"train": ("fold1",), "test": ("fold1",)}, "names fold1 for train and for test"),
    ],
)
def test_wrong_parts_are_refused(tmp_path: Path, parts: dict[str, Sequence[str]], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        read(class_folders(tmp_path, "fold1", "fold2"), parts=parts)


def test_parts_of_what_is_no_folder_are_refused(tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text("path,label\n1.png,Rei\n")
    with pytest.raises(InputError, match=r"leave data\.parts out"):
        read(tmp_path / "list.csv", parts={"train": ("a",)})
    with pytest.raises(InputError, match=r"leave data\.parts out"):
        read_source(DataSettings(parts={"train": ("a",)}))


def test_a_class_with_folders_of_its_own_is_one_class_of_a_part(tmp_path: Path) -> None:
    names = ("train/Miku/front/1.png", "train/Rin/1.png", "val/Miku/front/1.png", "val/Miku/back/1.png")
    table = read(write(tmp_path, *names)).manifest.table
    assert table.loc[table["split"] == "val", "label"].tolist() == ["Miku", "Miku"]


def test_data_sets_side_by_side_are_refused(tmp_path: Path) -> None:
    class_folders(tmp_path, "one/train", "one/test", "two/train", "two/test")
    with pytest.raises(InputError, match=f"each looks like a data set: give one .* data.root={tmp_path / 'one'}"):
        read(tmp_path)


def test_a_folder_round_the_characters_is_no_character(tmp_path: Path) -> None:
    root = write(tmp_path, "archive/set/Miku/1.png", "archive/set/Rin/1.png")
    with pytest.raises(InputError, match=f"give data.root={tmp_path / 'archive/set'} if they are"):
        read(root)
    assert set(read(root / "archive" / "set").manifest.table["label"]) == {"Miku", "Rin"}


@pytest.mark.parametrize(
    "pictures",
    [
        "Train Heartnet/a/1.png Test Dummy/a/1.png",
        "Training/front/1.png Miku/1.png Rin/1.png",
        "Miku/images/1.png Rin/images/1.png",
        "Miku/poses/front/1.png Miku/poses/back/2.png Rin/poses/front/1.png",
        "Miku/front/1.png Miku/back/1.png Rin/front/1.png Rin/2.png",
        "Miku/red/1.png Miku/blue/1.png Rin/green/1.png Rin/black/1.png",
    ],
)
def test_characters_with_folders_of_their_own_stay_characters(tmp_path: Path, pictures: str) -> None:
    names = [name.replace("%", " ") for name in pictures.replace("n H", "n%H").replace("t D", "t%D").split()]
    table = read(write(tmp_path, *names)).manifest.table
    assert set(table["label"]) == {name.split("/")[0] for name in names}
    assert splits(table) == {""}


def test_names_of_characters_are_no_names_of_parts() -> None:
    for name in ("Testarossa", "Trainer Red", "Evangelion", "Validus", "Devi", "train_test_split", "ミク"):
        found = part_of(name)
        assert found is None or found.rest, name


DROPPINGS = (
    ".ipynb_checkpoints/1-checkpoint.png",
    "__MACOSX/Rin/._1.png",
    "Rin/._1.png",
    "Rin/.1.png",
    "Rin/@eaDir/1.png",
    "Rin/Thumbs.db",
    "$RECYCLE.BIN/1.png",
)


def test_every_command_finds_the_same_pictures(tmp_path: Path) -> None:
    root = write(tmp_path / "pictures", "Rin/1.png", "Rin/deep/2.JPG", "Miku/1.png", *DROPPINGS)
    write(tmp_path / "elsewhere", "3.png")
    (root / "Rin" / "linked").symlink_to(tmp_path / "elsewhere")
    (root / "Rin" / "round").symlink_to(root)
    (root / "Miku" / "nowhere.png").symlink_to(tmp_path / "nothing")
    expected = ["Miku/1.png", "Miku/nowhere.png", "Rin/1.png", "Rin/deep/2.JPG", "Rin/linked/3.png"]
    assert sorted(read(root).manifest.table["path"]) == expected
    assert [path.relative_to(root).as_posix() for path in find_pictures(str(root))] == expected
    found = [path.relative_to(root).as_posix() for path in find_pictures(f"{root}/**/*")]
    assert found == [name for name in expected if "nowhere" not in name]
    assert find_pictures(f"{root}/__MACOSX/Rin/._*") == [root / "__MACOSX/Rin/._1.png"]


def test_a_folder_gives_files_of_any_name_but_texts_which_are_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = write(tmp_path / "pictures", "Rin/1.png", "Rin/bare", "Rin/2.heic", "Miku/1.png", *DROPPINGS)
    for name in ("README.txt", "names.jsonl", "Rin/1.txt"):
        (root / name).write_text("a girl")
    expected = ["Miku/1.png", "Rin/1.png", "Rin/2.heic", "Rin/bare"]
    assert set(expected) <= set(read(root).manifest.table["path"])
    assert [path.relative_to(root).as_posix() for path in find_pictures(str(root))] == expected
    assert capsys.readouterr().err == (f"3 text files were left out of input={root}, such as {root / 'README.txt'}\n")


def test_a_folder_of_texts_has_no_picture(tmp_path: Path) -> None:
    (tmp_path / "1.txt").write_text("a girl")
    for look in (find_pictures, check_pictures):
        with pytest.raises(InputError, match=r"no picture is found at input=.*: give a folder with pictures"):
            look(str(tmp_path))
