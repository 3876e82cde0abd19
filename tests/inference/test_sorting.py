"""Pictures sorted into folders: whole or not there, and begun again by the same command."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from animeid.errors import InputError
from animeid.inference.output_rows import Answer
from animeid.inference.sorting import NAMES, UNFINISHED, check_folder, filled, sort


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
        list(sort(answered(pictures, stop), partial, "copy", 0.5))
    assert not folder.exists()
    with filled(check_folder(str(folder))) as partial:
        list(sort(answered(pictures), partial, "copy", 0.5))
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
        list(sort(answered(pictures), partial, "link", 0.5))
    assert content(folder) == {"a/a.png", "b/b.png", "c/c.png"}


def test_a_folder_that_another_process_fills_is_left_to_it(pictures: list[Path], tmp_path: Path) -> None:
    folder = tmp_path / "sorted"
    at_work = f"process {os.getpid()} on .* is at work on .*sorted"
    with filled(folder) as partial:
        list(sort(answered(pictures), partial, "copy", 0.5))
        with pytest.raises(InputError, match=at_work):
            check_folder(str(folder))
        with pytest.raises(InputError, match=at_work), filled(folder):
            pass
    assert content(folder) == {"a/a.png", "b/b.png", "c/c.png"}
