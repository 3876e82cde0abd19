"""Manifests as real tools write them, and names that are spelled in several ways."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from animeid.data import manifest
from animeid.data.manifest import read_manifest
from animeid.data.prepare import prepare
from animeid.data.settings import DataSettings
from animeid.data.sources import read_source
from animeid.data.spellings import spelling_notes, spellings
from animeid.data.tables import column_names, read_table, read_texts
from animeid.errors import InputError
from animeid.runs.folder import RunFolder
from animeid.runs.saved import SavedRun

PATHS = ["a/1.png", "a/2.png", "b/3.png"]
GAP = ["Miku", None, "Rin"]


def parquet(folder: Path, **columns: Any) -> Path:
    pq.write_table(pa.table({"path": PATHS, **columns}), folder / "list.parquet")
    return folder / "list.parquet"


def labels(path: Path) -> list[str]:
    return read_manifest(path).table["label"].tolist()


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ("a/1.png", "a/1.png"),
        (" a/1.png ", "a/1.png"),
        ("./a/1.png", "a/1.png"),
        ("a//1.png", "a/1.png"),
        ("a/./1.png", "a/1.png"),
        ("a/b/../1.png", "a/1.png"),
        ("a/1.png/", "a/1.png"),
        ("a\\1.png", "a/1.png"),
        ("a/.hidden.png", "a/.hidden.png"),
        ("..a/1..png", "..a/1..png"),
        ("角色/1.png", "角色/1.png"),
    ],
)
def test_paths_are_told_in_one_way(given: str, found: str, tmp_path: Path) -> None:
    pd.DataFrame({"path": [given], "label": ["a"]}).to_parquet(tmp_path / "list.parquet")
    assert read_manifest(tmp_path / "list.parquet").table["path"].tolist() == [found]


def test_plain_paths_are_not_taken_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It took 30 microseconds of each, at every reading of a run."""
    monkeypatch.setattr(manifest, "_with_slashes", lambda *_: pytest.fail("a plain path was taken apart"))
    assert len(labels(parquet(tmp_path, label=["a", "a", "b"]))) == 3


@pytest.mark.parametrize(
    "label",
    [
        pd.Series(GAP, dtype="category"),
        pd.Series(GAP, dtype="string"),
        pd.Series(GAP, dtype="str"),
        pd.Series(GAP, dtype=object),
        pd.Series([*GAP[:1], np.nan, *GAP[2:]], dtype="category", index=[5, 6, 9]),
    ],
)
def test_text_columns_of_pandas(tmp_path: Path, label: pd.Series) -> None:
    table = pd.DataFrame({"path": PATHS, "label": label.to_numpy()})
    table["label"] = table["label"].astype(label.dtype)
    table["group"] = table["label"]
    table.to_parquet(tmp_path / "list.parquet")
    found = read_manifest(tmp_path / "list.parquet").table
    assert found["label"].tolist() == found["group"].tolist() == ["Miku", "", "Rin"]


@pytest.mark.parametrize(
    "kind", [pa.string(), pa.large_string(), pa.string_view(), pa.dictionary(pa.int32(), pa.large_string())]
)
def test_text_columns_of_other_tools(tmp_path: Path, kind: pa.DataType) -> None:
    assert labels(parquet(tmp_path, label=pa.array(GAP).cast(kind))) == ["Miku", "", "Rin"]


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        (pd.array([0, None, 12], dtype="Int64"), ["0", "", "12"]),
        (np.array([0.0, np.nan, 12.0]), ["0", "", "12"]),
        (pd.Categorical([0, None, 12]), ["0", "", "12"]),
        (np.array([0, 1, 12]), ["0", "1", "12"]),
        (np.array([0.5, np.nan, 12.0]), ["0.5", "", "12"]),
        (pd.array([True, None, False], dtype="boolean"), ["True", "", "False"]),
        (np.array([True, True, False]), ["True", "True", "False"]),
        ([None, None, None], ["", "", ""]),
        (np.array([1e20, np.nan, 12.0]), ["1e+20", "", "12"]),
        (pd.to_datetime(["2024-01-01", None, "2024-02-03"]), ["2024-01-01", "", "2024-02-03"]),
    ],
)
def test_labels_that_are_numbers(tmp_path: Path, label: Any, expected: list[str]) -> None:
    pd.DataFrame({"path": PATHS, "label": label}).to_parquet(tmp_path / "list.parquet")
    assert labels(tmp_path / "list.parquet") == expected


