"""Code outside the package: only the command line allows it, and a run made with it needs the same again."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from animeid import evaluate, train
from animeid.config import own_code
from animeid.config.compose import compose
from animeid.config.freeze import read_plan
from animeid.config.source import module_file, module_names
from animeid.errors import InputError
from animeid.runs.folder import RunFolder
from animeid.system.files import read_yaml, write_yaml
from tests.small_runs import QUICK, class_folders

pytestmark = pytest.mark.usefixtures("without_reports")

LOSS = """
from animeid.losses.cross_entropy import CrossEntropyLoss
from animeid.types import LabelStats


class Mine(CrossEntropyLoss):
    '''Cross entropy under another name.'''

    def __init__(self, stats: LabelStats, *, ignored: int = 3) -> None:
        super().__init__(stats)
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of code and one of cards that name it; nothing is allowed yet."""
    (tmp_path / "lab_code").mkdir()
    (tmp_path / "lab_code" / "mine.py").write_text(LOSS)
    (tmp_path / "cards" / "loss").mkdir(parents=True)
    card = {"_target_": "lab_code.mine.Mine", "_partial_": True}
    write_yaml(tmp_path / "cards" / "loss" / "mine.yaml", card)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(own_code.ALLOWED, "")
    monkeypatch.setenv("PYTHONPATH", "")
    monkeypatch.setattr(sys, "path", list(sys.path))
    forget()
    return tmp_path


def forget() -> None:
    """What was found of modules before; a test's own are others each time."""
    module_file.cache_clear()
    module_names.cache_clear()
    for name in [name for name in sys.modules if name.partition(".")[0] == "lab_code"]:
        del sys.modules[name]


def request(*overrides: str) -> dict:
    return compose("train", ["loss=mine", *overrides], ["cards"])


def test_code_is_imported_only_where_the_command_line_allows_it(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(InputError, match="code of your own is allowed by code=FOLDER on the command line"):
        request()
    assert request("code=lab_code", "++loss.ignored=4")["loss"]["ignored"] == 4
    assert "lab_code.mine" not in sys.modules, "its text is read, and nothing of it runs"
    assert "code=lab_code allows code that is not animeid's own" in capsys.readouterr().err
    with pytest.raises(InputError, match=r"loss\.ignored must be a whole number"):
        request("code=lab_code", "++loss.ignored=x")


def test_neither_a_card_nor_a_run_allows_code(home: Path) -> None:
    (home / "cards" / "experiment").mkdir()
    text = "# @package _global_\ncode: lab_code\n"
    (home / "cards" / "experiment" / "sly.yaml").write_text(text)
    with pytest.raises(InputError, match="only the command line can allow code"):
        request("experiment=sly")
    plan = {"code": str(home / "lab_code"), "loss": {"_target_": "lab_code.mine.Mine"}}
    write_yaml(home / "config.yaml", plan)
    with pytest.raises(InputError, match="a card can name only what lies under"):
        read_plan(home / "config.yaml")
    assert "lab_code.mine" not in sys.modules


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        ("nowhere/at/all", "is neither a folder nor a module"),
        ("json", "has the name of another package"),
        ("not-a-name", "rename the folder"),
    ],
)
def test_what_cannot_be_code(code: str, sentence: str, home: Path) -> None:
    for folder in ("json", "not-a-name"):
        (home / folder).mkdir()
    with pytest.raises(InputError, match=sentence):
        request(f"code={code}")


def test_a_run_with_own_code_records_it_and_needs_it_again(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class_folders(home / "pictures", {"a": 12, "b": 12}, coarse=4)
    command = ["--config-dir=cards", "data.root=pictures", *QUICK, "loss=mine", "trainer.max_epochs=1", "run_id=own"]
    assert train.main([*command, "code=lab_code"]) == 0
    run = RunFolder(home / "outputs" / "own")
    assert read_yaml(run.request)["code"] == "lab_code"
    monkeypatch.setenv(own_code.ALLOWED, "")
    capsys.readouterr()
    assert evaluate.main([f"run={run.path}"]) == 2
    assert train.main([*command, "resume=must"]) == 2
    assert capsys.readouterr().err.count("is allowed by code=FOLDER") == 2
    assert evaluate.main([f"run={run.path}", "code=lab_code"]) == 0
    shutil.rmtree(home / "outputs")
