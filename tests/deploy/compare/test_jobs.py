"""Jobs of a multirun that are compared at its end."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path
from typing import Any

import pytest

from animeid import train
from animeid.deploy.compare.jobs import ComparedJobs
from animeid.errors import InputError
from animeid.runs.folder import MULTIRUN_RECORD
from animeid.system.files import write_json
from tests.old_runs import RUNS, set_root

REQUEST: dict[str, Any] = {"compare": "page", "code": None, "trainer": {"accelerator": "cpu"}}


@pytest.mark.usefixtures("no_fresh_processes")
def test_jobs_are_compared_as_the_command_compares_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copytree(RUNS / "pictures", tmp_path / "pictures")
    many = tmp_path / "outputs" / "many"
    for number, name in enumerate(("finished", "partner")):
        shutil.copytree(RUNS / "outputs" / name, many / str(number))
        set_root(many / str(number), tmp_path / "pictures")
    jobs = [{"job": job, "overrides": {"loss": loss}, "seed": 1, "config": loss} for job, loss in enumerate("ab")]
    write_json(many / MULTIRUN_RECORD, {"jobs": jobs})
    (many / "2").mkdir()  # a job that failed
    from animeid.deploy.compare import command

    real = command.compare
    monkeypatch.setattr(command, "compare", lambda request: real({**request, "rounds": 1, "seconds": 0.01}))
    ComparedJobs().do(REQUEST, Path("outputs/many"))
    rows = list(csv.DictReader(Path("page/comparison.csv").read_text(encoding="utf-8").splitlines()))
    assert {row["model"] for row in rows} == {"loss=a", "loss=b"}
    assert Path("page/comparison.html").is_file()


def test_nothing_is_compared_where_nothing_asks_for_it(tmp_path: Path) -> None:
    ComparedJobs().check([{"compare": None}])
    ComparedJobs().do({"compare": None}, tmp_path)


def test_a_folder_that_is_there_is_refused(tmp_path: Path) -> None:
    (tmp_path / "page").mkdir()
    (tmp_path / "page" / "mine.txt").touch()
    with pytest.raises(InputError, match=r"compare=.*page is there already"):
        ComparedJobs().check([{"compare": str(tmp_path / "page")}])


def test_jobs_are_compared_in_one_folder() -> None:
    with pytest.raises(InputError, match=r"compare=a,b names 2 folders"):
        ComparedJobs().check([{"compare": "a"}, {"compare": "b"}])


def test_one_run_is_compared_with_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert train.main(["compare=page"]) == 2
    assert "compare=page compares the jobs of a multirun" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
