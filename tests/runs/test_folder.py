"""Run folders: never overwritten, opened whole, written without half files."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

import pytest

from animeid.errors import InputError
from animeid.runs.claiming import claim
from animeid.runs.folder import RunFolder
from animeid.system.files import atomic, write_json


def test_an_existing_folder_is_refused_and_left_alone(tmp_path: Path) -> None:
    RunFolder.reserve("mine", tmp_path).create()
    (tmp_path / "mine" / "kept.txt").write_text("kept")
    with pytest.raises(InputError, match="never overwritten"):
        RunFolder.reserve("mine", tmp_path)
    assert (tmp_path / "mine" / "kept.txt").read_text() == "kept"


@pytest.mark.parametrize(
    ("file", "way_on"),
    [
        ("config.yaml", "it holds a training that was cut off, with which resume=auto goes on"),
        ("multirun.json", "it holds a multirun, with which the command that began it goes on"),
        ("trials.db", "it holds a search, with which animeid.tune goes on"),
        ("metrics.json", "never overwritten: choose another run_id"),
    ],
)
def test_the_refusal_of_a_folder_says_how_to_go_on_with_what_it_holds(file: str, way_on: str, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / file).touch()
    with pytest.raises(InputError, match=way_on):
        RunFolder.reserve("mine", tmp_path)


def test_two_runs_of_one_second_get_two_folders(tmp_path: Path) -> None:
    now = datetime(2026, 11, 22, 20, 0, 0)
    first = RunFolder.reserve(None, tmp_path, now)
    first.create()
    second = RunFolder.reserve(None, tmp_path, now)
    assert first.path == tmp_path / "2026-11-22" / "20-00-00"
    assert second.path == tmp_path / "2026-11-22" / "20-00-00-2"


def claimed_by_another(folder: str) -> str:
    return claim(Path(folder), datetime(2026, 11, 22, 20, 0, 0)).name


def test_no_two_processes_claim_one_folder(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        names = list(pool.map(claimed_by_another, [str(tmp_path / "outputs")] * 40))
    assert sorted(names) == sorted(["20-00-00", *(f"20-00-00-{number}" for number in range(2, 41))])


def test_runs_that_begin_at_once_have_folders_before_they_read_pictures(tmp_path: Path) -> None:
    with RunFolder.claimed(None, tmp_path) as first, RunFolder.claimed(None, tmp_path) as second:
        assert first.path != second.path
        first.create()
        second.create()
    assert first.checkpoints.is_dir()
    assert second.checkpoints.is_dir()


def test_a_claim_that_came_to_nothing_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no pictures"), RunFolder.claimed(None, tmp_path / "outputs") as run:
        assert run.path.is_dir()
        raise InputError("no pictures")
    assert not list(tmp_path.iterdir())


def test_a_place_where_no_folder_can_be_made_is_said_at_once(tmp_path: Path) -> None:
    (tmp_path / "outputs").touch()
    for name in (None, "mine"):
        with (
            pytest.raises(InputError, match=r"the run folder .* cannot be made .*: start from a folder that you may"),
            RunFolder.claimed(name, tmp_path / "outputs"),
        ):
            pass


def test_reserving_makes_nothing(tmp_path: Path) -> None:
    RunFolder.reserve("mine", tmp_path)
    assert not list(tmp_path.iterdir())


def test_opening_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no run folder"):
        RunFolder.open(tmp_path / "nothing")
    with pytest.raises(InputError, match=r"best\.ckpt"):
        RunFolder.open(tmp_path)


def test_a_failed_write_leaves_the_old_file_and_no_stray(tmp_path: Path) -> None:
    path = tmp_path / "value.json"
    write_json(path, {"old": 1})
    with pytest.raises(RuntimeError), atomic(path, "w") as stream:
        stream.write("half")
        raise RuntimeError
    assert path.read_text() == '{\n  "old": 1\n}\n'
    assert [file.name for file in tmp_path.iterdir()] == ["value.json"]


def test_not_a_number_is_no_json(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="JSON"):
        write_json(tmp_path / "value.json", {"f1_macro": float("nan")})
    assert not list(tmp_path.iterdir())