def test_a_path_that_became_the_index_is_found(tmp_path: Path) -> None:
    table = pd.DataFrame({"path": PATHS, "label": GAP, "split": pd.Categorical(["train", None, "val"])})
    table.set_index("path").to_parquet(tmp_path / "list.parquet")
    found = read_manifest(tmp_path / "list.parquet").table
    assert found["path"].tolist() == PATHS
    assert found["split"].tolist() == ["train", "", "val"]


@pytest.mark.parametrize(
    "smile",
    [
        pd.array([1, None, 0], dtype="Int64"),
        pd.array([True, None, False], dtype="boolean"),
        pd.Categorical([1, None, 0]),
        np.array([1.0, np.nan, 0.0], dtype=np.float32),
        pd.array(["1", None, "0"], dtype="string"),
    ],
)
def test_attributes_and_sizes_of_any_kind(tmp_path: Path, smile: Any) -> None:
    table = pd.DataFrame({"path": PATHS, "label": GAP, "smile": smile, "width": smile})
    table.to_parquet(tmp_path / "list.parquet")
    found = read_manifest(tmp_path / "list.parquet", ["smile"]).table
    np.testing.assert_array_equal(found["smile"], [1.0, np.nan, 0.0])
    assert found["width"].tolist() == [1, 0, 0]


@pytest.mark.parametrize("label", [[["a"], ["b"], None], [b"a", b"b", None], [{"x": 1}, None, None]])
def test_lists_and_bytes_are_refused_by_name(tmp_path: Path, label: list[Any]) -> None:
    with pytest.raises(InputError, match=r"the column 'label' of the manifest .*list\.parquet holds .*text is wanted"):
        labels(parquet(tmp_path, label=label))


def test_a_column_that_parquet_holds_twice_is_said(tmp_path: Path) -> None:
    pq.write_table(pa.table([PATHS, PATHS, PATHS], names=["path", "label", "label"]), tmp_path / "list.parquet")
    with pytest.raises(InputError, match=r"has the column 'label' twice: leave one out"):
        labels(tmp_path / "list.parquet")


def test_a_gap_in_the_paths_is_said(tmp_path: Path) -> None:
    pd.DataFrame({"path": ["1.png", None], "label": ["a", "b"]}).to_parquet(tmp_path / "list.parquet")
    with pytest.raises(InputError, match=r"row 2 of the manifest .* has no path: fill it in or remove the row"):
        labels(tmp_path / "list.parquet")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_spreadsheets_are_read_as_they_are_exported(tmp_path: Path, encoding: str, separator: str) -> None:
    text = "path,label ,split\r\na/1.png,初音ミク,train\r\nb/2.png,Rin,\r\n".replace(",", separator)
    (tmp_path / "list.csv").write_bytes(text.encode(encoding))
    table = read_manifest(tmp_path / "list.csv").table
    assert table["label"].tolist() == ["初音ミク", "Rin"]
    assert table["split"].tolist() == ["train", ""]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (["0.0", "", "12.0"], ["0", "", "12"]),
        (["1.0", "1.5", ""], ["1.0", "1.5", ""]),
        (["1.0", "2.0", "3.0"], ["1", "2", "3"]),
    ],
)
def test_whole_numbers_of_a_column_of_fractions(tmp_path: Path, given: list[str], expected: list[str]) -> None:
    pd.DataFrame({"path": PATHS, "label": given}).to_csv(tmp_path / "list.csv", index=False)
    assert labels(tmp_path / "list.csv") == expected


