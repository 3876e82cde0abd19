"""Folders that pictures are sorted into."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from animeid.errors import InputError
from animeid.inference.sorting import UNKNOWN, check_folder, folder_names


def test_no_two_classes_share_a_folder() -> None:
    labels = ["a/b", "a\\b", "a_b", "unknown", "Unknown", "names.csv", "Miku", "miku", "..", "."]
    found = folder_names(labels)
    names = [name.casefold() for name in found.values()]
    assert set(found) == set(labels)
    assert len({*names, UNKNOWN, "names.csv"}) == len(labels) + 2
    assert (found["a_b"], found["Miku"]) == ("a_b", "Miku")
    assert not any({"/", "\\"} & set(name) for name in names)


def test_every_name_fits_a_disk(tmp_path: Path) -> None:
    found = folder_names(["ミ" * 200, "ミ" * 201, "x" * 300])
    assert len(set(found.values())) == 3
    for name in found.values():
        (tmp_path / name).mkdir()


def test_names_that_this_locale_cannot_write_are_spelled_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "getfilesystemencoding", lambda: "ascii")
    assert folder_names(["ミク", "Rin"]) == {"Rin": "Rin", "ミク": "_u30df_u30af"}


def test_a_folder_that_cannot_be_made_is_refused_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "base.log").write_text("")
    with pytest.raises(InputError, match=r"cannot be made, since .*base\.log is a file"):
        check_folder(f"{tmp_path}/base.log/sorted/")

    def refuse(**_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("tempfile.TemporaryFile", refuse)
    with pytest.raises(InputError, match=r"cannot be written \(Permission denied\)"):
        check_folder(f"{tmp_path}/new/sorted/")
