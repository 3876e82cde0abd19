"""Pictures sorted into folders: whole or not there, and begun again by the same command."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from animeid.errors import InputError
from animeid.inference.output_rows import Answer
from animeid.inference.sorting import NAMES, UNFINISHED, UNKNOWN, check_folder, filled, folder_names, sort

FOLDERS = {name: name for name in "abc"}


@pytest.fixture
def pictures(tmp_path: Path) -> list[Path]:
    paths = [tmp_path / f"{name}.png" for name in "abc"]
    for path in paths:
        path.write_bytes(b"a picture")
    return paths


def answered(pictures: list[Path], stop: BaseException | None = None) -> Iterator[tuple[Path, Answer]]:
    for path in pictures:
        yield path, {"path": path.name, "names": [{"label": path.stem, "probability": 0.9}], "error": ""}
        if stop is not None:
            raise stop


def content(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("is_there", [False, True])
@pytest.mark.parametrize("stop", [KeyboardInterrupt(), InputError("none could be read")])
def test_what_is_cut_short_leaves_nothing_and_begins_again(
    stop: BaseException, is_there: bool, pictures: list[Path], tmp_path: Path
) -> None:
    folder = tmp_path / "sorted"
    if is_there:
        folder.mkdir()
    with pytest.raises(type(stop)), filled(check_folder(str(folder))) as partial:
        list(sort(answered(pictures, stop), partial, "copy", 0.5, FOLDERS))
    assert not folder.exists()
    with filled(check_folder(str(folder))) as partial:
        list(sort(answered(pictures), partial, "copy", 0.5, FOLDERS))
        (partial / NAMES).touch()
        assert {path.name for path in folder.iterdir()} == {UNFINISHED}
    assert content(folder) == {"a/a.png", "b/b.png", "c/c.png", NAMES}
    with pytest.raises(InputError, match="is there already and is not overwritten"):
        check_folder(str(folder))


def test_what_a_kill_left_is_replaced(pictures: list[Path], tmp_path: Path) -> None:
    folder = tmp_path / "sorted"
    (folder / UNFINISHED / "a").mkdir(parents=True)
    (folder / UNFINISHED / "a" / "of before.png").touch()
    (folder / UNFINISHED / ".lock").write_text("process 1 on a machine")
    with filled(check_folder(str(folder))) as partial:
        list(sort(answered(pictures), partial, "link", 0.5, FOLDERS))
    assert content(folder) == {"a/a.png", "b/b.png", "c/c.png"}


def test_a_folder_that_another_process_fills_is_left_to_it(pictures: list[Path], tmp_path: Path) -> None:
    folder = tmp_path / "sorted"
    at_work = f"process {os.getpid()} on .* is at work on .*sorted"
    with filled(folder) as partial:
        list(sort(answered(pictures), partial, "copy", 0.5, FOLDERS))
        with pytest.raises(InputError, match=at_work):
            check_folder(str(folder))
        with pytest.raises(InputError, match=at_work), filled(folder):
            pass
    assert content(folder) == {"a/a.png", "b/b.png", "c/c.png"}


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


def refusing(number: int) -> Callable[..., None]:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    return refuse


def test_a_disk_that_keeps_no_times_takes_copies(
    pictures: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As shared folders of virtual machines and mounted drives, where copying a file with its mode is not permitted."""
    for name in ("chmod", "utime"):
        monkeypatch.setattr(os, name, refusing(errno.EPERM))
    list(sort(answered(pictures), tmp_path / "sorted", "copy", 0.5, FOLDERS))
    assert content(tmp_path / "sorted") == {"a/a.png", "b/b.png", "c/c.png"}


def test_a_disk_without_links_is_said(pictures: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "symlink_to", refusing(errno.EPERM))
    with pytest.raises(InputError, match=r"links cannot be made in .*sorted/a .*: ask for sort=copy"):
        list(sort(answered(pictures), tmp_path / "sorted", "link", 0.5, FOLDERS))
    monkeypatch.setattr(Path, "symlink_to", refusing(errno.ENOSPC))
    with pytest.raises(OSError, match="No space left"):
        list(sort(answered(pictures), tmp_path / "sorted", "link", 0.5, FOLDERS))