def test_parts_are_known_by_the_words_of_folders(tmp_path: Path) -> None:
    table = pd.DataFrame({"path": PATHS, "label": GAP, "split": pd.Categorical(["Train", "validation", "TEST"])})
    table.to_parquet(tmp_path / "list.parquet")
    table.to_csv(tmp_path / "list.csv", index=False)
    for name in ("list.parquet", "list.csv"):
        assert read_manifest(tmp_path / name).table["split"].tolist() == ["train", "val", "test"]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("path,label\n1.png,a\n".encode("utf-16-le"), "looks like UTF-16 without"),
        ("path,label\n1.png,a\n".encode("utf-16-be"), "looks like UTF-16 without"),
        ("path,label\n1.png,a\n".encode("utf-32"), "is UTF-32: save it as UTF-8"),
        ("path,label\n1.png,a\n".encode("utf-32-le"), "looks like UTF-32 without"),
        (b"filename,class\n1.png,a\n", "rename the column 'filename' to 'path'"),
        (b"path,choice\n1.png,a\n", "rename the column 'choice' to 'label'"),
        (b"path,label,label\n1.png,a,b\n", "has the column 'label' twice"),
        (b"path,remarks\n1.png,a\n", "has no column 'label': it has path, remarks; call the one that is meant 'label'"),
        (b"1.png,a\n2.png,b\n", "first line is a picture already: put a line with the names path,label above"),
        (b"path|label\n1.png|a\n", "put commas, semicolons or tabs between the fields"),
        (b"path label\n1.png a\n", "put commas, semicolons or tabs between the fields"),
        (b"PK\x03\x04" + bytes(64), "is no CSV but an Excel workbook"),
        (b"\x1f\x8b\x08" + bytes(64), "is no CSV but packed by gzip"),
        (b"path,label\n1.png,Rei, the first\n", "such as row 1 with 3 where the header has 2: put double quotes round"),
        (
            b"path;label\n1.png;Rei\n2.png;Rei; the first\n",
            "such as line 3 with 3 where the header has 2: .* ';' in it",
        ),
        (b'path,label\n1.png,"Rei\n2.png,Rei\n', 'has a " that is never closed'),
        (
            b'path,label\n1.png,a\n2.png,"b\n3.png,b\n4.png,b"\n',
            "row 2 .* has a label of 3 lines: close the double quote",
        ),
        (b'path,label,caption\n1.png,a,"big\n2.png,b,x\n3.png,b,"y"\n', "row 1 .* has a caption of 3 lines: close"),
        (b'path,tags,label\n1.png,"big,a\n2.png,"small",b\n', r"row 1 .* has a tags of 2 lines: .*\(2.png,small"),
        (b'label;path\n"Rei;1.png\n"Rin";2.png\n', "row 1 .* has a label of 2 lines: close"),
        (b'path,label\nno_ending,"a\nno_ending_2,"b"\n', "row 1 .* has a label of 2 lines: close"),
        (b"path,label\nhttp://x/1.png,a\n", "row 1 .* has the address http://x/1.png: download the pictures first"),
    ],
)
def test_what_is_wrong_with_a_list_is_said(tmp_path: Path, content: bytes, sentence: str) -> None:
    (tmp_path / "list.csv").write_bytes(content)
    with pytest.raises(InputError, match=sentence) as refusal:
        read_manifest(tmp_path / "list.csv")
    assert "\0" not in str(refusal.value)


