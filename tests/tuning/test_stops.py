"""A search that cannot go on, that is killed, and that shares its work with other processes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna import TrialPruned
from optuna.trial import FrozenTrial, TrialState

from animeid import tune
from animeid.errors import InputError, MachineError, PeerFailedError
from animeid.tuning.search import FOLDER, GOES_ON
from tests.small_runs import QUICK, class_folders

RUN = (
    *QUICK,
    "data.root=pictures",
    "trainer.max_epochs=1",
    "data.val_ratio=0.3",
    "data.test_ratio=0.2",
    "logger=none",
    "space=none",
    "method=grid",
)
TWO = ("space.loss=[cross_entropy,focal]",)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    class_folders(tmp_path / "pictures", {"many": 16, "少": 10}, coarse=4)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def trials(home: Path, name: str) -> list[FrozenTrial]:
    store = home / "outputs" / name / "trials.db"
    return optuna.load_study(study_name="animeid", storage=f"sqlite:///{store}").trials


def trained_by(monkeypatch: pytest.MonkeyPatch, trained: Callable[[dict[str, Any]], float]) -> None:
    monkeypatch.setattr("animeid.tuning.trials.train", lambda request, **_: trained(request))


def test_a_search_without_one_good_trial_says_why_and_keeps_the_table(home: Path, monkeypatch, capsys) -> None:
    def trained(request: dict[str, Any]) -> float:
        raise InputError(f"{request['run_id']} cannot be trained")

    trained_by(monkeypatch, trained)
    assert tune.main([*RUN, *TWO, "run_id=bad"]) == 2
    assert "outputs/bad/0 cannot be trained".removeprefix("outputs/") in capsys.readouterr().err
    assert (home / "outputs" / "bad" / "trials.csv").read_text().count(",fail,") == 2


def test_a_crash_of_one_trial_is_kept_and_the_others_go_on(home: Path, monkeypatch, capsys) -> None:
    def trained(request: dict[str, Any]) -> float:
        if "Focal" in request["loss"]["_target_"]:
            raise ZeroDivisionError("nothing to divide by")
        return 0.5

    trained_by(monkeypatch, trained)
    assert tune.main([*RUN, *TWO, "run_id=crash"]) == 0
    assert "trial 1 failed: ZeroDivisionError: nothing to divide by" in capsys.readouterr().out
    assert "Traceback" in (home / "outputs" / "crash" / "1" / "error.txt").read_text()


def test_a_trial_that_is_cut_short_has_no_figure(home: Path, monkeypatch) -> None:
    def trained(request: dict[str, Any]) -> float:
        if "Focal" in request["loss"]["_target_"]:
            raise TrialPruned("cut short after epoch 1")
        return 0.5

    trained_by(monkeypatch, trained)
    assert tune.main([*RUN, *TWO, "run_id=short"]) == 0
    assert [trial.state for trial in trials(home, "short")] == [TrialState.COMPLETE, TrialState.PRUNED]
    assert ",pruned,," in (home / "outputs" / "short" / "trials.csv").read_text()


def test_a_trial_whose_other_process_fails_twice_does_not_stop_the_search(home: Path, monkeypatch, capsys) -> None:
    asked: list[str] = []

    def trained(request: dict[str, Any]) -> float:
        asked.append(request["run_id"])
        if request["run_id"] == "peer/0":
            raise PeerFailedError("another process has no memory left")
        return 0.5

    trained_by(monkeypatch, trained)
    assert tune.main([*RUN, *TWO, "run_id=peer"]) == 1
    assert tune.main([*RUN, *TWO, "run_id=peer"]) == 0
    assert asked == ["peer/0", "peer/1", "peer/0"]
    assert "failed: PeerFailedError: another process has no memory left" in capsys.readouterr().out


@pytest.mark.parametrize("fault", [MachineError, PeerFailedError])
def test_a_fault_of_the_machine_leaves_its_trial_to_the_next_call(
    fault: type[Exception], home: Path, monkeypatch, capsys
) -> None:
    asked: list[str] = []

    def trained(request: dict[str, Any]) -> float:
        asked.append(request["run_id"])
        if len(asked) == 2:
            raise fault("the disk is full")
        return 0.5

    trained_by(monkeypatch, trained)
    assert tune.main([*RUN, *TWO, "run_id=full"]) == 1
    assert "the disk is full" in capsys.readouterr().err
    assert tune.main([*RUN, *TWO, "run_id=full"]) == 0
    assert asked == ["full/0", "full/1", "full/1"]
    states = [trial.state for trial in trials(home, "full")]
    assert states == [TrialState.COMPLETE, TrialState.FAIL, TrialState.COMPLETE]
    assert trials(home, "full")[2].user_attrs == {FOLDER: 1, GOES_ON: 1}
    assert (home / "outputs" / "full" / "trials.csv").read_text().count("\n") == 3


def test_data_without_a_validation_part_is_refused_before_training(home: Path, capsys) -> None:
    assert tune.main([*RUN, *TWO, "data.val_ratio=0", "run_id=nothing"]) == 2
    assert "ranks by the validation part, and this data has none" in capsys.readouterr().err
    assert not (home / "outputs").exists()


@pytest.mark.parametrize("ratios", [(0.3, 0), (0, 0.3)])
def test_a_trial_without_a_validation_part_fails_alone(ratios: tuple[float, float], home: Path) -> None:
    arguments = [*(one for one in RUN if "ratio" not in one), f"space.data.val_ratio={list(ratios)}", "run_id=some"]
    assert tune.main(arguments) == 0
    states = [TrialState.COMPLETE if ratio else TrialState.FAIL for ratio in ratios]
    assert [trial.state for trial in trials(home, "some")] == states


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["data.root=nowhere"], "nowhere"),
        (["data.folds=2", "data.fold=all"], "data.fold=all trains a run for each fold, and a trial is a single run"),
        (["from_run=outputs/gone"], "there is no run folder outputs/gone"),
    ],
)
def test_what_no_trial_could_train_on_is_refused_before_the_first(
    arguments: list[str], sentence: str, home: Path, capsys
) -> None:
    assert tune.main([*RUN, *TWO, *arguments, "run_id=refused"]) == 2
    told = capsys.readouterr().err
    assert sentence in told
    assert told.count("\n") == 1
    assert not (home / "outputs").exists()


def test_what_is_given_is_not_searched_for(home: Path, capsys) -> None:
    assert tune.main([*RUN, *TWO, "loss=focal", "run_id=given"]) == 2
    assert "leave it out of the search with ~space.loss" in capsys.readouterr().err
    card = ["space=long_tail", "~space.loss", "~space.optimizer", "loss=focal", "output=sweep.yaml"]
    assert tune.main([*(one for one in RUN if one != "space=none"), *card]) == 0


def test_a_grid_is_tried_whole(home: Path, capsys) -> None:
    assert tune.main([*RUN, *TWO, "trials=1", "run_id=part"]) == 2
    assert "method=grid tries every combination: leave out trials" in capsys.readouterr().err


SLOW = (*RUN, *TWO, "trainer.max_epochs=6", "test=true", "run_id=hard")


def command() -> subprocess.Popen[str]:
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(sys.path)}
    arguments = [sys.executable, "-m", "animeid.tune", *SLOW]
    return subprocess.Popen(arguments, env=environment, stdout=subprocess.PIPE, text=True, start_new_session=True)


@pytest.mark.slow
def test_a_killed_search_goes_on_where_it_stopped(home: Path) -> None:
    first = command()
    checkpoints = home / "outputs" / "hard" / "0" / "checkpoints"
    while not list(checkpoints.glob("*.ckpt")):
        assert first.poll() is None
        time.sleep(0.1)
    os.killpg(first.pid, signal.SIGKILL)
    first.wait()
    two = [command(), command()]
    told = "".join(process.communicate(timeout=900)[0] for process in two)
    assert [process.returncode for process in two] == [0, 0]
    found = trials(home, "hard")
    assert sorted((trial.state.name, trial.user_attrs[FOLDER]) for trial in found) == [
        ("COMPLETE", 0),
        ("COMPLETE", 1),
        ("FAIL", 0),
    ]
    (again,) = (trial for trial in found if GOES_ON in trial.user_attrs)
    assert sorted(again.intermediate_values) == list(range(6))
    assert "the test part has been read before" in told
    (evaluated,) = (home / "outputs" / "hard").glob("*/evaluations/test/metrics.json")
    assert json.loads(evaluated.read_text(encoding="utf-8"))["test"]["f1_macro"] >= 0
