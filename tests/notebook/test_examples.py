"""The notebooks and the sweep file come with the package."""

from __future__ import annotations

from pathlib import Path

import pytest

from animeid import examples
from animeid.errors import InputError
from animeid.notebook.examples import INSTALLED, example_files

NAMES = ["compare_runs.ipynb", "explore_manifest.ipynb", "read_run.ipynb", "wandb_sweep.yaml"]


def test_a_command_writes_them_and_overwrites_nothing(tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    assert examples.main(["output=mine"]) == 0
    assert sorted(path.name for path in Path("mine").iterdir()) == NAMES
    assert "4 files were written to mine" in capsys.readouterr().out
    Path("mine/read_run.ipynb").write_text("changed")
    assert examples.main(["output=mine"]) == 2
    assert Path("mine/read_run.ipynb").read_text() == "changed"


@pytest.mark.parametrize("output", ["file", "file/mine"])
def test_a_file_in_the_way_is_named(output: str, tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    Path("file").write_text("precious")
    assert examples.main([f"output={output}"]) == 2
    assert f"output={output} cannot be made, since " in capsys.readouterr().err
    assert Path("file").read_text() == "precious"


def test_they_are_found_inside_an_installed_package(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="install animeid again"):
        example_files(tmp_path / "site" / "animeid")
    inside = tmp_path / "site" / "animeid" / INSTALLED / "notebooks"
    inside.mkdir(parents=True)
    (inside / "one.ipynb").touch()
    assert example_files(tmp_path / "site" / "animeid") == [inside / "one.ipynb"]
