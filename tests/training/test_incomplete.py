"""Pictures that lack pixels are left out or kept, as the user says, by each command alike."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from animeid import evaluate, predict, train
from animeid.data.manifest import read_manifest
from animeid.runs.folder import RunFolder
from tests.small_runs import QUICK, class_folders


def test_pictures_that_lack_pixels_are_left_out_or_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    class_folders(tmp_path / "pictures", {"a": 12, "b": 12}, coarse=4)
    cut = sorted((tmp_path / "pictures" / "a").iterdir())[0]
    cut.write_bytes(cut.read_bytes()[:-40])
    command = ["data.root=pictures", f"data.cache={tmp_path / 'cache'}", *QUICK, "trainer.max_epochs=1"]
    for choice, pictures in (("keep", 24), ("leave_out", 23)):
        assert train.main([*command, f"data.incomplete={choice}", f"run_id={choice}"]) == 0
        assert len(read_manifest(RunFolder(Path("outputs") / choice).manifest).table) == pictures
    assert capsys.readouterr().out.count("data.incomplete=keep uses broken files") == 1
    (tmp_path / "new" / "a").mkdir(parents=True)
    (tmp_path / "new" / "b").mkdir()
    for name in ("a", "b"):
        for file in sorted((tmp_path / "pictures" / name).iterdir())[:2]:
            (tmp_path / "new" / name / file.name).write_bytes(file.read_bytes())
    judge = ["data.root=new", "data.leaks=report"]
    for run, asked, named in (("keep", [], 0), ("leave_out", [], 2), ("leave_out", ["incomplete=keep"], 0)):
        output = Path(f"{run}_{len(asked)}.csv")
        assert predict.main([f"run=outputs/{run}", f"input={cut}", f"output={output}", *asked]) == named
        assert pd.read_csv(output)["error"].notna().tolist() == [bool(named)]
        assert evaluate.main([f"run=outputs/{run}", *judge, *(f"data.{one}" for one in asked)]) == 0
        said = capsys.readouterr()
        assert ("incomplete=keep names broken files" in said.err) == bool(named)
        assert ("data.incomplete=keep uses broken files" in said.out) == bool(named)
