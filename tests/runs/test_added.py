"""Classes and pictures that came to a run's data since it began: said, and never trained on by halves."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from animeid.data.manifest import Manifest
from animeid.errors import InputError
from animeid.multirun.record import Asked
from animeid.multirun.running import Running
from animeid.runs.added import check_added
from animeid.runs.folder import RunFolder
from animeid.runs.saved import SavedRun
from animeid.system.files import write_json, write_yaml
from animeid.training import resume
from tests.runs.fake_runs import fake_manifest, fake_run


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunFolder:
    """A finished run on `list.csv`, whose manifest has three classes and a stranger."""
    monkeypatch.chdir(tmp_path)
    manifest = fake_manifest(tmp_path)
    manifest.table[["path", "label", "split"]].to_csv("list.csv", index=False)
    return fake_run(Path("outputs/run"), manifest)


def rewrite(**columns: list[str]) -> dict[str, object]:
    """Adds rows to the list, or replaces columns, and returns the data of a request."""
    table = pd.read_csv("list.csv", dtype=str, keep_default_na=False)
    more = pd.DataFrame(columns)
    table = table.assign(**columns) if len(more) == len(table) else pd.concat([table, more], ignore_index=True)
    table.fillna("").to_csv("list.csv", index=False)
    return {"root": "list.csv"}


def test_nothing_is_said_where_nothing_came(run: RunFolder, capsys: pytest.CaptureFixture[str]) -> None:
    check_added(run, {"root": "list.csv", "parts": None, "attributes": []})
    check_added(run, {"root": None})
    check_added(run, {"root": "gone.csv"})
    assert capsys.readouterr().out == ""


def test_a_class_that_came_is_refused_by_name(run: RunFolder) -> None:
    data = rewrite(path=["new.png", "other.png"], label=["ミク2", "stranger"], split=["train", "unknown"])
    with pytest.raises(InputError, match=r"list\.csv has classes that the run .* was begun without \(ミク2\), and a"):
        check_added(run, data)


def test_pictures_that_came_and_labels_that_changed_are_told(
    run: RunFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    data = rewrite(path=["new.png"], label=["b"], split=["train"])
    check_added(run, data)
    assert "of list.csv, 1 picture was added since the run outputs/run was begun" in capsys.readouterr().out
    pd.DataFrame({"path": ["new.png"], "reason": ["broken"]}).to_csv(run.skipped, index=False)
    check_added(run, data)
    assert capsys.readouterr().out == ""
    table = pd.read_csv("list.csv", dtype=str, keep_default_na=False)
    check_added(run, rewrite(label=["b", *table["label"][1:]]))
    assert "of list.csv, 1 picture has another label since the run" in capsys.readouterr().out


def test_a_picture_that_was_always_listed_under_two_labels_has_no_other_one(
    run: RunFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    twice = SavedRun(run).manifest
    row = twice.table[twice.table["path"] == "b.png"].assign(label="c", split="excluded")
    Manifest(pd.concat([twice.table, row], ignore_index=True), twice.root).write(run.manifest)
    data = rewrite(path=["b.png"], label=["c"], split=["train"])
    check_added(run, data)
    assert capsys.readouterr().out == ""


def test_neither_resume_nor_a_multirun_goes_on_with_the_old_classes(run: RunFolder) -> None:
    data = {**rewrite(path=["new.png"], label=["new"], split=["train"]), "parts": None}
    request = {"data": data, "seed": 0, "resume": "auto", "run_id": "run"}
    write_yaml(run.request, {**request, "data": {"root": "list.csv"}})
    with pytest.raises(InputError, match=r"was begun without \(new\)"):
        resume.check_same(run, request)
    running = Running.begin(Path("outputs/several"), [Asked.of(request, {})])
    job = fake_run(Path("outputs/several/0"), fake_manifest(Path.cwd()))
    write_json(job.metrics, {"val": {"f1_macro": 0.5}, "test": None})
    with pytest.raises(InputError, match=r"was begun without \(new\)"):
        running.run(Asked.of(request, {}), request, lambda _: pytest.fail("the job is finished"))
