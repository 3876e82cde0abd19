"""Pictures of an earlier run: found where the run was started, and never taken from among the runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from animeid.config.earlier_data import earlier_data, found_from_here
from animeid.errors import InputError
from animeid.runs.folder import RunFolder


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunFolder:
    """A run that is called as its pictures are, started in the working folder."""
    monkeypatch.chdir(tmp_path)
    run = RunFolder(Path("outputs/pictures"))
    run.path.mkdir(parents=True)
    run.config.touch()
    Path("pictures").mkdir()
    return run


def test_a_run_is_not_its_own_pictures(run: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    assert found_from_here(run, "pictures") == "pictures"
    other = RunFolder(Path("outputs/other"))
    other.path.mkdir()
    assert found_from_here(other, "pictures") == "pictures", "another run is no place of pictures either"
    assert found_from_here(run, ".") == ".", "the folder of all runs is none"
    home = Path.cwd()
    monkeypatch.chdir("outputs")
    assert found_from_here(RunFolder(Path("pictures")), "pictures") == str(home / "pictures")


def test_pictures_are_found_beside_a_run_that_was_moved(run: RunFolder) -> None:
    Path("kept/figures").mkdir(parents=True)
    moved = RunFolder(run.path.rename("kept/run"))
    assert found_from_here(moved, "figures") == str(Path("kept/figures").resolve())
    (moved.path / "figures").mkdir()
    assert found_from_here(moved, "run/figures") == "run/figures", "what lies in a run is no data"
    assert found_from_here(moved, "pictures") == "pictures"


def test_pictures_that_were_moved_are_asked_for(run: RunFolder) -> None:
    Path("pictures").rename("elsewhere")
    told = r"the pictures of outputs/pictures were in pictures, which is not there any more: say with data\.root=FOLDER"
    with pytest.raises(InputError, match=told):
        earlier_data(run, {"root": "pictures"}, {"root": None})
    assert earlier_data(run, {"root": "pictures"}, {"root": "elsewhere"}) == {"root": "pictures"}
    assert earlier_data(run, {"root": None, "cache": "off"}, {"root": None, "cache": "auto"})["cache"] == "auto"