def test_texts_of_several_lines_and_blank_lines_before_the_header(tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text('\n\npath;label;caption\n1.png;"Rei\nA";"one; two\nthree; four"\n')
    table = read_manifest(tmp_path / "list.csv").table
    assert table["label"].tolist() == ["Rei\nA"]
    assert table["caption"].tolist() == ["one; two\nthree; four"]


@pytest.mark.parametrize(
    "label", ["Rei\nAyanami, the first", "Rei\nAyanami, 1.png", "a, b\r\nc", "Rei\n2.png", "Rei\nsee 2.jpg"]
)
def test_texts_of_several_lines_that_are_no_rows(tmp_path: Path, label: str) -> None:
    (tmp_path / "list.csv").write_text(f'path,label\n1.png,"{label}"\n2.png,b\n', newline="")
    assert labels(tmp_path / "list.csv") == [label, "b"]


def test_a_path_behind_a_text_of_several_lines(tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text('label,path\n"Rei\nAyanami",1.png\nb,2.png\n')
    assert labels(tmp_path / "list.csv") == ["Rei\nAyanami", "b"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("list.csv", "path\tlabel\tsize (w,h,c)\n1.png\tRei\t1,2,3\n"),
        ("list.csv", 'path,label,"a; b; c; d"\n1.png,Rei,x\n'),
        ("list.csv", "path,label,a;b;c;d\n1.png,Rei,x\n"),
        ("list.tsv", "path\tlabel\ta,b,c,d\n1.png\tRei\tx\n"),
        ("list.csv", "\n\nsep=;\n\npath;label\n1.png;Rei\n"),
        ("list.csv", "\nsep=|\npath|label\n1.png|Rei\n"),
    ],
)
def test_the_separator_is_the_one_by_which_the_header_is_understood(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    assert labels(tmp_path / name) == ["Rei"]
    assert read_table(tmp_path / name, ["path", "label"])[0]["path"].tolist() == ["1.png"]
    assert column_names(tmp_path / name)[:2] == ["path", "label"]


def test_a_list_by_tabs_says_what_it_has(tmp_path: Path) -> None:
    (tmp_path / "list.tsv").write_text("filename\tsize (w,h,c)\n1.png\t1,2,3\n")
    with pytest.raises(InputError, match=r"it has filename, size \(w,h,c\); rename the column 'filename'"):
        labels(tmp_path / "list.tsv")


@pytest.mark.parametrize("header", ['path, "label"', "path,label", '"path",  "label"', "path, label"])
def test_quotes_behind_spaces(tmp_path: Path, header: str) -> None:
    (tmp_path / "list.csv").write_text(f'{header}\n1.png, "Rei, the first"\n2.png,  "Rin"\n "3.png", Rin\n')
    table = read_manifest(tmp_path / "list.csv").table
    assert table["label"].tolist() == ["Rei, the first", "Rin", "Rin"]
    assert table["path"].tolist() == ["1.png", "2.png", "3.png"]


def test_tabs_by_their_own_ending(tmp_path: Path) -> None:
    (tmp_path / "list.tsv").write_text("path\tlabel\n1.png\tRei, the first\n")
    assert labels(tmp_path / "list.tsv") == ["Rei, the first"]


def test_whole_paths_by_any_name_of_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "link").symlink_to("own")
    monkeypatch.chdir(tmp_path / "own")
    given = [f"{tmp_path}/own/a.png", f"{tmp_path}/link/b.png", "../own/c.png", "../link/d.png"]
    text = "\n".join(["path,label", *(f"{path},Rei" for path in given)])
    (tmp_path / "own" / "list.csv").write_text(text + "\n")
    for folder in (tmp_path / "own", tmp_path / "link", Path("../own"), Path("../link")):
        found = read_manifest(folder / "list.csv").table["path"].tolist()
        assert found == ["a.png", "b.png", "c.png", "d.png"]
    (tmp_path / "owner").mkdir()
    (tmp_path / "own" / "list.csv").write_text(f"path,label\n{tmp_path}/owner/a.png,Rei\n")
    with pytest.raises(InputError, match="outside"):
        read_manifest(tmp_path / "own" / "list.csv")


def test_the_root_is_where_the_working_folder_is_now(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a notebook that changes it between two lists of the same name."""
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / f"to_{name}").symlink_to(name)
        (tmp_path / name / "list.csv").write_text(f"path,label\n{tmp_path}/to_{name}/1.png,Rei\n")
        monkeypatch.chdir(tmp_path / name)
        assert read_manifest(Path("list.csv")).table["path"].tolist() == ["1.png"]
    (tmp_path / "two" / "list.csv").write_text(f"path,label\n{tmp_path}/one/1.png,Rei\n")
    with pytest.raises(InputError, match="outside"):
        read_manifest(Path("list.csv"))


def test_the_root_is_looked_up_once_and_not_for_each_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    real, absolute = os.path.realpath, Path.absolute

    def told(path: Path) -> Path:
        asked.append(str(path))
        return path

    monkeypatch.setattr(os.path, "realpath", lambda path: real(told(path)))
    monkeypatch.setattr(Path, "absolute", lambda path: absolute(told(path)))
    (tmp_path / "list.csv").write_text("path,label\n角色/1.png,a\n角色/2.png,a\n角色/3.png,b\n")
    assert len(labels(tmp_path / "list.csv")) == 3
    assert asked == [str(tmp_path)] * 2


@pytest.mark.parametrize(
    ("header", "told"),
    [
        ("path,label,Split", "'Split'; a column called 'split'"),
        ("path,label,is_valid", "'is_valid'; a column called 'split'"),
        ("path,label,Usage,data set", "'Usage', 'data set'; a column called 'split'"),
        ("path,label, GROUP", "'GROUP'; a column called 'group'"),
        ("path,label,split,subset", ""),
        ("path,label,series", ""),
    ],
)
@pytest.mark.parametrize("ending", [".csv", ".parquet"])
def test_columns_that_seem_meant_and_are_not_read_are_told(tmp_path: Path, header: str, told: str, ending: str) -> None:
    columns = [name.strip() for name in header.split(",")]
    table = pd.DataFrame([["1.png", "a", *(["train"] * (len(columns) - 2))]], columns=columns)
    path = tmp_path / f"list{ending}"
    (table.to_csv if ending == ".csv" else table.to_parquet)(path, index=False)
    notes = read_source(DataSettings(root=str(path))).notes
    assert [note.partition(": ")[2].removesuffix(" is used as such") for note in notes] == [told] * bool(told)


def test_columns_that_the_user_names_are_not_said_to_be_unread(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text("path,label,Style,is_valid,Group\n1.png,a,ink,1,x\n2.png,b,oil,0,y\n")
    notes = read_source(DataSettings(root=str(path), style_column="Style", attributes=["is_valid"])).notes
    assert [note.partition(": ")[2] for note in notes] == ["'Group'; a column called 'group' is used as such"]


def test_a_list_whose_pictures_are_all_elsewhere_says_where_paths_begin(tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text("path,label\nimg/1.png,a\nimg/2.png,b\n")
    with pytest.raises(
        InputError, match=r"none of the 2 pictures .*/img/1\.png: give paths from .* on, where the manif"
    ):
        prepare(DataSettings(root=str(tmp_path / "list.csv"), cache="off"))


def test_what_other_tools_write_is_understood(tmp_path: Path) -> None:
    (tmp_path / " b.png").write_bytes(b"")
    (tmp_path / "list.csv").write_text(f"sep=;\npath;label\nfile://{tmp_path}/a%20b.png;A\n 1.png ;B\n b.png;C\n")
    assert read_manifest(tmp_path / "list.csv").table["path"].tolist() == ["a b.png", "1.png", " b.png"]


def test_characters_called_na_are_read_back(tmp_path: Path) -> None:
    table = pd.DataFrame({"label": ["NA", "None", "null", "nan"], "other_label": ["", "N/A", "x", "y"]})
    table.to_csv(tmp_path / "conflicts.csv", index=False)
    pd.testing.assert_frame_equal(read_texts(tmp_path / "conflicts.csv"), table, check_dtype=False)
    saved = SavedRun(RunFolder(tmp_path))
    assert saved.conflicts["label"].tolist() == table["label"].tolist()


def test_lists_made_on_windows_are_read(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    for name in ("a/1.png", r"a\odd.png"):
        Image.new("RGB", (8, 8)).save(tmp_path / name)
    path = tmp_path / "list.csv"
    path.write_text("path,label\na\\1.png,Miku\n.\\a\\..\\b\\2.png,Rin\na\\odd.png,Rin\n")
    assert read_manifest(path).table["path"].tolist() == ["a/1.png", "b/2.png", r"a\odd.png"]
    for given in (r"C:\pictures\1.png", "c:/pictures/1.png", r"\\server\share\1.png"):
        path.write_text(f"path,label\n{given},Miku\n")
        with pytest.raises(InputError, match=r"row 1 .* has the Windows path .*: give paths from the manifest's own"):
            read_manifest(path)


def test_spellings_of_one_name() -> None:
    names = [
        "Miku",
        "miku",
        "Ｍｉｋｕ",
        "Mi ku",
        "Rin",
        "Hatsune Miku",
        "Hatsune_Miku",
        "ﾐｸ",
        "ミク",
        "Straße",
        "STRASSE",
        "Rei",
        "Re\u200bi\ufeff",
    ]
    assert spellings(names) == [
        ["Hatsune Miku", "Hatsune_Miku"],
        ["Mi ku", "Miku", "miku", "Ｍｉｋｕ"],
        ["Rei", "Re\u200bi\ufeff"],
        ["STRASSE", "Straße"],
        ["ミク", "ﾐｸ"],
    ]


def test_a_spelling_that_was_told_is_not_told_again() -> None:
    assert spelling_notes({"Miku", "miku", "Rei"}, told={"Miku", "miku"}) == []
    (note,) = spelling_notes({"Miku", "miku", "Rei", "rei"}, told={"Miku", "miku", "Rei"})
    assert "'Rei' and 'rei'" in note
    assert "Miku" not in note


def test_a_mark_that_nobody_sees_is_written_out() -> None:
    (note,) = spelling_notes({"Rei", "Rei\u200b"})
    assert r"'Rei' and 'Rei\u200b'" in note


def test_spellings_are_told_when_pictures_are_read(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    for name in ("Miku", "ｍｉｋｕ", "Rin"):
        (tmp_path / name).mkdir()
        for number in range(3):
            pixels = random.integers(0, 256, (24, 24, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / name / f"{number}.png")
    prepared = prepare(DataSettings(root=str(tmp_path), cache="off"))
    (note,) = (note for note in prepared.notes if "WARNING" in note)
    assert "'Miku' and 'ｍｉｋｕ'; if they are one" in note
    assert prepared.labels == ("Miku", "Rin", "ｍｉｋｕ")
