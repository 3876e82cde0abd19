"""The notebooks: committed without outputs, and each runs from its first to its last cell on real runs."""

from __future__ import annotations

import ast
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from animeid import train
from tests.small_runs import QUICK, class_folders

if TYPE_CHECKING:
    from nbformat import NotebookNode

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


def read(path: Path) -> NotebookNode:
    import nbformat  # it takes seconds

    return nbformat.read(path, as_version=4)


def code(notebook: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def test_they_are_all_here() -> None:
    assert [path.stem for path in NOTEBOOKS] == ["compare_runs", "explore_manifest", "read_run"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_nothing_that_running_leaves_is_committed(path: Path) -> None:
    import nbformat

    notebook = read(path)
    nbformat.validate(notebook)
    assert [cell.id for cell in code(notebook) if cell.outputs or cell.execution_count is not None] == []
    assert set(notebook.metadata) == {"kernelspec", "language_info"}
    assert notebook.metadata.language_info == {"name": "python"}, "no version of the machine that ran it last"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_parameters_come_first_and_nothing_is_defined(path: Path) -> None:
    notebook = read(path)
    assert notebook.cells[0].metadata.tags == ["parameters"]
    nodes = [node for cell in code(notebook) for node in ast.walk(ast.parse(cell.source))]
    assert not [node for node in nodes if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Lambda)]
    assert not [node for node in nodes if isinstance(node, ast.Name) and node.id in ("torch", "nn", "open")]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Path]:
    """A folder with Chinese and Japanese names and copies, and two runs on it."""
    home = tmp_path_factory.mktemp("home")
    counts = {"初音ミク": 40, "霧雨魔理沙": 30, "Tom & Jerry": 20}
    pictures = class_folders(home / "pictures", counts, coarse=6)
    shutil.copy(pictures / "初音ミク" / "0.png", pictures / "初音ミク" / "copy.png")
    shutil.copy(pictures / "初音ミク" / "1.png", pictures / "Tom & Jerry" / "misplaced.png")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(home)
        for seed in ("1", "2"):
            arguments = [f"data.root={pictures}", *QUICK, "trainer.max_epochs=1", f"run_id=run{seed}", f"seed={seed}"]
            assert train.main(arguments) == 0
    return pictures, home / "outputs" / "run1", home / "outputs" / "run2"


def execute(name: str, parameters: str) -> NotebookNode:
    """Runs a notebook with other parameters, as papermill would."""
    import nbformat
    from nbclient import NotebookClient

    notebook = read(ROOT / "notebooks" / f"{name}.ipynb")
    notebook.cells.insert(1, nbformat.v4.new_code_cell(parameters))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(ROOT))
        NotebookClient(notebook, timeout=300, resources={"metadata": {"path": ROOT / "notebooks"}}).execute()
    return notebook


def pictures_in(notebook: NotebookNode) -> int:
    outputs = [output for cell in code(notebook) for output in cell.outputs]
    assert not [output.text for output in outputs if output.get("name") == "stderr" and "Warning" in output.text]
    return sum("image/png" in output.get("data", {}) for output in outputs)


@pytest.mark.slow
def test_a_folder_is_explored(runs: tuple[Path, Path, Path]) -> None:
    assert pictures_in(execute("explore_manifest", f"data_root = {str(runs[0])!r}")) == 6


@pytest.mark.slow
def test_the_manifest_of_a_run_is_explored(runs: tuple[Path, Path, Path]) -> None:
    assert pictures_in(execute("explore_manifest", f"data_root = {str(runs[1] / 'manifest.parquet')!r}")) == 6


@pytest.mark.slow
def test_a_run_is_read(runs: tuple[Path, Path, Path]) -> None:
    assert pictures_in(execute("read_run", f"run = {str(runs[1])!r}")) == 4


@pytest.mark.slow
def test_runs_are_compared(runs: tuple[Path, Path, Path]) -> None:
    assert pictures_in(execute("compare_runs", f"runs = {[str(run) for run in runs[1:]]!r}")) == 3
