"""Run folders: never overwritten, opened whole, written without half files."""

from __future__ import annotations

import errno
import os
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

import pytest

from animeid.errors import InputError
from animeid.inference.at_once import check_evaluation
from animeid.runs.claiming import claim
from animeid.runs.finished import FinishedRun
from animeid.runs.folder import RunFolder
from animeid.system.files import atomic, write_json
from animeid.training.at_once import check_training
from tests.runs.fake_runs import fake_manifest, fake_run


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


def test_a_run_is_its_process_alone_from_the_moment_that_it_is_named(tmp_path: Path) -> None:
    """The second of two simultaneous commands read its pictures first, or was told to go on with what still ran."""
    at_work = rf"process {os.getpid()} on .* is at work on .*mine: wait for its end or stop it"
    with RunFolder.claimed("mine", tmp_path) as run:
        assert run.path.is_dir()
        for _ in range(2):
            with pytest.raises(InputError, match=at_work), RunFolder.claimed("mine", tmp_path):
                pass
            with pytest.raises(InputError, match=at_work):
                RunFolder.reserve("mine", tmp_path)
            if not run.checkpoints.is_dir():
                run.create()
                run.config.touch()
    assert {path.name for path in run.path.iterdir()} == {"checkpoints", "figures", "config.yaml"}
    with RunFolder.claimed("mine", tmp_path), pytest.raises(InputError, match="resume=auto goes on"):
        run.create()


def test_only_one_of_many_gets_a_new_name(tmp_path: Path) -> None:
    def take(_: int) -> bool:
        try:
            with RunFolder.claimed("mine", tmp_path / "outputs") as run:
                run.create()
        except InputError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(take, range(16))) == 1


def test_where_no_file_can_be_locked_one_makes_the_folder(tmp_path: Path, monkeypatch, capsys) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("animeid.system.lock.fcntl.flock", refuse)
    with RunFolder.claimed("mine", tmp_path) as first, RunFolder.claimed("mine", tmp_path) as second:
        first.create()
        with pytest.raises(InputError, match="exists already"):
            second.create()
    told = "mine cannot be locked here (No locks available): see to it that no second process works on it"
    assert told in capsys.readouterr().out


def test_a_named_claim_that_came_to_nothing_leaves_what_was_there(tmp_path: Path) -> None:
    for outputs in (tmp_path / "outputs", tmp_path / "below" / "outputs"):
        with pytest.raises(InputError, match="no pictures"), RunFolder.claimed("several/mine", outputs) as run:
            assert run.path.is_dir()
            raise InputError("no pictures")
        assert not outputs.exists()
    assert [path.name for path in tmp_path.iterdir()] == ["below"]


def test_a_kill_before_the_beginning_leaves_a_folder_that_counts_as_empty(tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "mine")
    run.path.mkdir()
    run.lock_file.write_text("process 1 on a machine")
    assert run.is_empty
    run.environment.touch()
    run.clear_start()
    assert run.is_empty
    RunFolder.reserve("mine", tmp_path).create()


@pytest.mark.parametrize("resume", ["never", "auto", "must"])
def test_training_is_refused_at_once_in_a_run_that_another_process_trains(
    resume: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    request = {"run_id": "mine", "resume": resume, "from_run": None, "data": {}, "model": {}}
    check_training({**request, "run_id": None})
    with RunFolder.claimed("mine") as run:
        run.create()
        run.config.touch()
        with pytest.raises(InputError, match="is at work on outputs/mine: wait for its end or stop it"):
            check_training(request)


def test_a_run_that_is_trained_can_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    run = fake_run(Path("outputs/mine"), fake_manifest(tmp_path))
    with RunFolder.claimed("mine"):
        assert FinishedRun(RunFolder.open(run.path)).metrics["val"]["f1_macro"] == 0.5
        check_evaluation({"run": "outputs/mine", "data": {}})


def test_a_finished_run_that_cannot_be_written_to_needs_no_lock(tmp_path: Path, monkeypatch) -> None:
    run = fake_run(tmp_path / "mine", fake_manifest(tmp_path))

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr("animeid.system.lock._opened", refuse)
    with RunFolder.claimed("mine", tmp_path) as claimed:
        assert claimed.is_finished
    run.metrics.unlink()
    with pytest.raises(InputError, match="cannot be made"), RunFolder.claimed("mine", tmp_path):
        pass
